"""Topics on Apache Kafka: what is created is what was asked for, and what somebody else made otherwise is found."""

import time

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from agents.connection import client_options
from agents.settings import Settings
from agents.topic_admin import check_topics, create_topics
from schemas.times import DAY
from tests.shell.traffic import produce, read
from topics.table import (
    CHANGELOGS,
    CURRENT,
    INPUT_BYTES_MAX,
    SEGMENT_BYTES,
    STATE_COMPACTED_AFTER,
    TOPICS,
    physical,
)

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(100)]


async def make(settings: Settings, name: str, partitions: int, **configs: str) -> None:
    """Create a topic as somebody else would."""
    admin = AIOKafkaAdminClient(**client_options(settings))
    await admin.start()
    try:
        configs = {key.replace("_", "."): value for key, value in configs.items()}
        await admin.create_topics(
            [NewTopic(physical(settings.topic_prefix, name), partitions, 1, topic_configs=configs)]
        )
    finally:
        await admin.close()


async def test_topics_are_there_as_soon_as_they_are_created(settings):
    """The check that follows at once finds all of them, five times in a row."""
    for number in range(5):
        now = settings.model_copy(update={"topic_prefix": f"{settings.topic_prefix}{number}."})
        assert len(await create_topics(now)) == len(TOPICS)
        assert await check_topics(now) == ([], [])


async def described(settings: Settings, topic: str) -> dict[str, str]:
    """How a topic is configured at the broker."""
    admin = AIOKafkaAdminClient(**client_options(settings))
    await admin.start()
    try:
        name = physical(settings.topic_prefix, topic)
        (answer,) = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name)])
    finally:
        await admin.close()
    return {entry[0]: entry[1] for entry in answer.resources[0][4]}


async def test_what_was_erased_is_compacted_away_in_a_week(settings):
    """A compacted topic that is hardly written to does not keep for ever what was erased."""
    await create_topics(settings)
    found = await described(settings, CURRENT)
    assert (found["cleanup.policy"], found["max.compaction.lag.ms"]) == ("compact", str(7 * DAY))
    assert (found["segment.ms"], found["segment.bytes"]) == (str(DAY), str(SEGMENT_BYTES))
    assert found["min.compaction.lag.ms"] == "0"


async def test_state_is_not_compacted_at_once(settings):
    """What an owner that overslept has written does not take its successor's state away before that mends it."""
    await create_topics(settings)
    for table in CHANGELOGS.values():
        found = await described(settings, table)
        assert (found["cleanup.policy"], found["min.compaction.lag.ms"]) == ("compact", str(STATE_COMPACTED_AFTER))


async def test_arrival_is_the_brokers_word(settings):
    """A producer that says 1970 or 2100 is not believed: arrival is when the record was appended."""
    await create_topics(settings)
    producer = AIOKafkaProducer(**client_options(settings))
    await producer.start()
    began = int(time.time() * 1000)
    try:
        for timestamp in (1, 4_102_444_800_000):
            await producer.send_and_wait(
                physical(settings.topic_prefix, "interactions.chat"),
                b"v",
                key=b"k",
                partition=0,
                timestamp_ms=timestamp,
            )
    finally:
        await producer.stop()
    found = await read(settings, "interactions.chat")
    assert [record.timestamp_type for record in found] == [1, 1]
    assert all(began - 1_000 <= record.timestamp <= time.time() * 1000 + 1_000 for record in found)


async def test_records_up_to_the_limit_of_the_table_are_taken(settings):
    """The topics take records larger than Kafka's own default of a megabyte."""
    await create_topics(settings)
    await produce(settings, "interactions.chat", [(b"k", b"v" * (INPUT_BYTES_MAX - 1_000))])
    assert len(await read(settings, "interactions.chat")) == 1


@pytest.mark.parametrize(
    ("name", "partitions", "configs", "said"),
    [
        ("interactions.chat", 3, {}, "has 3 partitions, 2 are expected"),
        ("changelog.customers", 2, {"cleanup_policy": "delete"}, "cleanup.policy=delete, compact is expected"),
        ("interactions.chat", 2, {"message_timestamp_type": "CreateTime"}, "LogAppendTime is expected"),
        ("changelog.customers", 2, {"max_message_bytes": "1000"}, "max.message.bytes=1000, 2097152 is expected"),
    ],
)
async def test_what_somebody_else_made_otherwise_is_found(settings, name, partitions, configs, said):
    """Each would lose something later: wrong partitions, state that is deleted, times of producers, records refused."""
    await make(settings, name, partitions, **configs)
    await create_topics(settings)
    problems, _ = await check_topics(settings)
    assert any(said in problem for problem in problems if physical(settings.topic_prefix, name) in problem), problems


async def test_a_compacted_topic_with_kafkas_own_segments_is_remarked_on(settings):
    """It stops nobody: the one sentence names what differs, and the command after which nothing does."""
    await make(settings, CURRENT, 2, cleanup_policy="compact", message_timestamp_type="LogAppendTime")
    await create_topics(settings)
    problems, (remark,) = await check_topics(settings)
    assert problems == []
    name = physical(settings.topic_prefix, CURRENT)
    changes = f"max.compaction.lag.ms={7 * DAY},segment.ms={DAY},segment.bytes={SEGMENT_BYTES}"
    assert remark.endswith(f"kafka-configs --alter --topic {name} --add-config {changes}")
    assert "segment.bytes=1073741824" in remark


def test_a_worker_does_not_start_on_the_wrong_number_of_partitions(settings, start_worker):
    """It ends at once and says what to do."""
    import asyncio

    asyncio.run(make(settings, "interactions.chat", 3))
    asyncio.run(create_topics(settings))
    worker = start_worker()
    assert worker.process.wait(30) != 0
    assert "set MINDGAP_PARTITIONS" in worker.log.read_text()
