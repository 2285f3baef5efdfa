"""One partition's share in the channel gaps: what its customers contribute, kept so that it can be replaced."""

from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Iterable, Sequence
from heapq import heappop, heappush

from schemas.times import DAY, HOUR
from streams.gaps.facts import WAIT, Fact
from streams.gaps.messages import BLOCK, WAITS_MAX, Cell, Group, Message, Sweep, WaitBlock, group_of
from streams.gaps.partial import EMPTY, Partial
from streams.gaps.tally import Tally
from streams.gaps.waits import Wait
from streams.intervals import FOREVER

RETENTION = 7 * DAY
"""How long after its end a window is corrected, in ms, where a deployment says nothing else."""

Place = tuple[str, Group]
"""A channel, and what else it is told by."""


class GapShare:
    """Fed with customers' facts; tells what has changed, as messages that `GapTotals` adds up.

    `source` names the partition, `size` is a window's length in ms, `by` the dimensions beside the channel. With a
    `retention` (ms) a window that ended longer ago is final: what belongs to it is let go, and a late event for it
    corrects nothing. Memory: some 150 bytes a fact, of the windows that are not final and of threads that wait.
    After a restart the customers are fed again, and `everything` says it anew.
    """

    def __init__(
        self, source: int = 0, *, size: int = HOUR, by: Sequence[str] = (), retention: int | None = None
    ) -> None:
        self.source = source
        self.size = size
        self.by = tuple(by)
        self.retention = retention
        self._horizon = -FOREVER
        """Where the oldest window that is kept begins."""
        self._facts: dict[str, tuple[Fact, ...]] = {}
        self._newest: dict[int, set[str]] = {}
        """The customers by the window of their last fact, to let go of those that have only older ones."""
        self._windows: dict[int, dict[Place, Tally]] = {}
        self._waits: dict[tuple[int, Group], list[Wait]] = {}
        self._told: dict[int, set[Place]] = {}
        self._dirty: dict[int, set[Place]] = {}
        self._dirty_waits: dict[tuple[int, Group], None] = {}
        self._alarms: list[int] = []

    # -- feeding ----------------------------------------------------------------------------------------

    def replace(self, customer_id: str, facts: Iterable[Fact]) -> None:
        """`facts` are what this customer contributes now, in place of what it did before."""
        new = tuple(fact for fact in facts if self._kept(fact))
        old = self._facts.get(customer_id, ())
        gone, come = _difference([fact for fact in old if self._kept(fact)], new)
        for fact in gone:
            self._out(fact)
        for fact in come:
            self._in(fact)
        self._remember(customer_id, old, new)

    def drop(self, customer_id: str) -> None:
        """This customer is no more, or no more here: another has its history."""
        self.replace(customer_id, ())

    # -- telling ----------------------------------------------------------------------------------------

    @property
    def next_wake(self) -> int | None:
        """The end (ms) of the first window that has something to say; it may lie in the past. None: there is none."""
        while self._alarms and self._alarms[0] not in self._dirty:
            heappop(self._alarms)
        return (self._alarms[0] + 1) * self.size if self._alarms else None

    def take(self, sequence: int, now: int, *, partial: bool = False) -> list[Message]:
        """What has changed since the last call in windows that have ended by `now` (ms), and who has waited when.

        `sequence` rises from call to call. With `partial`, also the window in which `now` lies, of what has happened
        in it so far; it is told again at its end. Then what is final is let go.
        """
        messages: list[Message] = []
        while (end := self.next_wake) is not None and end <= now:
            window = heappop(self._alarms)
            tallies = self._windows.get(window, {})
            for place in sorted(self._dirty.pop(window), key=str):
                messages += self._cell(sequence, window, place, tallies[place].partial() if place in tallies else EMPTY)
        if partial:
            messages += self._so_far(sequence, now)
        messages += [self._wait_block(sequence, block) for block in self._dirty_waits]
        self._dirty_waits.clear()
        self._let_go(now)
        return messages

    def everything(self, sequence: int, now: int) -> list[Message]:
        """All that holds at `now`, said anew, for a source that does not know what it has said: after a restart."""
        for window, tallies in self._windows.items():
            for place in tallies:
                self._touch(window, place)
        self._dirty_waits.update(dict.fromkeys(self._waits))
        return [*self.take(sequence, now), Sweep(self.source, sequence)]

    def _cell(self, sequence: int, window: int, place: Place, partial: Partial) -> list[Message]:
        told = self._told.setdefault(window, set())
        if partial == EMPTY and place not in told:
            return []
        told.add(place)
        return [Cell(self.source, sequence, window * self.size, *place, partial)]

    def _so_far(self, sequence: int, now: int) -> list[Message]:
        window = now // self.size
        tallies: dict[Place, Tally] = {}
        for facts in self._facts.values():
            for fact in facts:
                if fact.what != WAIT and fact.at // self.size == window and fact.at <= now:
                    tallies.setdefault(self._place(fact), Tally()).add(fact)
        messages: list[Message] = []
        for place in sorted({*tallies, *self._told.get(window, ())}, key=str):
            messages += self._cell(sequence, window, place, tallies[place].partial() if place in tallies else EMPTY)
            self._touch(window, place)
        return messages

    def _wait_block(self, sequence: int, block: tuple[int, Group]) -> WaitBlock:
        begin, group = block
        waits = self._waits.get(block, [])
        if len(waits) > WAITS_MAX:
            waits = sorted(sorted(waits, key=lambda wait: wait[1])[-WAITS_MAX:])
        return WaitBlock(self.source, sequence, begin * BLOCK, group, tuple(waits))

    # -- keeping ----------------------------------------------------------------------------------------

    def _place(self, fact: Fact) -> Place:
        return fact.channel, group_of(fact, self.by)

    def _kept(self, fact: Fact) -> bool:
        return (fact.value if fact.what == WAIT else fact.at) >= self._horizon

    def _in(self, fact: Fact) -> None:
        if fact.what == WAIT:
            block = (fact.at // BLOCK, group_of(fact, self.by))
            insort(self._waits.setdefault(block, []), (fact.at, fact.value))
            self._dirty_waits[block] = None
            return
        window, place = fact.at // self.size, self._place(fact)
        self._windows.setdefault(window, {}).setdefault(place, Tally()).add(fact)
        self._touch(window, place)

    def _out(self, fact: Fact) -> None:
        if fact.what == WAIT:
            block = (fact.at // BLOCK, group_of(fact, self.by))
            waits = self._waits[block]
            del waits[bisect_left(waits, (fact.at, fact.value))]
            if not waits:
                del self._waits[block]
            self._dirty_waits[block] = None
            return
        window, place = fact.at // self.size, self._place(fact)
        tallies = self._windows[window]
        tallies[place].remove(fact)
        if tallies[place].empty:
            del tallies[place]
        if not tallies:
            del self._windows[window]
        self._touch(window, place)

    def _touch(self, window: int, place: Place) -> None:
        if window not in self._dirty:
            self._dirty[window] = set()
            heappush(self._alarms, window)
        self._dirty[window].add(place)

    def _remember(self, customer_id: str, old: Sequence[Fact], new: tuple[Fact, ...]) -> None:
        if self.retention is not None:
            before, after = self._last(old), self._last(new)
            if before != after and before is not None and before in self._newest:
                self._newest[before].discard(customer_id)
            if after is not None:
                self._newest.setdefault(after, set()).add(customer_id)
        if new:
            self._facts[customer_id] = new
        else:
            self._facts.pop(customer_id, None)

    def _last(self, facts: Iterable[Fact]) -> int | None:
        ends = (fact.value if fact.what == WAIT else fact.at for fact in facts)
        return max((end // self.size for end in ends), default=None)

    def _let_go(self, now: int) -> None:
        """Forget what belongs to windows that are final by `now`."""
        if self.retention is None:
            return
        first = (now - self.retention) // self.size
        if first * self.size <= self._horizon:
            return
        self._horizon = first * self.size
        for kept in (self._windows, self._told, self._dirty):
            for window in [window for window in kept if window < first]:
                del kept[window]
        for block in [block for block, waits in self._waits.items() if all(end < self._horizon for _, end in waits)]:
            del self._waits[block]
        for window in [window for window in self._newest if window < first]:
            for customer_id in self._newest.pop(window):
                self._facts.pop(customer_id, None)


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
