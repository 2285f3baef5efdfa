"""What is sound in a policy, and yet probably not meant."""

from collections.abc import Iterator

from schemas.policy import ROW_METRICS, PolicyDocument, When
from streams.policy_calendars import build_calendar


def remarks(document: PolicyDocument) -> Iterator[str]:
    """Sentences about rows that nothing reaches, and about calendars and roles that nothing uses."""
    yield from _targets(document)
    yield from _routes(document)
    yield from _calendars(document)
    yield from _roles(document)


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
        if before is not None:
            yield f"routes[{index}] is never used: routes[{before}] matches whatever it matches"


def covers(first: When, second: When) -> bool:
    """True where `first` matches whatever `second` matches."""
    for name in When.model_fields:
        wide, narrow = getattr(first, name), getattr(second, name)
        if wide is not None and (narrow is None or not set(narrow) <= set(wide)):
            return False
    return True


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
    used |= {step.role for steps in document.ladders.values() for step in steps}
    for name in document.roles or {}:
        if name not in used:
            yield f"roles.{name} is used by no ladder and no route"
