"""A broker that shows a record before the one before it: nothing that comes after a hole is taken."""

import asyncio
from types import SimpleNamespace

import pytest
from aiokafka import AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.errors import IllegalStateError
from faust.types import TP
from hypothesis import given
from hypothesis import strategies as st

from agents.brokers import embedded_broker
from agents.clock import WallClock
from agents.connection import client_options
from agents.holes import PATIENCE_S, Holes
from agents.reader import Reader, partitions_of
from agents.settings import settings_from
from agents.topic_admin import create_topics
from agents.transport import Consumer
from agents.worker.app import make_app
from tests.shell.counter import CounterKit
from topics.table import CUSTOMER_INBOX, physical

HERE = TopicPartition("customer-inbox", 0)
RECORDS = 3_000
"""By each of the producers."""


def records(*offsets: int) -> list[ConsumerRecord]:
    return [ConsumerRecord(HERE.topic, 0, offset, 0, 0, b"", b"", None, 0, 0, ()) for offset in offsets]


def offsets(some) -> list[int]:
    return [record.offset for record in some]


class Seconds:
    """A clock that is set."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_nothing_after_a_hole_is_taken():
    """All up to the first hole, be it before the first record or between two."""
    holes = Holes()
    assert offsets(holes.before(HERE, 5, records(5, 6, 7))) == [5, 6, 7]
    assert offsets(holes.before(HERE, 5, records(5, 7, 9))) == [5]
    assert offsets(holes.before(HERE, 5, records(6, 7))) == []
    assert offsets(holes.before(HERE, 5, [])) == []


def test_a_hole_that_stays_is_no_hole():
    """What is missing for long has been deleted: reading goes on after it, up to the next one."""
    seconds = Seconds()
    holes = Holes(seconds=seconds)
    assert offsets(holes.before(HERE, 0, records(0, 2, 4))) == [0]
    seconds.now = PATIENCE_S - 0.1
    assert offsets(holes.before(HERE, 1, records(2, 4))) == []
    seconds.now = PATIENCE_S
    assert offsets(holes.before(HERE, 1, records(2, 4))) == [2], "the next one has been seen for a moment only"
    seconds.now = 2 * PATIENCE_S
    assert offsets(holes.before(HERE, 3, records(4))) == [4]


@given(st.lists(st.booleans(), min_size=1, max_size=30), st.randoms(use_true_random=False))
def test_whatever_is_shown_when_every_record_is_read_once(shown, random):
    """Records that become visible in any order are all read, in the order of their offsets, none twice."""
    visible, read, place, holes = set(), [], 0, Holes()
    hidden = list(range(len(shown)))
    random.shuffle(hidden)
    while hidden or place < len(shown):
        if hidden:
            visible.add(hidden.pop())
        found = holes.before(HERE, place, records(*sorted(offset for offset in visible if offset >= place)))
        read += offsets(found)
        place = read[-1] + 1 if read else 0
    assert read == list(range(len(shown)))


@pytest.fixture
async def consumer() -> Consumer:
    app = make_app(settings_from({}, web_enabled=False, broker_kind="embedded"), WallClock(), CounterKit())
    found = app.consumer
    found.flow_active, found._active_partitions = True, {TP(*HERE)}
    return found


async def test_the_worker_goes_back_to_the_hole(consumer):
    """A fetch gives what comes before the hole; the next one begins there."""
    sought: list[dict[TP, int]] = []
    answers = [records(0, 1, 4), records(4), records(2, 3, 4)]

    async def getmany(active_partitions, timeout):  # noqa: ASYNC109
        return {TP(*HERE): answers.pop(0)}

    async def go_back(places):
        sought.append(places)

    consumer._getmany = getmany
    consumer._thread = SimpleNamespace(
        offsets=lambda tps: {TP(*HERE): (2, 5)}, assignment=lambda: {TP(*HERE)}, go_back=go_back
    )
    read = []
    for _ in range(3):
        fetched = await consumer._fetch()
        consumer._accept(fetched)
        read += offsets(fetched[TP(*HERE)])
    assert read == [0, 1, 2, 3, 4]
    assert sought == [{TP(*HERE): 2}, {TP(*HERE): 2}]


async def test_where_it_cannot_go_back_it_begins_at_what_is_committed(consumer):
    """A partition that is being taken away cannot be sought in: what was fetched is dropped, and a seek is owed."""

    async def getmany(active_partitions, timeout):  # noqa: ASYNC109
        return {TP(*HERE): records(1)}

    async def go_back(places):
        raise IllegalStateError("not assigned")

    consumer._getmany, consumer._thread = getmany, SimpleNamespace(go_back=go_back)
    assert await consumer._fetch() == {}
    assert consumer._seek_owed


def test_another_broker_has_none():
    """What Apache Kafka does not show has been compacted: nobody waits for it."""
    assert not make_app(settings_from({}, web_enabled=False), WallClock(), CounterKit()).has_holes


@pytest.mark.timeout(120)
async def test_who_follows_several_producers_reads_all_they_say():
    """Producers that write to the same partitions of the embedded broker at once: nothing is skipped."""
    with embedded_broker() as broker:
        settings = settings_from({}, broker=broker, broker_kind="embedded", partitions=2)
        await create_topics(settings)
        places = dict.fromkeys(partitions_of(settings, CUSTOMER_INBOX), 0)
        writing = [asyncio.create_task(_write(settings, name)) for name in "abc"]
        read: dict[TopicPartition, list[int]] = {partition: [] for partition in places}
        async with asyncio.timeout(100), Reader(settings).follow(places) as poll:
            while sum(map(len, read.values())) < len(writing) * RECORDS:
                for record in await poll():
                    read[TopicPartition(record.topic, record.partition)].append(record.offset)
        await asyncio.gather(*writing)
    assert all(found == list(range(len(found))) for found in read.values())


async def _write(settings, name: str) -> None:
    topic = physical(settings.topic_prefix, CUSTOMER_INBOX)
    size = {"a": 5000, "b": 10, "c": 1000}[name]
    async with AIOKafkaProducer(**client_options(settings), acks="all") as producer:
        for number in range(0, RECORDS, 10):
            sent = [await producer.send(topic, b"x" * size, partition=(number + n) % 2) for n in range(10)]
            await asyncio.gather(*sent)
