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


def taken(holes: Holes, place: int, *shown: int) -> list[int]:
    """The offsets that are taken of those that are shown; after the last of them is where to go on."""
    found, hole = holes.before(HERE, place, records(*shown))
    assert hole == (None if len(found) == len(shown) else (found[-1].offset + 1 if found else place))
    return offsets(found)


class Seconds:
    """A clock that is set."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_nothing_after_a_hole_is_taken():
    """All up to the first hole, be it before the first record or between two."""
    holes = Holes()
    assert taken(holes, 5, 5, 6, 7) == [5, 6, 7]
    assert taken(holes, 5, 5, 7, 9) == [5]
    assert taken(holes, 5, 6, 7) == []
    assert taken(holes, 5) == []


def test_a_hole_that_stays_is_no_hole():
    """What is missing for long has been deleted: reading goes on after it, up to the next one."""
    seconds = Seconds()
    holes = Holes(seconds=seconds)
    assert taken(holes, 0, 0, 2, 4) == [0]
    seconds.now = PATIENCE_S - 0.1
    assert taken(holes, 1, 2, 4) == []
    seconds.now = PATIENCE_S
    assert taken(holes, 1, 2, 4) == [2], "the next one has been seen for a moment only"
    seconds.now = 2 * PATIENCE_S
    assert taken(holes, 3, 4) == [4]


@given(st.lists(st.booleans(), min_size=1, max_size=30), st.randoms(use_true_random=False))
def test_whatever_is_shown_when_every_record_is_read_once(shown, random):
    """Records that become visible in any order are all read, in the order of their offsets, none twice."""
    visible, read, place, holes = set(), [], 0, Holes()
    hidden = list(range(len(shown)))
    random.shuffle(hidden)
    while hidden or place < len(shown):
        if hidden:
            visible.add(hidden.pop())
        read += taken(holes, place, *sorted(offset for offset in visible if offset >= place))
        place = read[-1] + 1 if read else 0
    assert read == list(range(len(shown)))


@pytest.fixture
async def consumer() -> Consumer:
    app = make_app(settings_from({}, web_enabled=False, broker_kind="embedded"), WallClock(), CounterKit())
    found = app.consumer
    found.flow_active, found._active_partitions = True, {TP(*HERE)}
    return found


def fetching(consumer: Consumer, place: int | None, *answers: list[ConsumerRecord], refuses: bool = False):
    """Have its fetches begin at `place` and be answered so; where it was sent back to."""
    sought: list[dict[TP, int]] = []
    position, left = place, list(answers)

    async def getmany(active_partitions, timeout):  # noqa: ASYNC109
        nonlocal position
        found = left.pop(0)
        position = found[-1].offset + 1
        return {TP(*HERE): found}

    async def go_back(places):
        nonlocal position
        if refuses:
            raise IllegalStateError("not assigned")
        sought.append(places)
        position = places[TP(*HERE)]

    consumer._getmany = getmany
    consumer._thread = SimpleNamespace(offsets=lambda tps: {TP(*HERE): (position, None)}, go_back=go_back)
    return sought


async def test_the_worker_goes_back_to_the_hole(consumer):
    """A fetch gives what comes before the hole; the next one begins there."""
    sought = fetching(consumer, 0, records(0, 1, 4), records(4), records(2, 3, 4))
    read = [offset for _ in range(3) for offset in offsets((await consumer._fetch())[TP(*HERE)])]
    assert read == [0, 1, 2, 3, 4]
    assert sought == [{TP(*HERE): 2}, {TP(*HERE): 2}]


async def test_a_fetch_begins_where_the_consumer_stands(consumer):
    """After a rebalance that is what is committed, and where that is not known yet nothing is missing."""
    assert fetching(consumer, 595, records(595, 596)) == []
    assert offsets((await consumer._fetch())[TP(*HERE)]) == [595, 596]
    assert fetching(consumer, None, records(73)) == []
    assert offsets((await consumer._fetch())[TP(*HERE)]) == [73]


async def test_where_it_cannot_go_back_it_begins_at_what_is_committed(consumer):
    """A partition that is being taken away cannot be sought in: what was fetched is dropped, and a seek is owed."""
    fetching(consumer, 0, records(1), refuses=True)
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
