"""Partitions read outside any consumer group: to their ends as of now, and on from there without a gap.

Each reading has a consumer of its own. One that is given other partitions and stopped soon after may hang for ever:
in aiokafka 0.14 the fetcher's task swallows a cancellation while it changes its assignment.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from agents.connection import client_options
from agents.ends import end_offsets
from agents.holes import Holes
from agents.read_all import ReadError
from agents.settings import Settings
from topics.table import DEAD_BYTES_MAX, TOPICS, physical

START_TIMEOUT_S = 20.0
STALL_TIMEOUT_S = 30.0
_POLL_MS = 200

Poll = Callable[[], Awaitable[list[ConsumerRecord]]]
"""The next records; none where nothing came for a moment."""


def partitions_of(settings: Settings, topic: str) -> list[TopicPartition]:
    """All partitions of a topic, by its logical name."""
    name = physical(settings.topic_prefix, topic)
    return [TopicPartition(name, number) for number in range(TOPICS[topic].partitions(settings.partitions))]


class Reader:
    """Reads, and remembers up to where. Raises KafkaError, OSError, TimeoutError."""

    def __init__(self, settings: Settings) -> None:
        self._options = client_options(settings)
        self._has_holes = settings.broker_kind == "embedded"
        self.places: dict[TopicPartition, int] = {}
        """The offset after what was read, by partition, of the last `to_ends`."""

    async def to_ends(self, starts: Mapping[TopicPartition, int | None]) -> AsyncGenerator[ConsumerRecord, None]:
        """What stands in each partition from its offset on (None: from the beginning), each in order.

        An offset that is not there, because the topic was made anew or cleaned up, counts as the beginning. What
        arrives meanwhile may come too. Raises ReadError where it does not go on.
        """
        async with self._consumer() as consumer:
            begins = await consumer.beginning_offsets(list(starts))
            ends = await end_offsets(self._options, starts)
            self.places = {}
            for partition, start in starts.items():
                there = start is not None and begins[partition] <= start <= ends[partition]
                self.places[partition] = start if start is not None and there else begins[partition]
            left = {partition for partition in starts if self.places[partition] < ends[partition]}
            poll = self._assigned(consumer, {partition: self.places[partition] for partition in left})
            waited = 0.0
            while left:
                records = await poll()
                waited = 0.0 if records else waited + _POLL_MS / 1000
                if waited > STALL_TIMEOUT_S:
                    names = ", ".join(sorted({partition.topic for partition in left}))
                    raise ReadError(f"{names} could not be read to the end: nothing for {STALL_TIMEOUT_S:.0f} s")
                for record in records:
                    yield record
                for partition in list(left):
                    self.places[partition] = await consumer.position(partition)
                    if self.places[partition] >= ends[partition]:
                        left.discard(partition)

    async def ends(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        """Where partitions end now."""
        return await end_offsets(self._options, partitions)

    @asynccontextmanager
    async def follow(self, places: Mapping[TopicPartition, int]) -> AsyncIterator[Poll]:
        """Within: a function that gives what comes to the partitions, from these offsets on."""
        async with self._consumer() as consumer:
            yield self._assigned(consumer, places)

    @asynccontextmanager
    async def _consumer(self) -> AsyncIterator[AIOKafkaConsumer]:
        consumer = AIOKafkaConsumer(
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            fetch_max_wait_ms=_POLL_MS,
            max_partition_fetch_bytes=DEAD_BYTES_MAX,
            **self._options,
        )
        try:
            await asyncio.wait_for(consumer.start(), START_TIMEOUT_S)
            yield consumer
        finally:
            await consumer.stop()

    def _assigned(self, consumer: AIOKafkaConsumer, places: Mapping[TopicPartition, int]) -> Poll:
        if places:
            consumer.assign(list(places))
            for partition, offset in places.items():
                consumer.seek(partition, offset)
        place, holes = dict(places), Holes()

        async def poll() -> list[ConsumerRecord]:
            found: list[ConsumerRecord] = []
            for partition, batch in (await consumer.getmany(timeout_ms=_POLL_MS)).items():
                whole, hole = holes.before(partition, place[partition], batch) if self._has_holes else (batch, None)
                if hole is not None:
                    consumer.seek(partition, hole)
                place[partition] = batch[-1].offset + 1 if hole is None else hole
                found += whole
            return found

        return poll
