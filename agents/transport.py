"""A Faust transport that hands an agent one message per partition and fetch.

The message's value is a `RecordBatch`: the raw records of one partition, in order. Against Faust's own driver
(0.15.3, pinned) this changes seven things, each by overriding a method that `tests/shell/test_transport_contract.py`
watches:

- `Consumer._drain_messages`: batches instead of single messages, bounded in records and bytes. Source topics are
  not fetched while the group rebalances or tables recover, because Faust clears its queues at the end of both.
- `Consumer._new_offset`: what may be committed is counted in batches that somebody called done, in the order in
  which they were delivered, and never in arithmetic on offsets: compaction, transactions and retention leave gaps
  that mean nothing, and an acknowledgement by Faust (which an exception in an agent causes, too) means nothing here.
- `Consumer.perform_seek` and `on_partitions_revoked`: both forget what was delivered before. Nothing that was fetched
  during a seek is taken: Faust ends a rebalance that another one has overtaken, and then fetches while it seeks.
- `AIOKafkaConsumerThread._commit`, `Consumer._commit` and `_should_commit`: a commit that fails is tried again with
  the next one, where Faust ends the process.
- `AIOKafkaConsumerThread.on_start`: the time of the last successful heartbeat is kept, as a `Lease`; and a heartbeat
  that is not answered within the session has failed, where aiokafka waits on for a coordinator that stalls.
- `AIOKafkaConsumerThread.seek_to_committed`: where nothing is committed yet, that is the beginning. Left as it is, a
  partition of which something had been fetched when a rebalance began would go on after that, and lose it.
- `AIOKafkaConsumerThread._create_worker_consumer`: how long a fetch waits at the broker can be set; and how long an
  answer is waited for follows from the session (`patience`), in the producer too, whose wait Faust sets to 20 minutes.

Of what a broker with holes (`app.has_holes`, `agents.holes`) says, nothing is taken that comes after one.

Registered as the broker scheme `mindgap://`; `kafka://` stays Faust's own.
"""

import asyncio
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple, cast

from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError
from faust.transport.drivers import TRANSPORTS
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from agents import log
from agents.holes import Holes
from agents.lease import Lease
from agents.patience import patience, within

SCHEME = "mindgap"
_FETCH_TIMEOUT_S = 1.0
_EMPTY_SLEEP_S = 0.05
_ROOM_SLEEP_S = 0.005
_log = log.get("mindgap.transport")


@dataclass(slots=True, eq=False)
class RecordBatch:
    """Consecutive records of one partition. `done` once every effect of theirs is confirmed by the broker."""

    tp: TP
    records: Sequence[ConsumerRecord]
    generation: int
    done: bool = False

    @property
    def next_offset(self) -> int:
        """The offset after the last record."""
        return int(self.records[-1].offset) + 1


class BatchLimits(NamedTuple):
    """Bounds of one batch; a single record above `bytes_max` is a batch of its own."""

    records_max: int = 1_000
    bytes_max: int = 1024 * 1024


class Progress(NamedTuple):
    """How far a partition of a topic has been worked off."""

    drained: bool
    """Everything that the broker is known to hold is done."""
    oldest: int | None
    """Time (ms) of the oldest record that has been fetched and is not done."""
    lag: int
    """Records between what is done and the end of the partition."""


@dataclass(slots=True)
class _Partition:
    """What has been delivered of one partition since the last seek."""

    delivered: deque[RecordBatch] = field(default_factory=deque)
    done_to: int | None = None
    uncommitted: bool = False
    fetched_to: int | None = None
    highwater: int | None = None


def split(tp: TP, records: Sequence[ConsumerRecord], generation: int, limits: BatchLimits) -> Iterator[RecordBatch]:
    """The records as batches within the limits, in order."""
    start = size = 0
    for index, record in enumerate(records):
        bytes_ = len(record.value or b"") + len(record.key or b"")
        if index > start and (index - start >= limits.records_max or size + bytes_ > limits.bytes_max):
            yield RecordBatch(tp, records[start:index], generation)
            start, size = index, 0
        size += bytes_
    if start < len(records):
        yield RecordBatch(tp, records[start:], generation)


