"""The follower: reads the compacted topics and keeps the read model up to them.

It belongs to no consumer group. Where it has read up to stands in Redis, in the transaction that wrote what it
read; so a Redis that was wiped is filled again from the beginning, and one that was away goes on where it was.
The processor knows nothing of it.
"""

import asyncio
from collections.abc import Iterable

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError
from redis.exceptions import RedisError

from agents import log
from agents.connection import client_options
from agents.ends import end_offsets
from agents.read_model.model import Change, ReadModel, identity_changes
from agents.settings import Settings
from topics.table import CHANGELOGS, CURRENT, physical

BATCH_MAX = 500
_POLL_MS = 500
_BACKOFF_S = (0.5, 30.0)
_log = log.get("mindgap.read_model")


class Follower:
    """Follows Kafka into one read model, until it is cancelled."""

    def __init__(self, settings: Settings, model: ReadModel) -> None:
        self._settings = settings
        self._model = model
        self._current = physical(settings.topic_prefix, CURRENT)
        self._identities = physical(settings.topic_prefix, CHANGELOGS["identities"])
        self._standing: set[str] = set()
        """Of which partitions the model remembers how far it has come."""

    async def rebuild(self) -> int:
        """Empty the model and fill it with all that the topics hold now; how many records were read."""
        removed = await self._model.clear()
        _log.info("read_model_cleared", keys=removed)
        async with _Consumer(self._settings) as consumer:
            ends = await self._assign(consumer)
            read = 0
            while any([await consumer.position(p) < end for p, end in ends.items()]):
                read += await self._step(consumer)
        _log.info("read_model_rebuilt", records=read)
        return read

    async def follow(self) -> None:
        """Keep the model up to date; a Kafka or a Redis that is away is waited for."""
        wait = _BACKOFF_S[0]
        while True:
            try:
                async with _Consumer(self._settings) as consumer:
                    await self._assign(consumer)
                    _log.info("read_model_following")
                    while True:
                        if not await self._step(consumer):
                            await self._check_not_wiped()
                        wait = _BACKOFF_S[0]
            except (KafkaError, RedisError, OSError) as problem:
                _log.warning("read_model_behind", error=type(problem).__name__, retry_s=wait)
                await asyncio.sleep(wait)
                wait = min(wait * 2, _BACKOFF_S[1])

    async def _check_not_wiped(self) -> None:
        """A Redis that lost its offsets lost the model too: start over, as a new connection does."""
        if len(await self._model.offsets()) < len(self._standing):
            raise RedisError("the read model was wiped")

    async def _assign(self, consumer: AIOKafkaConsumer) -> dict[TopicPartition, int]:
        """Take all partitions, each from where the model stands; their ends as of now."""
        partitions = [
            TopicPartition(topic, number)
            for topic in (self._current, self._identities)
            for number in range(self._settings.partitions)
        ]
        consumer.assign(partitions)
        offsets = await self._model.offsets()
        self._standing = set(offsets)
        begins = await consumer.beginning_offsets(partitions)
        ends = await end_offsets(client_options(self._settings), partitions)
        for partition in partitions:
            offset = offsets.get(f"{partition.topic}:{partition.partition}", begins[partition])
            # the topic was made anew, or cleaned up past where we stood
            outside = not begins[partition] <= offset <= ends[partition]
            consumer.seek(partition, begins[partition] if outside else offset)
        return {partition: end for partition, end in ends.items() if end > begins[partition]}

    async def _step(self, consumer: AIOKafkaConsumer) -> int:
        batches = await consumer.getmany(timeout_ms=_POLL_MS, max_records=BATCH_MAX)
        records = [record for batch in batches.values() for record in batch]
        if not records:
            return 0
        offsets = {f"{p.topic}:{p.partition}": batch[-1].offset + 1 for p, batch in batches.items() if batch}
        await self._model.take(
            _escalations(record for record in records if record.topic == self._current),
            identity_changes((r.key, r.value) for r in records if r.topic == self._identities and r.key is not None),
            offsets,
            len(self._standing),
        )
        self._standing |= offsets.keys()
        return len(records)


class _Consumer:
    """An aiokafka consumer of no group, started and stopped."""

    def __init__(self, settings: Settings) -> None:
        self._options = client_options(settings)

    async def __aenter__(self) -> AIOKafkaConsumer:
        self._consumer = AIOKafkaConsumer(**self._options, enable_auto_commit=False, auto_offset_reset="earliest")
        try:
            await self._consumer.start()
        except BaseException:
            await self._consumer.stop()
            raise
        return self._consumer

    async def __aexit__(self, *_: object) -> None:
        await self._consumer.stop()


def _escalations(records: Iterable[ConsumerRecord]) -> list[Change]:
    return [Change(record.key.decode(), record.value) for record in records if record.key is not None]
