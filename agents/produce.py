"""A few records to the broker, all confirmed: what commands send."""

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

from aiokafka import AIOKafkaProducer

from agents.connection import client_options
from agents.settings import Settings
from topics.partitioner import partition_of
from topics.table import TOPICS, physical

TIMEOUT_S = 30.0
UNCONFIRMED_MAX = 5_000


class Record(NamedTuple):
    """A record for a topic, by its logical name; its partition follows from the key."""

    topic: str
    key: bytes
    value: bytes


async def produce(settings: Settings, records: Sequence[Record]) -> None:
    """Send the records, in order, and return when all are confirmed. Raises KafkaError or TimeoutError."""
    producer = AIOKafkaProducer(linger_ms=5, acks="all", **client_options(settings))
    await asyncio.wait_for(producer.start(), TIMEOUT_S)
    waiting: list[asyncio.Future[object]] = []
    try:
        for record in records:
            name = physical(settings.topic_prefix, record.topic)
            partition = partition_of(record.key, TOPICS[record.topic].partitions(settings.partitions))
            waiting.append(await producer.send(name, record.value, key=record.key, partition=partition))
            if len(waiting) >= UNCONFIRMED_MAX:
                await asyncio.wait_for(asyncio.gather(*waiting), TIMEOUT_S)
                waiting.clear()
        await asyncio.wait_for(asyncio.gather(*waiting), TIMEOUT_S)
    finally:
        await producer.stop()
