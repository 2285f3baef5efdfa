"""`mindgap forget` on Apache Kafka: once the broker has compacted, not one byte of the customer is on compacted topics."""

import asyncio
from collections.abc import Iterator

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from agents.brokers import Cluster
from agents.connection import client_options
from agents.settings import Settings, settings_from
from agents.topic_admin import create_topics
from tests.commands.test_forget import COMPACTED, KIM, OF_KIM, Deployment
from tests.shell.conftest import eventually
from topics.table import TOPICS, physical

pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.timeout(300)]
COMPACTION_S = 120
AT_ONCE = {
    "cleanup.policy": "compact",
    "message.timestamp.type": "LogAppendTime",
    "segment.ms": "500",
    "max.compaction.lag.ms": "1000",
    "min.cleanable.dirty.ratio": "0.001",
    "delete.retention.ms": "100",
}
"""Compaction as soon as the broker can; in production the same takes days."""


@pytest.fixture
def deployment(kafka: Cluster, tmp_path) -> Iterator[Deployment]:
    """A worker on topics that are compacted soon."""
    settings = settings_from(kafka.environment(), topic_prefix="forgetting.", partitions=2, session_s=6.0)
    asyncio.run(_create(settings))
    made = Deployment(settings, tmp_path)
    yield made
    made.kill()


async def _create(settings: Settings) -> None:
    admin = AIOKafkaAdminClient(**client_options(settings))
    await admin.start()
    try:
        configs = {name: AT_ONCE | {"max.message.bytes": str(TOPICS[name].bytes_max)} for name in COMPACTED}
        new = [
            NewTopic(physical(settings.topic_prefix, name), settings.partitions, 1, topic_configs=configs[name])
            for name in COMPACTED
        ]
        response = await admin.create_topics(new)
        assert not any(error[1] for error in response.topic_errors), response
    finally:
        await admin.close()
    await create_topics(settings)


async def _begin_new_segments(settings: Settings) -> None:
    """What stands in the segment that is written to is not compacted: a record more begins another."""
    async with AIOKafkaProducer(**client_options(settings)) as producer:
        for topic in COMPACTED:
            name = physical(settings.topic_prefix, topic)
            for partition in range(settings.partitions):
                await producer.send_and_wait(name, None, key=b"nobody", partition=partition)


def test_after_compaction_nothing_of_the_customer_is_on_the_disk_of_a_compacted_topic(deployment: Deployment) -> None:
    """Every record that named it is gone, tombstones included, and a worker that recovers from what is left works on."""
    deployment.say("k1", "chat:kim1", email="kim@secret.example", customer_id="KimC1")
    deployment.say("k2", "chat:kim2", email="kim@secret.example", phone="+12125550142")
    deployment.say("b1", "chat:bob", email="bob@other.example")
    assert deployment.run("link", KIM, "handle:kimmy").exit_code == 0
    for thread in ("chat:kim1", "chat:kim2", "chat:bob"):
        deployment.breached(thread)
    done = deployment.run("forget", KIM, "--yes")
    assert done.exit_code == 0, done.output
    assert "compacted away within about 1 days" in done.stdout
    deployment.kill()

    def compacted() -> bool:
        asyncio.run(_begin_new_segments(deployment.settings))
        records = [record for topic in COMPACTED for record in deployment.records(topic)]
        return not any(trace in record.key + (record.value or b"") for record in records for trace in OF_KIM)

    eventually(compacted, COMPACTION_S, "compaction")
    deployment.start()
    deployment.say("b2", "chat:bob2", email="bob@other.example")
    deployment.breached("chat:bob2")
    assert b"chat:bob" in deployment.card("email:bob@other.example").stdout_bytes
    assert deployment.card(KIM).exit_code == 1
