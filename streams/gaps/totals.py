"""All partitions' shares in the channel gaps, added up: the records, with a revision for every correction.

One aggregator has every channel and window: `ratio_to_public` compares the channels of one window, and `overtaken`
asks which private threads, of any channel and begun in any earlier window, still waited at this window's public first
responses. It gets one small message per window, channel and partition that changed, not one per event.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from heapq import heappop, heappush
from typing import Any

from schemas.times import HOUR, format_time, parse_time
from streams.gaps.lengths import Lengths
from streams.gaps.messages import Cell, Group, Message, Sweep, WaitBlock, narrowed
from streams.gaps.partial import EMPTY, Answered, Partial
from streams.gaps.waits import Wait, Waits
from streams.intervals import FOREVER

Record = dict[str, Any]
Place = tuple[str, Group]
Source = tuple[int, Group]
"""A partition, and the group that it told: several become one where fewer dimensions are asked for."""
HEAD = ("revision", "window_start", "window_end", "channel", "by")


class GapTotals:
    """Takes the messages of all sources, in any order and any number of times, and tells the windows' records.

    `by` are the dimensions of the records, all or some of those of the shares. Public and private are compared within
    a topic where the records are by topic, and over all teams where they are by team: public posts mostly have a team
    of their own. With a `retention` (ms) a window that ended longer ago is final: it is let go, and messages about it
    change nothing; that bounds the state, with one entry per window, channel, group and source, and one per private
    thread that has waited since.
    """

    def __init__(self, *, size: int = HOUR, by: Sequence[str] = (), retention: int | None = None) -> None:
        self.size = size
        self.by = tuple(by)
        self.retention = retention
        self._horizon = -FOREVER
        self._cells: dict[int, dict[Place, dict[Source, tuple[int, Partial]]]] = {}
        self._blocks: dict[tuple[int, Source], tuple[int, tuple[Wait, ...]]] = {}
        self._waits: dict[Group, Waits] = {}
        self._floors: dict[int, int] = {}
        """By partition: what it said with a lower sequence is void."""
        self._said: dict[int, dict[Place, tuple[int, Record]]] = {}
        """The newest revision, and what it says."""
        self._newest = -FOREVER
        """The newest window that has been told."""
        self._dirty: set[int] = set()
        self._alarms: list[int] = []

    # -- taking -----------------------------------------------------------------------------------------

    def take(self, message: Message) -> bool:
        """Take note of a message; False where it says nothing new: it is old, or final, or was here before."""
        if message.sequence < self._floors.get(message.source, message.sequence):
            return False
        match message:
            case Cell():
                return self._take_cell(message)
            case WaitBlock():
                return self._take_waits(message)
            case Sweep():
                return self._sweep(message)

    def remember(self, record: Record) -> None:
        """Take note of a record that was told before a restart, so that revisions go on where they were.

        Then take all messages that there are, and only then `close`: what no source says any more is taken back.
        """
        window = parse_time(record["window_start"]) // self.size
        place = (record["channel"], tuple(record.get("by", {}).items()))
        known, _ = self._said.get(window, {}).get(place, (0, {}))
        if record["revision"] > known:
            measures = {name: value for name, value in record.items() if name not in HEAD}
            self._said.setdefault(window, {})[place] = (record["revision"], measures)
            self._newest = max(self._newest, window)
            self._touch(window)

    def _take_cell(self, cell: Cell) -> bool:
        if cell.window < self._horizon:
            return False
        window, place = cell.window // self.size, (cell.channel, narrowed(cell.group, self.by))
        cells = self._cells.setdefault(window, {}).setdefault(place, {})
        source = (cell.source, cell.group)
        known = cells.get(source)
        if known is not None and cell.sequence <= known[0]:
            return False
        cells[source] = (cell.sequence, cell.partial)
        if (EMPTY if known is None else known[1]) == cell.partial:
            return False
        self._touch(window)
        return True

    def _take_waits(self, block: WaitBlock) -> bool:
        key = (block.begin, (block.source, block.group))
        known, before = self._blocks.get(key, (-1, ()))
        if known >= block.sequence:
            return False
        after = tuple(wait for wait in block.waits if wait[1] >= self._horizon)
        if known < 0 and not after and block.begin < self._horizon:
            return False  # final
        self._blocks[key] = (block.sequence, after)
        self._change_waits(self._world(block.group), before, after)
        return before != after

    def _sweep(self, sweep: Sweep) -> bool:
        if sweep.sequence <= self._floors.get(sweep.source, -1):
            return False
        self._floors[sweep.source] = sweep.sequence
        for window, places in self._cells.items():
            for cells in places.values():
                for source in [s for s, (at, _) in cells.items() if s[0] == sweep.source and at < sweep.sequence]:
                    del cells[source]
                    self._touch(window)
        old = [key for key, (at, _) in self._blocks.items() if key[1][0] == sweep.source and at < sweep.sequence]
        for key in old:
            _, before = self._blocks.pop(key)
            self._change_waits(self._world(key[1][1]), before, ())
        return True

    def _touch(self, window: int) -> None:
        if window not in self._dirty:
            self._dirty.add(window)
            heappush(self._alarms, window)

    # -- waits ------------------------------------------------------------------------------------------

    def _world(self, group: Group) -> Group:
        """Within what public and private are compared."""
        return narrowed(group, [name for name in self.by if name == "topic"])

    def _change_waits(self, world: Group, before: Sequence[Wait], after: Sequence[Wait]) -> None:
        waits = self._waits.setdefault(world, Waits())
        old, new = Counter(before), Counter(after)
        gone, come = list((old - new).elements()), list((new - old).elements())
        for start, end in gone:
            waits.remove(self._bucket(end), start, end)
        for start, end in come:
            waits.add(self._bucket(end), start, end)
        for since, until in _changed(gone, come):
            for window in range(since // self.size, min(self._newest, until // self.size) + 1):
                if window in self._said and self._answers(window, world):
                    self._touch(window)

    def _bucket(self, end: int) -> int:
        """The window in which a wait ends. One that ends with a window outlasts all of it but its last instant."""
        return FOREVER if end == FOREVER else end // self.size

    def _answers(self, window: int, world: Group) -> bool:
        return any(
            partial.answered
            for (_, group), cells in self._cells.get(window, {}).items()
            if self._world(group) == world
            for _, partial in cells.values()
        )

    # -- telling ----------------------------------------------------------------------------------------

    @property
    def next_wake(self) -> int | None:
        """The end (ms) of the first window that may have something to say; None: there is none."""
        while self._alarms and self._alarms[0] not in self._dirty:
            heappop(self._alarms)
        return (self._alarms[0] + 1) * self.size if self._alarms else None

    def close(self, now: int, *, partial: bool = False) -> list[Record]:
        """The records of windows that have ended by `now` (ms) and say something new, by window and channel.

        With `partial`, also of the window in which `now` lies. Then what is final is let go.
        """
        records: list[Record] = []
        last = now // self.size - (0 if partial else 1)
        while (end := self.next_wake) is not None and end <= (last + 1) * self.size:
            window = heappop(self._alarms)
            self._dirty.discard(window)
            records += self._tell(window)
        self._let_go(now)
        return records

    def _tell(self, window: int) -> Iterator[Record]:
        """The records of a window in which something is new."""
        said = self._said.get(window, {})
        cells = self._cells.get(window, {})
        parts = {place: Partial.union(part for _, part in sources.values()) for place, sources in cells.items()}
        public: dict[Group, list[Lengths]] = {}
        for (_, group), part in parts.items():
            public.setdefault(self._world(group), []).append(part.public)
        everywhere = {world: Lengths.union(lengths) for world, lengths in public.items()}
        for place in sorted({*parts, *said}, key=str):
            part = parts.get(place, EMPTY)
            if part == EMPTY and place not in said:
                continue
            world = self._world(place[1])
            behind = self._overtaken(window, world, part.answered)
            measures = part.measures(everywhere.get(world, Lengths()), behind)
            revision, last = said.get(place, (0, {}))
            if measures == last:
                continue
            self._said.setdefault(window, {})[place] = (revision + 1, measures)
            self._newest = max(self._newest, window)
            yield self._record(revision + 1, window, place, measures)

    def _overtaken(self, window: int, world: Group, answered: Sequence[Answered]) -> int:
        waits = self._waits.get(world)
        return waits.overtaken(window, answered) if waits is not None else 0

    def _record(self, revision: int, window: int, place: Place, measures: Record) -> Record:
        channel, group = place
        head: Record = {
            "revision": revision,
            "window_start": format_time(window * self.size),
            "window_end": format_time((window + 1) * self.size),
            "channel": channel,
        }
        return head | ({"by": dict(group)} if group else {}) | measures

    def _let_go(self, now: int) -> None:
        if self.retention is None:
            return
        first = (now - self.retention) // self.size
        if first * self.size <= self._horizon:
            return
        self._horizon = first * self.size
        for kept in (self._cells, self._said):
            for window in [window for window in kept if window < first]:
                del kept[window]
        self._dirty = {window for window in self._dirty if window >= first}
        for key, (sequence, before) in list(self._blocks.items()):
            after = tuple(wait for wait in before if wait[1] >= self._horizon)
            if len(after) < len(before):
                self._change_waits(self._world(key[1][1]), before, after)
                self._blocks[key] = (sequence, after)
            if not after and key[0] < self._horizon:
                del self._blocks[key]


def _changed(gone: Sequence[Wait], come: Sequence[Wait]) -> Iterator[tuple[int, int]]:
    """The spans in which somebody waits by one account and not by the other.

    A wait that was cut short or went on is recognised by its start.
    """
    before: dict[int, list[int]] = {}
    after: dict[int, list[int]] = {}
    for waits, ends in ((gone, before), (come, after)):
        for start, end in waits:
            ends.setdefault(start, []).append(end)
    for start in before.keys() | after.keys():
        old, new = sorted(before.get(start, ())), sorted(after.get(start, ()))
        for one, other in zip(old, new, strict=False):
            yield min(one, other), max(one, other)
        for end in old[len(new) :] or new[len(old) :]:
            yield start, end
