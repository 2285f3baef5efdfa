"""The book of all customers' contributions, by window and channel, and what has been said of each window."""

from collections import Counter
from collections.abc import Iterable, Sequence
from heapq import heappop, heappush
from typing import Any

from schemas.times import HOUR, format_time
from streams.gaps.facts import WAIT, Fact
from streams.gaps.tally import Tally, public_lengths
from streams.gaps.waits import Waits, overtaken
from streams.intervals import FOREVER

Record = dict[str, Any]


class GapBook:
    """Windows of `size` ms of event time, `[n * size, (n + 1) * size)`.

    `replace` a customer's facts when its history was derived again, `drop` a customer that was merged away, then
    `close` at `next_wake`. How often and in which order facts come changes no window's last revision. It keeps
    every contribution: memory grows with the history.
    """

    def __init__(self, size: int = HOUR) -> None:
        self.size = size
        self._facts: dict[str, tuple[Fact, ...]] = {}
        self._windows: dict[int, dict[str, Tally]] = {}
        self._waits = Waits()
        self._said: dict[int, dict[str, tuple[int, Record]]] = {}
        """By window and channel: the newest revision, and what it says."""
        self._dirty: set[int] = set()
        self._newest = -FOREVER
        """The newest window that has been told."""
        self._alarms: list[int] = []

    def replace(self, customer_id: str, facts: Iterable[Fact]) -> None:
        """`facts` are what this customer contributes now."""
        new = tuple(facts)
        gone, come = _difference(self._facts.get(customer_id, ()), new)
        for fact in gone:
            self._out(fact)
        for fact in come:
            self._in(fact)
        self._touch_overtaken(gone, come)
        if new:
            self._facts[customer_id] = new
        else:
            self._facts.pop(customer_id, None)

    def drop(self, customer_id: str) -> None:
        """This customer is no more: another has its history."""
        self.replace(customer_id, ())

    @property
    def next_wake(self) -> int | None:
        """The end (ms) of the first window that has something to say; it may lie in the past. None: there is none."""
        while self._alarms and self._alarms[0] not in self._dirty:
            heappop(self._alarms)
        return (self._alarms[0] + 1) * self.size if self._alarms else None

    def close(self, now: int, *, partial: bool = False) -> list[Record]:
        """The records of windows that have ended by `now` (ms) and say something new, by window and channel.

        With `partial`, also those of the window in which `now` lies, of what has happened in it so far: for the
        end of a recording. It is corrected when it closes.
        """
        records: list[Record] = []
        while (end := self.next_wake) is not None and end <= now:
            window = heappop(self._alarms)
            self._dirty.discard(window)
            records += self._tell(window, self._windows.get(window, {}), None)
        if partial:
            window = now // self.size
            so_far: dict[str, Tally] = {}
            for facts in self._facts.values():
                for fact in facts:
                    if fact.what != WAIT and fact.at // self.size == window and fact.at <= now:
                        so_far.setdefault(fact.channel, Tally()).add(fact)
            records += self._tell(window, so_far, list(self._waits.all()))
            self._touch(window)
        return records

    # -- counting ---------------------------------------------------------------------------------------

    def _in(self, fact: Fact) -> None:
        if fact.what == WAIT:
            self._waits.add(self._bucket(fact.value), fact.at, fact.value)
            return
        window = fact.at // self.size
        self._windows.setdefault(window, {}).setdefault(fact.channel, Tally()).add(fact)
        self._touch(window)

    def _out(self, fact: Fact) -> None:
        if fact.what == WAIT:
            self._waits.remove(self._bucket(fact.value), fact.at, fact.value)
            return
        window = fact.at // self.size
        tallies = self._windows[window]
        tallies[fact.channel].remove(fact)
        if tallies[fact.channel].empty:
            del tallies[fact.channel]
        if not tallies:
            del self._windows[window]
        self._touch(window)

    def _bucket(self, end: int) -> int:
        """The window in which a wait ends. One that ends with a window outlasts all of it but its last instant."""
        return FOREVER if end == FOREVER else end // self.size

    def _touch(self, window: int) -> None:
        if window not in self._dirty:
            self._dirty.add(window)
            heappush(self._alarms, window)

    def _touch_overtaken(self, gone: Sequence[Fact], come: Sequence[Fact]) -> None:
        """A changed wait changes who was overtaken in the windows that have been told: those between old and new."""
        before = {fact.thread: (fact.at, fact.value) for fact in gone if fact.what == WAIT}
        after = {fact.thread: (fact.at, fact.value) for fact in come if fact.what == WAIT}
        for thread in before.keys() | after.keys():
            ends = [wait for wait in (before.get(thread), after.get(thread)) if wait is not None]
            since = min(start for start, _ in ends)
            if len(ends) == 2 and ends[0][0] == ends[1][0]:
                since = min(end for _, end in ends)
            until = max(end for _, end in ends)
            first = since // self.size
            for window in range(first, min(self._newest, until // self.size) + 1):
                if window in self._said and any(tally.answered for tally in self._windows.get(window, {}).values()):
                    self._touch(window)

    # -- telling ----------------------------------------------------------------------------------------

    def _tell(self, window: int, tallies: dict[str, Tally], waits: list[tuple[int, int]] | None) -> list[Record]:
        """The records of a window in which something is new. `waits`: those to look at instead of the book's."""
        said = self._said.get(window, {})
        public = public_lengths(tallies)
        records = []
        for channel in sorted({*tallies, *said}):
            tally = tallies.get(channel) or Tally()
            behind = (
                self._waits.overtaken(window, tally.answered) if waits is None else overtaken(tally.answered, waits)
            )
            measures = tally.measures(public, behind)
            revision, last = said.get(channel, (0, {}))
            if measures == last:
                continue
            self._said.setdefault(window, {})[channel] = (revision + 1, measures)
            self._newest = max(self._newest, window)
            records.append(
                {
                    "revision": revision + 1,
                    "window_start": format_time(window * self.size),
                    "window_end": format_time((window + 1) * self.size),
                    "channel": channel,
                    **measures,
                }
            )
        return records


def _difference(old: Sequence[Fact], new: Sequence[Fact]) -> tuple[Sequence[Fact], Sequence[Fact]]:
    """What is in `old` and not in `new`, and the other way round. Mostly a history has only grown at its end."""
    least = min(len(old), len(new))
    head = next((place for place in range(least) if old[place] != new[place]), least)
    if head == len(old):
        return (), new[head:]
    if head == len(new):
        return old[head:], ()
    before, after = Counter(old[head:]), Counter(new[head:])
    return list((before - after).elements()), list((after - before).elements())