class ConsumerThread(driver.AIOKafkaConsumerThread):
    """Faust's consumer thread, which also knows when the group last heard of this process."""

    def __init__(self, consumer: "Consumer", **kwargs: Any) -> None:
        super().__init__(consumer, **kwargs)
        self.lease = Lease(self.app.conf.broker_session_timeout)

    async def on_start(self) -> None:
        """Start the consumer, and renew the lease with each heartbeat that the broker confirms in time."""
        await super().on_start()
        coordinator = self._ensure_consumer()._coordinator  # noqa: SLF001 - watched by the contract test
        heartbeat = within(self.lease.timeout_s, coordinator._do_heartbeat)  # noqa: SLF001 - likewise
        coordinator._do_heartbeat = self.lease.renewed_by(heartbeat)  # noqa: SLF001 - likewise

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Seek to what is committed, and where nothing is, to the beginning; what was fetched before comes again."""
        found: Mapping[TP, int] = await self.call_thread(self._seek_to_committed)
        return found

    async def _seek_to_committed(self) -> Mapping[TP, int]:
        consumer = self._ensure_consumer()
        committed: Mapping[TP, int] = await consumer.seek_to_committed()
        sources = (tp for tp in committed if not self.consumer._is_changelog_tp(tp))  # noqa: SLF001 - likewise
        passed_over = [tp for tp in sources if not committed[tp]]  # aiokafka leaves them where they are
        if passed_over:
            await consumer.seek_to_beginning(*passed_over)
        return committed

    def _create_worker_consumer(self, transport: Any) -> Any:
        """Make the consumer; Faust has every fetch wait for 1.5 s where nothing is there."""
        consumer = super()._create_worker_consumer(transport)
        patient = patience(self.app.conf.broker_session_timeout)
        consumer._rebalance_timeout_ms = patient.rebalance_ms  # noqa: SLF001 - watched by the contract test
        consumer._request_timeout_ms = patient.answer_ms  # noqa: SLF001 - likewise
        consumer._client._request_timeout_ms = patient.answer_ms  # noqa: SLF001 - likewise
        wait_ms: int | None = getattr(self.app, "fetch_wait_ms", None)
        if wait_ms is not None:
            consumer._fetch_max_wait_ms = wait_ms  # noqa: SLF001 - likewise
        return consumer

    async def _highwaters(self, partitions: list[TP]) -> Mapping[TP, int]:
        ends = await super()._highwaters(partitions)
        confirm: Callable[..., Any] | None = getattr(self.app, "confirm_ends", None)
        if confirm is None:
            return ends
        found = await confirm(TopicPartition(tp.topic, tp.partition) for tp in partitions)
        return {tp: found[TopicPartition(tp.topic, tp.partition)] for tp in partitions}

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        """Commit; False where the broker did not take it. Faust would end the process: here it is tried again."""
        assigned = self.assignment()
        mine = {TopicPartition(tp.topic, tp.partition): offset for tp, offset in offsets.items() if tp in assigned}
        try:
            await self._ensure_consumer().commit(mine)
        except (KafkaError, OSError) as problem:
            _log.warning("commit_failed", partitions=len(mine), error=type(problem).__name__)
            return False
        self.tp_last_committed_at.update(dict.fromkeys(offsets, time.monotonic()))
        return True

    async def read_anew(self, topics: Sequence[str]) -> bool:
        """Join the group anew if all of the topics are there; False where one is not. Raises KafkaError."""
        return bool(await self.call_thread(self._read_anew, topics))

    async def _read_anew(self, topics: Sequence[str]) -> bool:
        consumer = self._ensure_consumer()
        await consumer._client.force_metadata_update()  # noqa: SLF001 - watched by the contract test
        if not all(consumer.partitions_for_topic(topic) for topic in topics):
            return False
        consumer._coordinator.request_rejoin()  # noqa: SLF001 - likewise
        return True

    async def go_back(self, offsets: Mapping[TP, int]) -> None:
        """Fetch from these offsets on. Raises KafkaError for a partition that is not ours any more."""
        await self.call_thread(self._go_back, offsets)

    async def _go_back(self, offsets: Mapping[TP, int]) -> None:
        for tp, offset in offsets.items():
            self._ensure_consumer().seek(TopicPartition(tp.topic, tp.partition), offset)

    def offsets(self, tps: Iterable[TP]) -> dict[TP, tuple[int | None, int | None]]:
        """Position (next offset to be fetched) and end of each partition that is assigned, None where unknown."""
        consumer = self._consumer
        subscription = consumer._subscription.subscription if consumer else None  # noqa: SLF001 - likewise
        assignment = subscription.assignment if subscription else None
        if assignment is None:
            return {}
        found = {}
        for tp in tps:
            key = TopicPartition(tp.topic, tp.partition)
            if key in assignment.tps:
                state = assignment.state_value(key)
                found[tp] = (state.position if state.has_valid_position else None, state.highwater)
        return found


class Consumer(driver.Consumer):
    """Faust's consumer, in batches."""

    _thread: ConsumerThread

    _seeks = 0
    """How many were begun, and how many of them are under way (`_seeking`)."""
    _seeking = 0
    _seek_owed = False
    """What was fetched last has been dropped, and nobody has gone back before it yet."""
    assigned_in = 0
    """Which of the app's rebalances (`rebalancing_count`) gave this process the partitions that it has."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._progress: defaultdict[TP, _Partition] = defaultdict(_Partition)
        self._holes = Holes()
        super().__init__(*args, **kwargs)

    def _new_consumer_thread(self) -> ConsumerThread:
        return ConsumerThread(self, loop=self.loop, beacon=self.beacon)

    @property
    def lease(self) -> Lease:
        """How long ago the group's coordinator confirmed that this process is a member."""
        return self._thread.lease

    async def read_anew(self, topics: Sequence[str]) -> bool:
        """Have partitions shared out anew if all of the topics are there; False where one is not. Raises KafkaError."""
        return await self._thread.read_anew(topics)

    def mark_done(self, batch: RecordBatch) -> None:
        """Every effect of the batch is confirmed: its offsets may be committed once those before it may.

        A batch that was delivered before the last seek or rebalance changes nothing.
        """
        batch.done = True
        partition = self._progress.get(batch.tp)
        if partition is None:
            return
        while partition.delivered and partition.delivered[0].done:
            partition.done_to = partition.delivered.popleft().next_offset
            partition.uncommitted = True

    def progress(self, tp: TP, taken: int = 0) -> Progress:
        """How far the partition has been worked off, as of the last fetch; its oldest `taken` batches count as done."""
        partition = self._progress.get(tp)
        if partition is None or partition.highwater is None or partition.fetched_to is None:
            return Progress(drained=False, oldest=None, lag=0)
        if len(partition.delivered) > taken:
            first = partition.delivered[taken].records[0]
            return Progress(drained=False, oldest=first.timestamp, lag=max(0, partition.highwater - first.offset))
        lag = max(0, partition.highwater - partition.fetched_to)
        return Progress(drained=lag == 0, oldest=None, lag=lag)

    async def perform_seek(self) -> None:
        """Go back to what is committed; what was delivered since then will be delivered again."""
        self._seeks += 1
        self._seeking += 1
        try:
            self._forget(tuple(self._progress))
            await super().perform_seek()
        finally:
            self._seeking -= 1

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Forget the partitions, then do as Faust does."""
        self._forget(revoked)
        await super().on_partitions_revoked(revoked)

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        """Note in which rebalance that was, then do as Faust does."""
        self.assigned_in = self.app.rebalancing_count
        await super().on_partitions_assigned(assigned, generation_id)

    def verify_event_path(self, now: float, tp: TP) -> None:
        """Nothing. Faust's own only logs, and asserts a position that a seek leaves unknown: the worker would end.

        What stands still is told by `Partitions.stalled`.
        """

    def _forget(self, tps: Iterable[TP]) -> None:
        for tp in tps:
            self._progress.pop(tp, None)
            self._acked.pop(tp, None)
            self._acked_index.pop(tp, None)

    def _filter_tps_with_pending_acks(self, topics: Any = None) -> Iterator[TP]:
        return (
            tp
            for tp, partition in list(self._progress.items())
            if partition.uncommitted and (topics is None or tp in topics or tp.topic in topics)
        )

    def _new_offset(self, tp: TP) -> int | None:
        self._acked.pop(tp, None)  # Faust's own bookkeeping, which nothing here reads, would grow for ever
        self._acked_index.pop(tp, None)
        partition = self._progress.get(tp)
        if partition is None or not partition.uncommitted:
            return None
        partition.uncommitted = False
        return partition.done_to

    def _should_commit(self, tp: TP, offset: int) -> bool:  # noqa: ARG002 - Faust's signature
        return True  # `_new_offset` gives an offset only where there is something new, or something that failed

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        offsets = {tp: offset for tp, offset in offsets.items() if self._is_done_to(tp, offset)}
        committed = bool(offsets and await super()._commit(offsets))
        if not committed:
            for tp in offsets:
                if tp in self._progress:
                    self._progress[tp].uncommitted = True
        return committed

    def _is_done_to(self, tp: TP, offset: int) -> bool:
        """False where the partition was taken away since the offset was looked up: others may be further by now."""
        partition = self._progress.get(tp)
        return partition is not None and partition.done_to is not None and partition.done_to >= offset

    async def _drain_messages(self, fetcher: Any) -> None:
        """Fetch and deliver until the consumer or the fetcher is stopped."""
        try:
            while not (self._stopped.is_set() or fetcher.should_stop or self.should_stop):
                await self.sleep(0)
                records = await self._fetch()
                if records is not None:
                    await self._deliver(self._accept(records))
        except self.consumer_stopped_errors:
            if not self.transport.app.should_stop:
                raise
        except asyncio.CancelledError:
            if not self.transport.app.should_stop:
                raise

    async def _fetch(self) -> Mapping[TP, Sequence[ConsumerRecord]] | None:
        """What the broker has; None where nothing may be taken now."""
        if not self.flow_active:
            await self.wait(self.can_resume_flow.wait())
        active = set(self._get_active_partitions())
        if self.app.rebalancing:
            active = {tp for tp in active if self._is_changelog_tp(tp)}
        if not active or self.should_stop or self._seeking:
            await self.sleep(_EMPTY_SLEEP_S)
            return None
        if self._seek_owed and not await self._seek_again():
            return None
        generation, seeks = self.app.consumer_generation_id, self._seeks
        places = self._places(active)
        records: Mapping[TP, Sequence[ConsumerRecord]] | None
        records = await self._getmany(active_partitions=active, timeout=_FETCH_TIMEOUT_S)
        if records and places:
            records = await self._before_holes(records, places)
        if (
            self._seeks != seeks
        ):  # nobody can tell whether these come from before the seek or after it: go back once more
            self._seek_owed = True
            if not await self._seek_again():
                return None
            records = {tp: found for tp, found in (records or {}).items() if self._is_changelog_tp(tp)}
        if not self.flow_active or self.app.consumer_generation_id != generation:
            return None  # a seek to what is committed, or to the changelog's start, comes before the next fetch
        return records or {}

    def _places(self, active: Iterable[TP]) -> dict[TP, int]:
        """Where the next fetch of what may have holes begins; a changelog has one writer, and so has none."""
        if not getattr(self.app, "has_holes", False):
            return {}
        found = self._thread.offsets(tp for tp in active if not self._is_changelog_tp(tp))
        return {tp: position for tp, (position, _) in found.items() if position is not None}

    async def _before_holes(
        self, fetched: Mapping[TP, Sequence[ConsumerRecord]], places: Mapping[TP, int]
    ) -> dict[TP, Sequence[ConsumerRecord]]:
        """What was fetched from `places` on, up to the first hole in each partition, where fetching goes on."""
        found = dict(fetched)
        back: dict[TP, int] = {}
        for tp in fetched.keys() & places.keys():
            found[tp], hole = self._holes.before(TopicPartition(tp.topic, tp.partition), places[tp], fetched[tp])
            if hole is not None:
                back[tp] = hole
        if back:
            try:
                await self._thread.go_back(back)
            except (KafkaError, AssertionError) as problem:  # partitions are taken away: not one more record is taken
                _log.warning("seek_failed", error=type(problem).__name__)
                self._seek_owed = True
                return {}
            if not any(found.values()):
                await self.sleep(_EMPTY_SLEEP_S)
        return found

    async def _seek_again(self) -> bool:
        """Go back once more; False where that failed: partitions are taken away while one seeks, say."""
        try:
            await self.perform_seek()
        except (KafkaError, AssertionError) as problem:  # AssertionError: no partitions are assigned just now
            _log.warning("seek_failed", error=type(problem).__name__)
            await self.sleep(_FETCH_TIMEOUT_S)
            return False
        self._seek_owed = False
        return True

    def _accept(self, fetched: Mapping[TP, Sequence[ConsumerRecord]]) -> list[RecordBatch]:
        """Register all that was fetched, before anything is awaited: from here on none of it can be overlooked."""
        limits: BatchLimits = getattr(self.app, "batch_limits", BatchLimits())
        batches: list[RecordBatch] = []
        for tp, records in fetched.items():
            if records:
                found = list(split(tp, records, self.app.consumer_generation_id, limits))
                batches += found
                self._read_offset[tp] = records[-1].offset + 1
                if not self._is_changelog_tp(tp):
                    self._progress[tp].delivered.extend(found)
        source = [tp for tp in self.assignment() if not self._is_changelog_tp(tp)]
        for tp, (position, highwater) in self._thread.offsets(source).items():
            self._progress[tp].fetched_to, self._progress[tp].highwater = position, highwater
        return batches

    async def _deliver(self, batches: Iterable[RecordBatch]) -> None:
        for batch in batches:
            if not self.flow_active or self.app.consumer_generation_id != batch.generation:
                return  # a seek follows, and all of this comes again
            if self._is_changelog_tp(batch.tp):
                if batch.tp not in self._get_active_partitions():
                    continue  # recovery has ended: what is in memory is newer
                if not await self._has_room(batch):
                    return
            await self._hand_over(batch)

    async def _has_room(self, batch: RecordBatch) -> bool:
        """Wait until recovery can take the batch; False where a rebalance has come between: all of it comes again.

        Faust would wait with the batch in hand, and put it into the queue of the next recovery, behind the first that
        this one reads anew. What lies between the two would then count as read, and be lost.
        """
        queue = cast("Any", self.app.tables).changelog_queue
        while self.flow_active and self.app.consumer_generation_id == batch.generation:
            if not queue.full():
                return True
            await self.sleep(_ROOM_SLEEP_S)
        return False

    async def _hand_over(self, batch: RecordBatch) -> None:
        message = self._to_message(batch.tp, batch.records[-1])
        message.value = cast("Any", batch)
        await self.wait_first(self.callback(message), self.suspend_flow.wait())


class Producer(driver.Producer):
    """Faust's producer; idempotent where the broker can be (`app.idempotent_producer`)."""

    def _settings_extra(self) -> Mapping[str, Any]:
        answer_ms = patience(self.app.conf.broker_session_timeout).answer_ms
        extra = {"acks": "all", "request_timeout_ms": answer_ms, **super()._settings_extra()}
        if getattr(self.app, "idempotent_producer", False):
            extra["enable_idempotence"] = True
        return extra

    async def enqueue(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        *,
        partition: int | None,
        timestamp_ms: int,
        headers: Sequence[tuple[str, bytes]] = (),
    ) -> "asyncio.Future[Any]":
        """Put a record into the producer's buffer; the future that is returned is done once it is confirmed."""
        sent: asyncio.Future[Any] = await self._ensure_producer().send(
            topic, value, key=key, partition=partition, timestamp_ms=timestamp_ms, headers=list(headers)
        )
        return sent


class Transport(driver.Transport):
    """The batching transport."""

    Consumer: ClassVar[type[Consumer]] = Consumer
    Producer: ClassVar[type[Producer]] = Producer


def register() -> None:
    """Make `mindgap://host:port` a broker address that Faust understands."""
    TRANSPORTS.aliases[SCHEME] = f"{__name__}:{Transport.__name__}"


__all__ = ["BatchLimits", "Consumer", "Producer", "Progress", "RecordBatch", "Transport", "register"]
