"""Which escalation of the new policy is which of the old one's, and what is different about it."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from streams.policy_diff.side import Seen
from streams.severity import RANKS

APPEARS, VANISHES = "appears", "vanishes"
EARLIER, LATER = "earlier", "later"
HIGHER, LOWER = "higher", "lower"
REROUTED, REASONS = "rerouted", "reasons"
CHANGES = (APPEARS, VANISHES, EARLIER, LATER, HIGHER, LOWER, REROUTED, REASONS)
"""What can be different. Of the last six, one escalation may have several."""


class Pair(NamedTuple):
    """An escalation under the old policy and the new one; None where there is none."""

    old: Seen | None
    new: Seen | None

    @property
    def one(self) -> Seen:
        """The new one, or the old one where there is no new one."""
        found = self.new or self.old
        assert found is not None
        return found


def pairs(old: Sequence[Seen], new: Sequence[Seen]) -> Iterator[Pair]:
    """All escalations, those of one subject that were true at one time together, in order of their subject."""
    subjects: dict[tuple[str, str], tuple[list[Seen], list[Seen]]] = {}
    for side, escalations in enumerate((old, new)):
        for seen in escalations:
            subjects.setdefault((seen.kind, seen.subject), ([], []))[side].append(seen)
    for _, (ours, theirs) in sorted(subjects.items()):
        yield from _aligned(sorted(ours, key=_span), sorted(theirs, key=_span))


def _span(seen: Seen) -> tuple[int, int, str]:
    return (seen.start, seen.end, seen.id)


def _aligned(old: list[Seen], new: list[Seen]) -> Iterator[Pair]:
    """Both in order of time: those that meet are one, and of those that do not, the one that ended first is alone."""
    i = j = 0
    while i < len(old) and j < len(new):
        if old[i].meets(new[j]):
            yield Pair(old[i], new[j])
            i, j = i + 1, j + 1
        elif old[i].end < new[j].start:
            yield Pair(old[i], None)
            i += 1
        else:
            yield Pair(None, new[j])
            j += 1
    for seen in old[i:]:
        yield Pair(seen, None)
    for seen in new[j:]:
        yield Pair(None, seen)


def changes(pair: Pair) -> tuple[str, ...]:
    """What is different; empty where nothing is."""
    old, new = pair
    if old is None or new is None:
        return (APPEARS,) if old is None else (VANISHES,)
    found = []
    moved = shift(pair)
    if moved:
        found.append(EARLIER if moved < 0 else LATER)
    if old.severity != new.severity:
        found.append(HIGHER if RANKS[new.severity] > RANKS[old.severity] else LOWER)
    if set(old.roles) != set(new.roles):
        found.append(REROUTED)
    if old.patterns != new.patterns:
        found.append(REASONS)
    return tuple(found)


def shift(pair: Pair) -> int:
    """By how much (ms) the new one comes later than the old: its beginning, or else its breach."""
    old, new = pair
    if old is None or new is None:
        return 0
    if old.start != new.start or old.breached_at is None or new.breached_at is None:
        return new.start - old.start
    return new.breached_at - old.breached_at
