"""The feed, against the embedded broker."""

import asyncio

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from agents.brokers import embedded_broker
from agents.demo.feed import Feed
from agents.demo.intake import Intake
from agents.demo.source import outgoing
from agents.settings import settings_from
from agents.topic_admin import create_topics
from schemas.times import DAY, SECOND, parse_time
from streams.simulate import simulate
from topics.partitioner import partition_of
from topics.table import INTERACTIONS

START = parse_time("2026-06-01T10:00:00Z")
PARTITIONS = 4


class Noted(Intake):
    """Remembers the positions."""

    def __init__(self):
        super().__init__()
        self.positions: list[int] = []

    def fed(self, position):
        self.positions.append(position)
        super().fed(position)


@pytest.fixture(scope="module")
def settings():
    with embedded_broker() as address:
        yield settings_from({}, broker=address, broker_kind="embedded", partitions=PARTITIONS)


async def test_everything_arrives_once_in_its_place_and_time_follows(settings):
    """Each line is at the broker once, on its key's partition, stamped with its arrival; time never overtakes it."""
    async with asyncio.timeout(60):
        await create_topics(settings)
        lines = list(simulate(5, START, DAY, 100))
        intake = Noted()
        feed = Feed(settings, lines, START, DAY / SECOND / 3, intake, lambda _: None)
        await feed.run(30)
        assert feed.events + feed.links == len(lines)
        assert intake.positions == sorted(intake.positions)
        assert len(intake.positions) > 20
        assert intake.positions[-1] >= lines[-1].at
        expected = sorted(
            (record.topic, partition_of(record.key, PARTITIONS), record.key, record.value, record.at)
            for record in map(outgoing, lines)
            if record.topic in INTERACTIONS
        )
        assert sorted(await _read(settings, len(expected))) == expected


async def test_it_ends_in_time_whatever_is_left(settings):
    """With more lines than time, it feeds what fits and ends."""
    lines = simulate(5, START, 10 * DAY, 50)
    feed = Feed(settings, lines, START, 3600, Intake(), lambda _: None)
    async with asyncio.timeout(20):
        await feed.run(1.0)
    assert START + 1800 * SECOND < feed.position < START + 2 * 3600 * SECOND


async def _read(settings, count: int) -> list[tuple]:
    consumer = AIOKafkaConsumer(bootstrap_servers=settings.broker, group_id=None, auto_offset_reset="earliest")
    await consumer.start()
    try:
        consumer.assign([TopicPartition(topic, number) for topic in INTERACTIONS for number in range(PARTITIONS)])
        found: list[tuple] = []
        while len(found) < count:
            for tp, records in (await consumer.getmany(timeout_ms=500)).items():
                found += [(tp.topic, tp.partition, record.key, record.value, record.timestamp) for record in records]
        return found
    finally:
        await consumer.stop()
