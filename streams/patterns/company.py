"""Patterns of what the company did: deflected, promised, compensated, repeated itself, passed on, argued."""

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from typing import Any

from streams.clocks import BREACHED
from streams.event import Event
from streams.history import is_canned, is_human_answer, solves
from streams.intervals import FOREVER
from streams.issue import Issue
from streams.patterns.case import Case, Hold, reached


def deflections(issue: Issue, window: int) -> list[tuple[Event, int]]:
    """Each `deflect` of the issue and until when it counts as a deflection (`FOREVER`: it was one).

    One from a public thread to a private channel where anybody but a peer is seen within `window` ms was a
    hand-off, from that moment on.
    """
    found = []
    public = {thread.id for thread in issue.threads if thread.public}
    for event in issue.events:
        if event.kind != "deflect":
            continue
        until = FOREVER
        if event.thread in public:
            seen = first_seen(issue, event, elsewhere_than=public)
            if seen is not None and seen.at - event.at <= window:
                until = seen.at
        found.append((event, until))
    return found


def first_seen(issue: Issue, deflect: Event, *, elsewhere_than: AbstractSet[str] = frozenset()) -> Event | None:
    """The first event after `deflect`, by the customer or the company, on the channel it pointed to.

    What is seen on the threads `elsewhere_than` does not count.
    """
    channel = deflect.data.get("to")
    for event in issue.events:
        if event.channel != channel or event.actor == "peer" or event.order <= deflect.order:
            continue
        if event.thread not in elsewhere_than:
            return event
    return None


def deflection_loop(case: Case, rule: Any) -> Iterator[Hold]:
    """`rule.count` or more deflections within `rule.window`; hand-offs are none."""
    counted = deflections(case.issue, rule.handoff_window)
    if len(counted) < rule.count:
        return
    moments = sorted({event.at for event, _ in counted} | {until for _, until in counted if until < FOREVER})
    start: int | None = None
    evidence: tuple[str, ...] = ()
    for moment in moments:
        active = [event for event, until in counted if event.at <= moment < until]
        hold = reached(active, rule.count, rule.window)
        if hold and start is None:
            start, evidence = moment, hold.evidence
        elif not hold and start is not None:
            yield Hold(start, moment, evidence)
            start = None
    if start is not None:
        yield Hold(start, evidence=evidence)


def handoff_dropped(case: Case, rule: Any) -> Iterator[Hold]:
    """Deflected to a channel where neither side was seen within `rule.window`."""
    for event in case.issue.events:
        if event.kind != "deflect" or event.data.get("to") is None:
            continue
        seen = first_seen(case.issue, event)
        if seen is None or seen.at - event.at > rule.window:
            yield Hold(event.at + rule.window, evidence=(event.id,))


def broken_promise(case: Case, _rule: Any) -> Iterator[Hold]:
    """A promise clock breached; kept late, it stays broken."""
    for clock in case.clocks:
        if clock.run.metric != "promise" or clock.issue is not case.issue:
            continue
        for phase in clock.phases:
            if phase.name == BREACHED:
                end = phase.end if phase.ended_by == "policy_change" else FOREVER
                yield Hold(phase.start, end, (clock.run.anchor.id,))


def comp_in_place_of_fix(case: Case, rule: Any) -> Iterator[Hold]:
    """Compensated, not solved, and the customer came back within `rule.window`."""
    gift: Event | None = None
    for event in case.issue.events:
        if event.kind == "compensate":
            gift = event
        elif solves(event):
            gift = None
        elif gift and event.kind == "contact" and event.actor == "customer" and event.at - gift.at <= rule.window:
            yield Hold(event.at, evidence=(gift.id, event.id))
            return


def canned_only(case: Case, rule: Any) -> Iterator[Hold]:
    """`rule.count` or more responses of the company, all of them auto, canned or by a bot."""
    empty: list[Event] = []
    human = FOREVER
    for event in case.issue.events:
        if event.kind not in ("reply", "answered") or not event.by_company:
            continue
        canned = is_canned(event) or event.id in case.outside.canned
        if event.actor == "agent" and not event.data.get("auto") and not canned:
            human = event.at
            break
        empty.append(event)
    hold = reached(empty, rule.count)
    if hold:
        yield hold._replace(end=human)


def passed_around(case: Case, rule: Any) -> Iterator[Hold]:
    """`rule.count` or more transfers."""
    hold = reached([event for event in case.issue.events if event.kind == "transfer"], rule.count)
    if hold:
        yield hold


def public_argument(case: Case, rule: Any) -> Iterator[Hold]:
    """`rule.count` or more human replies on a public thread without a solve or a hand-off."""
    handed_off = {
        event.id: until for event, until in deflections(case.issue, case.policy.handoff_window) if until < FOREVER
    }
    for thread in case.issue.threads:
        if not thread.public:
            continue
        ends = sorted(
            {event.at for event in thread.events if solves(event)}
            | {start for start, _ in thread.done}
            | {handed_off[event.id] for event in thread.events if event.id in handed_off}
        )
        replies = [e for e in thread.events if e.kind == "reply" and is_human_answer(e, case.policy)]
        for place, start in enumerate([-FOREVER, *ends]):
            end = ends[place] if place < len(ends) else FOREVER
            hold = reached([reply for reply in replies if start < reply.at <= end], rule.count)
            if hold and hold.start < end:
                yield hold._replace(end=end)
