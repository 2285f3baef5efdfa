"""Send events and read topics whole, for the delivery tests."""

import asyncio
import json
import time
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition

from agents.connection import client_options
from agents.ends import end_offsets
from agents.settings import Settings
from agents.worker.terms import Reading
from topics.partitioner import partition_of
from topics.table import TOPICS, physical

LIMIT_S = 60
ANSWER_MS = 8_000
"""How long a reader waits for one broker before it looks for another: one of several may be stalled."""


def event(number: int, customers: int) -> tuple[bytes, bytes]:
    """Key and value of the event with this number; every seventh has the key of somebody else."""
    customer = f"customer-{number % customers}"
    key = f"customer-{(number + 1) % customers}" if number % 7 == 0 else customer
    return key.encode(), json.dumps({"id": f"event-{number}", "customer": customer}).encode()


async def produce(
    settings: Settings, topic: str, records: Sequence[tuple[bytes, bytes]], codec: str | None = None
) -> None:
    """Send records, confirmed, each to its key's partition. `codec`: how they are compressed."""
    producer = AIOKafkaProducer(
        bootstrap_servers=settings.broker, max_request_size=8 * 1024 * 1024, compression_type=codec
    )
    await producer.start()
    try:
        name = physical(settings.topic_prefix, topic)
        count = TOPICS[topic].partitions(settings.partitions)
        futures = [
            await producer.send(name, value, key=key, partition=partition_of(key, count)) for key, value in records
        ]
        await asyncio.gather(*futures)
    finally:
        await producer.stop()


def send(settings: Settings, topic: str, records: Sequence[tuple[bytes, bytes]]) -> None:
    """`produce`, for tests that are no coroutines."""
    asyncio.run(produce(settings, topic, records))


async def read(settings: Settings, topic: str) -> list[ConsumerRecord]:
    """All records of a topic as of now, by partition."""
    name = physical(settings.topic_prefix, topic)
    tps = [TopicPartition(name, number) for number in range(TOPICS[topic].partitions(settings.partitions))]
    options = client_options(settings)
    consumer = AIOKafkaConsumer(auto_offset_reset="earliest", request_timeout_ms=ANSWER_MS, **options)
    await consumer.start()
    try:
        consumer.assign(tps)
        ends = await end_offsets(options, tps)
        await consumer.seek_to_beginning(*tps)
        records: dict[TopicPartition, list[ConsumerRecord]] = {tp: [] for tp in tps}
        limit = time.monotonic() + LIMIT_S
        while any(len(records[tp]) < ends[tp] for tp in tps):
            there = {tp.partition: (len(records[tp]), ends[tp]) for tp in tps}
            assert time.monotonic() < limit, f"{topic} could not be read in {LIMIT_S} s: {there}"
            for tp, found in (await consumer.getmany(timeout_ms=200)).items():
                records[tp] += found
        return [record for tp in tps for record in records[tp]]
    finally:
        await consumer.stop()


def everything(settings: Settings, topic: str) -> list[ConsumerRecord]:
    """`read`, for tests that are no coroutines."""
    return asyncio.run(read(settings, topic))


def changes(settings: Settings) -> list[ConsumerRecord]:
    """The records of the customers' changelog that count, as recovery reads it."""
    readings: defaultdict[int, Reading] = defaultdict(Reading)
    return [r for r in everything(settings, "changelog.customers") if readings[r.partition].counts(r)]


def state(settings: Settings) -> dict[str, list[str]]:
    """The ids counted for each customer, from the newest record of each key in the changelog."""
    newest: dict[str, Any] = {}
    for record in changes(settings):
        key = record.key.decode()
        assert partition_of(record.key, settings.partitions) == record.partition, "state on a foreign partition"
        newest[key] = json.loads(record.value)
    return {customer: value["ids"] for customer, value in newest.items()}


def outputs(settings: Settings) -> dict[tuple[str, int], set[bytes]]:
    """Every content that was sent for each (customer, number)."""
    found: dict[tuple[str, int], set[bytes]] = {}
    for record in everything(settings, "escalations"):
        value = json.loads(record.value)
        found.setdefault((value["customer"], value["n"]), set()).add(record.value)
    return found


def assert_exact(settings: Settings, numbers: range, customers: int) -> None:
    """Every event counted once, every output there, and duplicates of an output identical."""
    counted = state(settings)
    expected: dict[str, set[str]] = {}
    for number in numbers:
        expected.setdefault(f"customer-{number % customers}", set()).add(f"event-{number}")
    assert {customer: set(ids) for customer, ids in counted.items()} == expected
    assert all(len(ids) == len(set(ids)) for ids in counted.values()), "an event was counted twice"
    sent = outputs(settings)
    assert set(sent) == {(customer, n) for customer, ids in counted.items() for n in range(1, len(ids) + 1)}
    assert all(len(contents) == 1 for contents in sent.values()), "one output, two contents"
