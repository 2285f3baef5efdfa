"""What is sound in a policy, and yet probably not meant."""

from collections.abc import Iterator

from schemas.policy import ROW_METRICS, PolicyDocument
from schemas.policy_fields import SEVERITIES
from schemas.policy_when import STEPS_MAX, EscalationWhen, When
from streams.policy_calendars import build_calendar

HOTSPOT_MAX = 1000
"""Half as many customers as a hotspot keeps escalations one by one (`hotspot_cases.CASES_MAX`)."""


def warnings(document: PolicyDocument) -> Iterator[str]:
    """Sentences that nobody may overlook, though the policy is sound: that it stops every page."""
    if not document.notify.paging:
        why = f" ({document.notify.reason})" if document.notify.reason else ""
        yield f"notify.paging is off{why}: nobody is paged while this policy is in force"


def remarks(document: PolicyDocument) -> Iterator[str]:
    """Sentences about rows that nothing reaches, and about calendars and roles that nothing uses."""
    yield from _targets(document)
    yield from _routes(document)
    yield from _silences(document)
    yield from _calendars(document)
    yield from _roles(document)
    if document.hotspots.customers > HOTSPOT_MAX:
        yield f"hotspots.customers is above {HOTSPOT_MAX:,}: with several escalations each, so many are not told apart"
    if document.notify.paging and document.notify.reason is not None:
        yield "notify.reason is told only while notify.paging is off"


def _targets(document: PolicyDocument) -> Iterator[str]:
    for metric in ROW_METRICS:
        taken: list[tuple[int, When]] = []
        for index, row in enumerate(document.targets):
            if getattr(row, metric) is None:
                continue
            before = next((number for number, when in taken if covers(when, row.when)), None)
            if before is not None:
                yield f"targets[{index}].{metric} is never used: targets[{before}] matches whatever it matches"
            taken.append((index, row.when))


def _routes(document: PolicyDocument) -> Iterator[str]:
    for index, route in enumerate(document.routes):
        before = next((n for n, other in enumerate(document.routes[:index]) if covers(other.when, route.when)), None)
        if not _severities(route.when) or not _levels(route.when):
            yield f"routes[{index}] is never used: no escalation fulfils all of its conditions"
        elif before is not None:
            yield f"routes[{index}] is never used: routes[{before}] matches whatever it matches"


def _silences(document: PolicyDocument) -> Iterator[str]:
    for index, silence in enumerate(document.silences):
        if not _severities(silence.when) or not _levels(silence.when):
            yield f"silences[{index}] matches nothing: no escalation fulfils all of its conditions"


def covers(first: When, second: When) -> bool:
    """True where `first` matches whatever `second` matches."""
    for name in When.model_fields:
        wide, narrow = getattr(first, name), getattr(second, name)
        if wide is not None and (narrow is None or not set(narrow) <= set(wide)):
            return False
    if not isinstance(first, EscalationWhen) or not isinstance(second, EscalationWhen):
        return True
    for name in ("kind", "metric", "pattern"):
        wide, narrow = getattr(first, name), getattr(second, name)
        if wide is not None and (narrow is None or not set(narrow) <= set(wide)):
            return False
    return (
        _severities(second) <= _severities(first)
        and _levels(second) <= _levels(first)
        and (second.min_contacts or 0) >= (first.min_contacts or 0)
        and (second.min_attempts or 0) >= (first.min_attempts or 0)
    )


def _severities(when: EscalationWhen) -> set[str]:
    """Those that it matches."""
    least = SEVERITIES.index(when.min_severity) if when.min_severity else 0
    return set(SEVERITIES[least:]) & set(when.severity or SEVERITIES)


def _levels(when: EscalationWhen) -> set[int]:
    every = range(STEPS_MAX + 1)
    return set(every[when.min_level or 0 :]) & set(when.level or every)


def _calendars(document: PolicyDocument) -> Iterator[str]:
    used = {channel.calendar for channel in document.channels.values()}
    used |= {row.calendar for row in document.targets}
    if document.issue_resolution:
        used.add(document.issue_resolution.calendar)
    for name, calendar in document.calendars.items():
        if name not in used and name != "always":
            yield f"calendars.{name} is used by nothing"
        elif not build_calendar(name, calendar).ever_opens:
            yield f"calendars.{name} is never open: clocks in it are never due"


def _roles(document: PolicyDocument) -> Iterator[str]:
    used = {route.role for route in document.routes}
    used |= {step.role for steps in document.ladders.values() for step in steps if step.role}
    roles = document.roles or {}
    reached = any(role.contact for role in roles.values())
    for name, role in roles.items():
        if name not in used:
            yield f"roles.{name} is used by no ladder and no route"
        elif reached and not role.contact:
            yield f"roles.{name} has no contact, and other roles have one"
