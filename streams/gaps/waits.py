"""The private threads that wait for their first response, and how many of them a public answer overtook.

A thread is overtaken where it began to wait before a public thread did that was answered while it still waited.
Each counts once, however many went before it.
"""

from bisect import bisect_left, insort
from collections.abc import Iterable, Sequence
from itertools import accumulate

Wait = tuple[int, int]
"""From when until when a private thread waited for its first response (ms; `FOREVER`: it still does)."""


class Overtaking:
    """Public first responses, as far as it matters who was overtaken by one of them."""

    def __init__(self, answered: Sequence[tuple[int, int]]) -> None:
        """`answered`: (when its wait began, when it was answered), sorted, at least one."""
        self._starts = [start for start, _ in answered]
        # from each place on: the earliest answer to a thread that began no sooner
        self._soonest = list(accumulate((at for _, at in reversed(answered)), min))[::-1]
        self.last_start = self._starts[-1]

    def overtook(self, start: int, end: int) -> bool:
        """Was one overtaken that waited from `start` until `end`?"""
        place = bisect_left(self._starts, start + 1)
        return place < len(self._starts) and self._soonest[place] < end


def overtaken(answered: Sequence[tuple[int, int]], waits: Iterable[Wait]) -> int:
    """How many of `waits` (start, end) were overtaken."""
    if not answered:
        return 0
    overtaking = Overtaking(answered)
    return sum(1 for start, end in waits if overtaking.overtook(start, end))


BLOCK = 64
"""How many windows are searched as one where all of them are later."""


class Waits:
    """Waits by the window in which they end; those without an end are in one of their own.

    Of the waits that outlast a window only the starts matter, and they are sorted: a question costs a search in
    each later block of windows that has waits, and a look at the waits that end in this one.
    """

    def __init__(self) -> None:
        self._by_end: dict[int, list[Wait]] = {}
        self._starts: dict[int, list[int]] = {}
        """The starts alone, by block."""

    def add(self, bucket: int, start: int, end: int) -> None:
        """A thread waits from `start` until `end`, in the window `bucket`."""
        insort(self._by_end.setdefault(bucket, []), (start, end))
        insort(self._starts.setdefault(bucket // BLOCK, []), start)

    def remove(self, bucket: int, start: int, end: int) -> None:
        """It does not."""
        waits, starts = self._by_end[bucket], self._starts[bucket // BLOCK]
        del waits[bisect_left(waits, (start, end))]
        if not waits:
            del self._by_end[bucket]
        del starts[bisect_left(starts, start)]
        if not starts:
            del self._starts[bucket // BLOCK]

    def overtaken(self, bucket: int, answered: Sequence[tuple[int, int]]) -> int:
        """How many were overtaken by these public first responses, all of them in the window `bucket`."""
        if not answered:
            return 0
        overtaking = Overtaking(answered)
        last = overtaking.last_start  # one that began at that instant has not waited longer
        block = bucket // BLOCK
        longer = sum(bisect_left(starts, last) for place, starts in self._starts.items() if place > block)
        for place in range(bucket + 1, (block + 1) * BLOCK):
            longer += bisect_left(self._by_end.get(place, ()), (last, -1))
        return longer + sum(1 for wait in self._by_end.get(bucket, ()) if overtaking.overtook(*wait))
