"""How long a customer's history may grow, and what is let go when it is longer.

A history is stored as one record, and derived as a whole. So it is bounded: beyond `EVENTS_MAX` events, or where it
would be stored in more than `STATE_BYTES_MAX`, a quarter of it is let go: the threads of what was resolved longest
ago first, whole, and only then the oldest events of what is left. What was let go is counted, and is not missed: a late
event for it opens nothing (`Customer.fold`).
"""

from collections.abc import Sequence

from streams.derive import Derived
from streams.event import Event
from streams.intervals import FOREVER

EVENTS_MAX = 1_000
"""Events that a history holds."""
STATE_BYTES_MAX = 256 * 1024
"""Bytes in which it is stored, without what is on its way out."""
EVENTS_MIN = 20
"""A history is never cut below this."""


def to_let_go(events: Sequence[Event], derived: Derived, now: int) -> list[Event]:
    """At least a quarter of the events, or none where there are too few; those that matter least first."""
    wanted = min(max(len(events) // 4, 1), len(events) - EVENTS_MIN)
    if wanted <= 0:
        return []
    finished = sorted(
        (issue.unresolved[-1].end, thread.opened_at, thread.id)
        for issue in derived.history.issues
        if issue.unresolved and issue.unresolved[-1].end <= now < FOREVER
        for thread in issue.threads
    )
    by_thread: dict[str | None, list[Event]] = {}
    for event in events:
        by_thread.setdefault(event.thread, []).append(event)
    gone: list[Event] = []
    for _, _, thread in finished:
        if len(gone) >= wanted:
            return gone
        gone += by_thread.get(thread, [])
    known = {event.id for event in gone}
    gone += [event for event in events if event.id not in known][: max(0, wanted - len(gone))]
    return gone
