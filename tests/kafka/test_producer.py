"""A worker's records on Apache Kafka: from an idempotent producer, compressed, as the broker's own files show."""

import asyncio

import pytest
from aiokafka.record import MemoryRecords

from agents.topic_admin import create_topics
from tests.shell.conftest import eventually
from tests.shell.traffic import assert_exact, event, outputs, send
from topics.table import physical

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(80)]


ZSTD = 4
"""Of the codecs that a batch may have: KIP-110."""


def batches(folder, topic: str) -> list[tuple[int, int]]:
    """Producer id and codec of every record batch in the topic's files."""
    found = []
    for file in sorted(folder.glob(f"{topic}-*/*.log")):
        records = MemoryRecords(file.read_bytes())
        while records.has_next():
            batch = records.next_batch()
            found.append((batch.producer_id, batch.compression_type))
    return found


def test_a_retry_of_the_client_cannot_write_twice(kafka, settings, start_worker):
    """State and outputs carry a producer id, so that the broker drops what the client sends again, and are compressed."""
    asyncio.run(create_topics(settings))
    worker = start_worker().wait_until_ready()
    send(settings, "interactions.email", [event(number, 10) for number in range(100)])
    eventually(lambda: len(outputs(settings)) == 100, 30, "all outputs sent")
    assert_exact(settings, range(100), 10)
    for topic in ("changelog.customers", "escalations"):
        written = batches(kafka.brokers[0].data, physical(settings.topic_prefix, topic))
        assert written, topic
        assert min(producer for producer, _ in written) >= 0, topic
        assert {codec for _, codec in written} == {ZSTD}, topic
    plain = batches(kafka.brokers[0].data, physical(settings.topic_prefix, "interactions.email"))
    assert set(plain) == {(-1, 0)}, "the test's own producer is neither: the reading works"
    assert worker.terminate() == 0
