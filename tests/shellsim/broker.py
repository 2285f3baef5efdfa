"""A broker in memory: partitions with offsets, requests that are slow or lost, compaction.

A request that has left its process arrives, also when the process has died since. It waits at a broker that stalls,
and on the way where its process is cut off.
"""

import asyncio
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextvars import Context
from dataclasses import dataclass, field
from operator import attrgetter
from random import Random
from typing import Any

from aiokafka import ConsumerRecord
from faust.types import TP

from tests.shellsim.loop import Owner, VirtualLoop

OUTSIDE = Context()
"""The context of what belongs to no process."""
Header = tuple[str, bytes]


@dataclass
class Log:
    """One partition: the records that compaction has left, and where it ends."""

    records: list[ConsumerRecord] = field(default_factory=list)
    end: int = 0
    waiters: dict[int, Callable[[], None]] = field(default_factory=dict)
    """Requests that are held back until there is something, by number."""

    def since(self, start: int, end: int | None = None) -> Sequence[ConsumerRecord]:
        """The records from `start` up to, and without, `end`."""
        if start >= self.end:
            return ()
        first = bisect_left(self.records, start, key=attrgetter("offset"))
        last = len(self.records) if end is None else bisect_left(self.records, end, key=attrgetter("offset"))
        return self.records[first:last]

    def compact(self, before: int) -> None:
        """Keep, of what stands below an offset, only the last record of each key; the deletions among them go too."""
        last = {record.key: record.offset for record in self.records if record.offset < before}
        self.records = [
            record
            for record in self.records
            if record.offset >= before or (last[record.key] == record.offset and record.value is not None)
        ]


@dataclass(frozen=True)
class Network:
    """How slow and how reliable. Seconds; shares of 1."""

    latency_s: float = 0.003
    slow_share: float = 0.0
    slow_s: float = 0.0


class Broker:
    """`time_ms` is the clock by which records are stamped as they are appended."""

    def __init__(self, loop: VirtualLoop, random: Random, time_ms: Callable[[], int], network: Network) -> None:
        self.loop = loop
        self.random = random
        self.time_ms = time_ms
        self.network = network
        self.logs: dict[TP, Log] = {}
        self.stalled_until = 0.0
        self.cut_off: dict[Owner, float] = {}
        self.closed = False
        self._requests = 0
        self.senders: dict[tuple[TP, int], Owner | None] = {}
        """Who has sent the record at an offset."""
        self.watchers: list[Callable[[ConsumerRecord], None]] = []
        self.on_send: Callable[[Owner, TP], None] = lambda *_: None
        """Told of each record that goes into a producer's buffer."""

    def log(self, tp: TP) -> Log:
        """A partition, made when it is first asked for."""
        found = self.logs.get(tp)
        if found is None:
            found = self.logs[tp] = Log()
        return found

    def append(
        self,
        tp: TP,
        key: bytes | None,
        value: bytes | None,
        headers: Iterable[Header] = (),
        sender: Owner | None = None,
    ) -> ConsumerRecord:
        """Put a record at the end, stamped with the time of its arrival."""
        log = self.log(tp)
        sizes = (len(key or b""), len(value or b""))
        record = ConsumerRecord(
            tp.topic, tp.partition, log.end, self.time_ms(), 1, key, value, None, *sizes, tuple(headers)
        )
        log.records.append(record)
        self.senders[tp, log.end] = sender
        log.end += 1
        for watcher in self.watchers:
            watcher(record)
        for wake in list(log.waiters.values()):
            wake()
        return record

    def call(self, sender: Owner, handler: Callable[[], Any]) -> "asyncio.Future[Any]":
        """A request: `handler` runs at the broker, and its result or exception is the answer."""
        answer: asyncio.Future[Any] = self.loop.create_future()

        def arrived() -> None:
            try:
                result = handler()
            except Exception as problem:  # noqa: BLE001 - it is the answer
                self._answer(sender, answer, None, problem)
            else:
                if isinstance(result, asyncio.Future):  # it is known later
                    result.add_done_callback(lambda done: self._answer(sender, answer, done.result(), None))
                else:
                    self._answer(sender, answer, result, None)

        self.travel(sender, arrived)
        return answer

    def fetch(self, sender: Owner, positions: Mapping[TP, int], wait_s: float, most: int) -> "asyncio.Future[Any]":
        """A request for records, held back until there are any; the answer is {tp: (records, end)}."""
        answer: asyncio.Future[Any] = self.loop.create_future()
        logs = {tp: self.log(tp) for tp in positions}
        self._requests += 1
        number = self._requests

        def reply() -> None:
            for log in logs.values():
                log.waiters.pop(number, None)
            timer.cancel()
            found = {tp: (log.since(positions[tp])[:most], log.end) for tp, log in logs.items()}
            self._answer(sender, answer, found, None)

        def arrived() -> None:
            nonlocal timer
            if any(log.end > positions[tp] for tp, log in logs.items()):
                reply()
                return
            for log in logs.values():
                log.waiters[number] = reply
            timer = self.loop.call_later(wait_s, reply, context=OUTSIDE)

        timer = self.loop.call_later(0, _nothing, context=OUTSIDE)

        self.travel(sender, arrived)
        return answer

    def travel(self, sender: Owner, arrived: Callable[[], None]) -> None:
        """Call `arrived` when what `sender` sends now has reached the broker and is handled there."""

        def deliver() -> None:
            until = max(self.stalled_until, self.cut_off.get(sender, 0.0))
            if self.closed:
                return
            if until > self.loop.time():
                self.loop.call_at(until, deliver, context=OUTSIDE)
            else:
                arrived()

        self.loop.call_later(self.delay(), deliver, context=OUTSIDE)

    def delay(self) -> float:
        """How long something is under way, in one direction."""
        network = self.network
        if network.slow_share and self.random.random() < network.slow_share:
            return self.random.random() * network.slow_s
        return self.random.random() * network.latency_s

    def _answer(self, sender: Owner, answer: "asyncio.Future[Any]", result: Any, problem: Exception | None) -> None:
        def deliver() -> None:
            if self.cut_off.get(sender, 0.0) > self.loop.time():
                self.loop.call_at(self.cut_off[sender], deliver, context=OUTSIDE)
            elif not answer.done():
                if problem is not None:
                    answer.set_exception(problem)
                else:
                    answer.set_result(result)

        self.loop.call_later(self.delay(), deliver, context=OUTSIDE)


def _nothing() -> None:
    """A timer that is never waited for."""
