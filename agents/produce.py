"""A few records to the broker, all confirmed: what commands send."""

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

from aiokafka import AIOKafkaProducer
from aiokafka.structs import RecordMetadata

from agents.connection import client_options
from agents.settings import Settings
from topics.partitioner import partition_of
from topics.table import TOPICS, physical

TIMEOUT_S = 30.0
UNCONFIRMED_MAX = 5_000


class Record(NamedTuple):
    """A record for a topic, by its logical name; its partition follows from the key. `at` (ms): its timestamp."""

    topic: str
    key: bytes
    value: bytes
    at: int | None = None


async def produce(settings: Settings, records: Sequence[Record]) -> list[RecordMetadata]:
    """Send the records, in order; where each stands, when all are confirmed. Raises KafkaError or TimeoutError."""
    producer = AIOKafkaProducer(linger_ms=5, acks="all", **client_options(settings))
    waiting: list[asyncio.Future[RecordMetadata]] = []
    placed: list[RecordMetadata] = []

    async def confirmed() -> None:
        placed.extend(await asyncio.wait_for(asyncio.gather(*waiting), TIMEOUT_S))
        waiting.clear()

    try:
        await asyncio.wait_for(producer.start(), TIMEOUT_S)
        for record in records:
            name = physical(settings.topic_prefix, record.topic)
            partition = partition_of(record.key, TOPICS[record.topic].partitions(settings.partitions))
            sent = await producer.send(name, record.value, key=record.key, partition=partition, timestamp_ms=record.at)
            waiting.append(sent)
            if len(waiting) >= UNCONFIRMED_MAX:
                await confirmed()
        await confirmed()
    finally:
        await producer.stop()
    return placed
