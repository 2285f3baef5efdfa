"""A topic read from its beginning to its end as of now, outside any consumer group."""

import asyncio
from collections.abc import AsyncIterator

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from agents.connection import ANSWER_MS, client_options
from agents.ends import end_offsets
from agents.settings import Settings
from topics.table import TOPICS, physical

START_TIMEOUT_S = 20.0
STALL_TIMEOUT_S = 30.0
_POLL_MS = 500


class ReadError(RuntimeError):
    """A topic could not be read to its end; the message says which."""


async def read_all(settings: Settings, topic: str) -> AsyncIterator[ConsumerRecord]:
    """Every record that the topic (its logical name) holds now, each partition in order. Raises ReadError."""
    name = physical(settings.topic_prefix, topic)
    partitions = [TopicPartition(name, number) for number in range(TOPICS[topic].partitions(settings.partitions))]
    options = client_options(settings) | {"request_timeout_ms": ANSWER_MS}
    consumer = AIOKafkaConsumer(enable_auto_commit=False, auto_offset_reset="earliest", **options)
    try:
        try:
            await asyncio.wait_for(consumer.start(), START_TIMEOUT_S)
        except (KafkaError, OSError, TimeoutError) as problem:
            msg = f"no broker answers at {settings.broker} ({type(problem).__name__}): check MINDGAP_BROKER"
            raise ReadError(msg) from problem
        consumer.assign(partitions)
        begins = await consumer.beginning_offsets(partitions)
        ends = await end_offsets(client_options(settings), partitions)
        left = {partition for partition in partitions if ends[partition] > begins[partition]}
        await consumer.seek_to_beginning()
        waited = 0.0
        while left:
            batches = await consumer.getmany(timeout_ms=_POLL_MS)
            waited = 0.0 if batches else waited + _POLL_MS / 1000
            if waited > STALL_TIMEOUT_S:
                raise ReadError(f"topic {name} could not be read to its end: nothing for {STALL_TIMEOUT_S:.0f} s")
            for partition, records in batches.items():
                for record in records:
                    if record.offset < ends[partition]:
                        yield record
            left = {partition for partition in left if await consumer.position(partition) < ends[partition]}
    finally:
        await consumer.stop()
