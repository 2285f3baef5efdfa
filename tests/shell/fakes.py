"""Parts of the shell's surroundings, in memory."""

import asyncio
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from aiokafka import ConsumerRecord
from faust.types import TP

from agents.lease import Lease
from agents.transport import RecordBatch
from agents.worker.changelog import Changelog
from agents.worker.fence import Fence
from agents.worker.metrics import Metrics
from agents.worker.publisher import Publisher
from agents.worker.terms import CLAIM_KEY, Reading
from agents.worker.tracking import Tracker
from agents.worker.watermark import PartitionTime, WorkerTime
from topics.table import CHANGELOGS, INBOXES


class SteppedClock:
    """A clock that stands still until it is told otherwise."""

    def __init__(self, at: int = 1_000_000) -> None:
        self.at = at

    def now(self) -> int:
        return self.at

    def wall_seconds(self, duration: int) -> float:
        return duration / 1000


@dataclass
class FakeProducer:
    """Confirms what it is sent, in order, unless told how an attempt fails: at the call, or at the confirmation.

    `sent` holds all but claims; `logs` holds every topic as a broker would, with offsets.
    """

    sent: list[tuple[str, bytes | None, bytes | None, int | None]] = field(default_factory=list)
    at_call: list[BaseException | None] = field(default_factory=list)
    at_confirmation: list[BaseException | None] = field(default_factory=list)
    logs: dict[str, list[ConsumerRecord]] = field(default_factory=dict)

    def append(self, topic: str, key: bytes, value: bytes | None, headers=()) -> ConsumerRecord:
        """Put a record at the end of a topic, as anybody may."""
        log = self.logs.setdefault(topic, [])
        log.append(ConsumerRecord(topic, 1, len(log), 0, 0, key, value, None, 0, 0, tuple(headers)))
        return log[-1]

    async def fetch(self, topic: str, partition: int, start: int, end: int) -> list[ConsumerRecord]:
        """Records by offset, as a changelog reads them."""
        return self.logs.get(topic, [])[start:end]

    async def enqueue(self, topic, key, value, *, partition, timestamp_ms, headers=()) -> Any:
        if key == CLAIM_KEY:
            future = asyncio.get_running_loop().create_future()
            future.set_result(self.append(topic, key, value, headers))
            return future
        if self.at_call and (problem := self.at_call.pop(0)):
            raise problem
        future = asyncio.get_running_loop().create_future()
        if self.at_confirmation and (problem := self.at_confirmation.pop(0)):
            future.set_exception(problem)
        else:
            self.sent.append((topic, key, value, partition))
            future.set_result(self.append(topic, key, value, headers))
        return future


def member(**more: Any) -> Any:
    """What the shell reads of an application that is a member of the group in generation 7."""
    consumer = SimpleNamespace(assigned_in=2)
    return SimpleNamespace(consumer_generation_id=7, rebalancing=False, rebalancing_count=2, consumer=consumer, **more)


@dataclass
class Bench:
    """A publisher with everything round it."""

    app: Any = field(default_factory=member)
    producer: FakeProducer = field(default_factory=FakeProducer)
    clock: SteppedClock = field(default_factory=SteppedClock)
    metrics: Metrics = field(default_factory=Metrics)
    stores: dict[str, dict[bytes, bytes]] = field(default_factory=lambda: {name: {} for name in CHANGELOGS})
    seconds: float = 0.0
    inbox_records: list[tuple[str, int, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.tracker = Tracker(2, INBOXES, 0.0)
        self.time = PartitionTime(WorkerTime(self.tracker, self.clock, lambda: 0.0, lambda at: 60_000), self.clock)
        self.lease = Lease(6.0, lambda: self.seconds)
        self.fence = Fence(self.app, 7, self.lease)
        self.publisher = Publisher(
            1,
            prefix="",
            producer=self.producer,
            changelogs={
                name: Changelog(topic, 1, self.stores[name], Reading(), self.producer.fetch)
                for name, topic in CHANGELOGS.items()
            },
            fence=self.fence,
            clock=self.clock,
            metrics=self.metrics,
            on_sent=lambda *place: self.inbox_records.append(place),
        )


def batch(topic: str, values: list[bytes], *, offset: int = 0, at: int = 1000, key: bytes = b"k") -> RecordBatch:
    """A batch of partition 1; records are 10 ms apart."""
    tp = TP(topic, 1)
    records = [
        ConsumerRecord(topic, 1, offset + n, at + 10 * n, 0, key, value, None, len(key), len(value), ())
        for n, value in enumerate(values)
    ]
    return RecordBatch(tp, records, 7)
