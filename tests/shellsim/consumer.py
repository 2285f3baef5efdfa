"""The consumer of a process: the shell's own bookkeeping of batches, on a client that talks to the broker in memory."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError
from faust.types import TP

from agents.lease import Lease
from agents.transport import ConsumerThread, RecordBatch, _Partition
from agents.worker.source import Consumer
from tests.shellsim.broker import Broker
from tests.shellsim.group import Group, Share
from tests.shellsim.loop import Owner

FETCH_WAIT_S = 0.4
COMMIT_TIMEOUT_S = 5.0


@dataclass
class _Place:
    """Where a client stands in one partition; the names are those that aiokafka gives."""

    position: int | None = None
    highwater: int | None = None
    timestamp: int | None = None
    fetched: list[ConsumerRecord] = field(default_factory=list)

    @property
    def has_valid_position(self) -> bool:
        return self.position is not None


class Client:
    """aiokafka's consumer, so far as the shell looks at it."""

    def __init__(self, owner: Owner, broker: Broker, group: Group) -> None:
        self._owner = owner
        self._broker = broker
        self._group = group
        self.share: Share | None = None
        self.places: dict[TopicPartition, _Place] = {}
        self.arrived = asyncio.Event()
        self._moved = asyncio.Event()
        self._answers = 0
        self._fetches_most = 500

    # -- what the shell reads -----------------------------------------------------------------------------------

    @property
    def _subscription(self) -> Any:
        return SimpleNamespace(subscription=SimpleNamespace(assignment=self if self.share else None))

    @property
    def tps(self) -> Iterable[TopicPartition]:
        return self.places.keys()

    def state_value(self, tp: TopicPartition) -> _Place:
        return self.places[tp]

    # -- what the shell does ------------------------------------------------------------------------------------

    async def seek_to_committed(self) -> dict[TP, int | None]:
        committed = await self._committed(list(self.places))
        for tp, offset in committed.items():
            if offset is not None and tp in self.places:
                self.seek(tp, offset)
        return {TP(tp.topic, tp.partition): offset for tp, offset in committed.items()}

    async def seek_to_beginning(self, *tps: TopicPartition) -> None:
        for tp in tps:
            self.seek(TopicPartition(*tp), 0)

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Raises KafkaError."""
        share = self.share
        member, generation = (share.member, share.generation) if share else (None, -1)
        found = {TP(tp.topic, tp.partition): offset for tp, offset in offsets.items()}
        answer = self._broker.call(self._owner, lambda: self._group.commit(member, generation, found))
        try:
            async with asyncio.timeout(COMMIT_TIMEOUT_S):
                await answer
        except TimeoutError as problem:
            raise KafkaError("no answer") from problem

    # -- the client itself --------------------------------------------------------------------------------------

    def assign(self, share: Share | None, tps: Iterable[TP]) -> None:
        """Begin anew with other partitions."""
        self.share = share
        self.places = {TopicPartition(tp.topic, tp.partition): _Place() for tp in tps}
        self._moved.set()

    def seek(self, tp: TopicPartition, offset: int) -> None:
        place = self.places.get(tp)
        if place is not None:
            place.position, place.fetched = offset, []
            self._moved.set()

    def take(self, active: Iterable[TP], most: int) -> dict[TP, list[ConsumerRecord]]:
        """What has been fetched of the active partitions."""
        found = {}
        for tp in sorted(active):
            place = self.places.get(TopicPartition(tp.topic, tp.partition))
            if place is not None and place.fetched:
                records, place.fetched = place.fetched[:most], place.fetched[most:]
                place.position = records[-1].offset + 1
                found[tp] = records
        if found:
            self._moved.set()
        return found

    async def run(self) -> None:
        """Fetch ahead, one request at a time."""
        while True:
            self._moved.clear()
            unknown = [tp for tp, place in self.places.items() if place.position is None]
            if unknown:
                places = self.places
                for tp, offset in (await self._committed(unknown)).items():
                    if places is self.places and places[tp].position is None:
                        places[tp].position = offset or 0
                continue
            asked = {tp: place for tp, place in self.places.items() if not place.fetched}
            if not asked:
                await self._moved.wait()
                continue
            await self._fetch(asked)

    async def _fetch(self, asked: Mapping[TopicPartition, _Place]) -> None:
        starts = {TP(tp.topic, tp.partition): place.position or 0 for tp, place in asked.items()}
        answer = await self._broker.fetch(self._owner, starts, FETCH_WAIT_S, self._fetches_most)
        for tp, place in asked.items():
            key = TP(tp.topic, tp.partition)
            if self.places.get(tp) is place and place.position == starts[key]:
                records, end = answer[key]
                place.highwater = end
                self._answers += 1
                place.timestamp = self._answers
                place.fetched = list(records)
        self.arrived.set()

    async def _committed(self, tps: Sequence[TopicPartition]) -> dict[TopicPartition, int | None]:
        committed = self._group.committed
        return dict(
            await self._broker.call(self._owner, lambda: {tp: committed.get(TP(tp.topic, tp.partition)) for tp in tps})
        )


class Thread:
    """The consumer's thread, with the shell's own methods; there is but one thread here."""

    _seek_to_committed = ConsumerThread._seek_to_committed
    _commit = ConsumerThread._commit
    offsets = ConsumerThread.offsets

    def __init__(self, consumer: "SimConsumer", client: Client, lease: Lease) -> None:
        self.consumer = consumer
        self._consumer = client
        self.lease = lease
        self.tp_last_committed_at: dict[TP, float] = {}

    def _ensure_consumer(self) -> Client:
        return self._consumer

    def assignment(self) -> tuple[TP, ...]:
        return self.consumer.assignment()

    async def seek_to_committed(self) -> Mapping[TP, int]:
        return await self._seek_to_committed()

    async def commit(self, offsets: Mapping[TP, int]) -> bool:
        return await self._commit(offsets)


class SimConsumer(Consumer):
    """The shell's consumer. What Faust's base classes do is done here, in the same order."""

    should_stop = False

    def __init__(self, app: Any, client: Client, lease: Lease, callback: Any) -> None:
        self.app = app
        self.callback = callback
        self.client = client
        self._progress = defaultdict(_Partition)
        self._read_offset = {}
        self._committed_offset = {}
        self._acked, self._acked_index = {}, {}
        self._stopped = asyncio.Event()
        self._thread = Thread(self, client, lease)
        self.transport = SimpleNamespace(app=app)
        self.flow_active = False
        self.can_resume_flow, self.suspend_flow = asyncio.Event(), asyncio.Event()
        self._active_partitions: set[TP] = set()
        self._paused_partitions: set[TP] = set()

    def __repr__(self) -> str:
        return "SimConsumer"

    def assignment(self) -> tuple[TP, ...]:
        return tuple(TP(tp.topic, tp.partition) for tp in self.client.places)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def wait(self, *coros: Any) -> None:
        await asyncio.gather(*coros)

    async def wait_first(self, *coros: Any) -> None:
        tasks = [asyncio.ensure_future(coro) for coro in coros]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()

    async def seek_to_committed(self) -> Mapping[TP, int]:
        return await self._thread.seek_to_committed()

    def _is_changelog_tp(self, tp: TP) -> bool:
        return tp.topic.startswith("changelog.")

    def _to_message(self, tp: TP, record: ConsumerRecord) -> Any:
        return SimpleNamespace(tp=tp, value=None)

    async def _getmany(self, active_partitions: set[TP], timeout: float) -> dict[TP, list[ConsumerRecord]]:  # noqa: ASYNC109
        most = self.app.batch_limits.records_max * 2
        found = self.client.take(active_partitions, most)
        if not found:
            self.client.arrived.clear()
            try:
                async with asyncio.timeout(timeout):
                    await self.client.arrived.wait()
            except TimeoutError:
                pass
            found = self.client.take(active_partitions, most)
        return found

    def batches_of(self, tp: TP) -> list[RecordBatch]:
        """What has been delivered and is not done."""
        return list(self._progress[tp].delivered) if tp in self._progress else []
