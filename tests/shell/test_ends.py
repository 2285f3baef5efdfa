"""Where partitions end, on a broker whose own answer is short where the last batch holds many records."""

import asyncio

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from agents import ends
from agents.connection import client_options
from agents.ends import end_offsets, highwaters
from agents.settings import Settings
from agents.topic_admin import create_topics
from agents.verify.live import Backlog
from agents.worker.changelog import read_range
from tests.shell.conftest import eventually
from tests.shell.traffic import changes, produce, send, state
from topics.table import physical

pytestmark = pytest.mark.timeout(80)
CUSTOMERS = 400


async def fill(settings: Settings, topic: str, *batches: int) -> TopicPartition:
    """Write so many records in each batch to partition 0."""
    await create_topics(settings)
    tp = TopicPartition(physical(settings.topic_prefix, topic), 0)
    producer = AIOKafkaProducer(linger_ms=100, **client_options(settings))
    await producer.start()
    try:
        for number in batches:
            batch = producer.create_batch()
            for n in range(number):
                batch.append(key=b"k%d" % n, value=b"v", timestamp=None)
            await (await producer.send_batch(batch, tp.topic, partition=0))
    finally:
        await producer.stop()
    return tp


@pytest.mark.parametrize("batches", [(100,), (100, 50), (100, 50, 1), (100, 50, 1, 30), ()])
async def test_the_end_is_exact(settings, batches):
    """The end is the number of records, however many of them the last batch holds."""
    tp = await fill(settings, "escalations", *batches)
    other = TopicPartition(tp.topic, 1)
    assert await end_offsets(client_options(settings), [tp, other]) == {tp: sum(batches), other: 0}


@pytest.mark.parametrize("known", [0, 60, 180, 181])
async def test_the_end_is_exact_where_most_is_known(settings, known):
    """From wherever it is looked, in a batch, between two or at the end."""
    tp = await fill(settings, "escalations", 100, 50, 1, 30)
    other = TopicPartition(tp.topic, 1)
    assert await highwaters(client_options(settings), {tp: known, other: 0}) == {tp: 181, other: 0}


async def test_a_partition_that_does_not_answer_hides_no_other(settings, monkeypatch):
    """Where one has no leader, the ends of the others are told all the same, after a while."""
    monkeypatch.setattr(ends, "PATIENCE_S", 1.0)
    tp = await fill(settings, "escalations", 100, 30)
    found = await highwaters(client_options(settings), {tp: 100, TopicPartition(tp.topic, 99): 0})
    assert found == {tp: 130}


async def test_the_brokers_own_answer_is_not_asked_for_by_us(settings):
    """What aiokafka is told is at most the end: if it is always the end one day, `agents.ends` may go."""
    tp = await fill(settings, "escalations", 100, 30)
    consumer = AIOKafkaConsumer(**client_options(settings))
    await consumer.start()
    try:
        assert (await consumer.end_offsets([tp]))[tp] <= 130
    finally:
        await consumer.stop()


async def test_a_range_is_read_whole(settings):
    """Records from the middle of one batch to the middle of another, and no others."""
    tp = await fill(settings, "changelog.customers", 20, 30, 1)
    found = await read_range(client_options(settings), tp.topic, 0, 5, 45)
    assert [record.offset for record in found] == list(range(5, 45))


def test_recovery_reads_the_last_batch_whole(settings, start_worker):
    """A changelog whose last batch holds hundreds of customers is recovered to its last record after kill -9."""
    asyncio.run(create_topics(settings))
    first = start_worker().wait_until_ready()
    send(settings, "interactions.email", [_event(number, "a") for number in range(CUSTOMERS)])
    eventually(lambda: len(state(settings)) == CUSTOMERS, 20, "the events counted")
    eventually(lambda: asyncio.run(_backlog(settings)) == 0, 20, "everything committed: nothing is delivered again")
    first.kill()
    written = len(changes(settings))
    start_worker().wait_until_ready()
    asyncio.run(produce(settings, "interactions.chat", [_event(number, "b") for number in range(CUSTOMERS)]))
    eventually(lambda: len(changes(settings)) >= written + CUSTOMERS, 30, "the events after it counted")
    assert {len(ids) for ids in state(settings).values()} == {2}, "a customer was forgotten"


def _event(number: int, mark: str) -> tuple[bytes, bytes]:
    return b"c%d" % number, b'{"id":"%s-%d","customer":"c%d"}' % (mark.encode(), number, number)


async def _backlog(settings: Settings) -> int:
    async with Backlog(settings) as backlog:
        return await backlog.size()
