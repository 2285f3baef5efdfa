"""A worker's records on Apache Kafka: from an idempotent producer, as the broker's own files show."""

import asyncio

import pytest
from aiokafka.record import MemoryRecords

from agents.topic_admin import create_topics
from tests.shell.conftest import eventually
from tests.shell.traffic import assert_exact, event, outputs, send
from topics.table import physical

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(80)]


def batches(folder, topic: str) -> list[tuple[int, int]]:
    """Producer id and first sequence number of every record batch in the topic's files."""
    found = []
    for file in sorted(folder.glob(f"{topic}-*/*.log")):
        records = MemoryRecords(file.read_bytes())
        while records.has_next():
            batch = records.next_batch()
            found.append((batch.producer_id, batch.base_sequence if hasattr(batch, "base_sequence") else 0))
    return found


def test_a_retry_of_the_client_cannot_write_twice(kafka, settings, start_worker):
    """State and outputs carry a producer id, so that the broker drops what the client sends again; ours do not lack it."""
    asyncio.run(create_topics(settings))
    worker = start_worker().wait_until_ready()
    send(settings, "interactions.email", [event(number, 10) for number in range(100)])
    eventually(lambda: len(outputs(settings)) == 100, 30, "all outputs sent")
    assert_exact(settings, range(100), 10)
    for topic in ("changelog.customers", "escalations"):
        ids = {producer for producer, _ in batches(kafka.brokers[0].data, physical(settings.topic_prefix, topic))}
        assert ids, topic
        assert min(ids) >= 0, topic
    plain = batches(kafka.brokers[0].data, physical(settings.topic_prefix, "interactions.email"))
    assert {producer for producer, _ in plain} == {-1}, "the test's own producer is not idempotent: the reading works"
    assert worker.terminate() == 0
