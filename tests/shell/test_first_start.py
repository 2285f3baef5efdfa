"""A lane on a first start: asked once, marked before anything is taken, over when its own input and the time are past it."""

import asyncio

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError, TopicAuthorizationFailedError
from aiokafka.structs import OffsetAndMetadata

from agents.connection import client_options
from agents.settings import SettingsError, settings_from
from agents.topic_admin import create_topics
from agents.worker import first_start
from agents.worker.first_start import End, FirstStart, Found, OffsetsUntold, backlog
from schemas.codec import loads
from schemas.times import HOUR, MINUTE, format_time
from streams.backlog import MARK
from streams.kit import CoreKit
from tests.node.cluster import policy
from tests.shell.fakes import Bench, batch
from tests.shell.test_lane import running, until
from tests.shell.traffic import produce
from topics.partitioner import partition_of
from topics.table import physical

START = 100 * HOUR
HERE = TopicPartition("interactions.chat", 1)


class Waiting:
    """A broker that tells of so many records."""

    def __init__(self, records: int | None) -> None:
        self.records = records
        self.asked = 0

    async def backlog(self, partition, fence):
        self.asked += 1
        return self.records


def real_core(bench: Bench):
    def make():
        owner = lambda key: partition_of(key.encode(), 2)  # noqa: E731 - the port's form
        kit = CoreKit(policy(targets=[{"first_response": "1h"}], patterns={"ignored": "off"}))
        tables = (bench.stores[name] for name in ("identities", "customers", "aggregates"))
        node = kit.node(1, 2, *tables, owner)
        node.rebuild()
        return node

    return make


def contact(number: int) -> bytes:
    """A contact of somebody who lives on partition 1, long before the first start."""
    name = next(f"p{number}-{n}@x" for n in range(50) if partition_of(f"email:p{number}-{n}@x".encode(), 2) == 1)
    return (
        f'{{"id":"e{number}","occurred_at":"{format_time(START - 50 * HOUR)}","channel":"chat","kind":"contact",'
        f'"identities":[{{"type":"email","value":"{name}"}}],"thread":"t{number}"}}'
    ).encode()


def until_of(bench: Bench) -> int | None:
    """What the mark says, which is there."""
    return loads(bench.stores["aggregates"][MARK])["s"]


def said(bench: Bench) -> list[str]:
    return [topic for topic, *_ in bench.producer.sent if topic == "escalations"]


async def test_nothing_is_said_until_the_input_and_the_time_are_past_the_start():
    """The mark comes first; then only state is written; then, when both are there, what stands is said."""
    bench, low = Bench(), [START - HOUR]
    bench.clock.at = START
    options = {"first_start": Waiting(7), "backlog_end": End(lambda: low[0])}
    async with running(bench, real_core(bench), known=False, **options) as lane:
        await lane.put(batch("interactions.chat", [contact(1)], at=START - 50 * HOUR, key=b"k"))
        await until(lambda: len(lane.done) == 1)
        assert bench.producer.sent[0][:2] == ("changelog.aggregates", MARK)
        assert lane.in_backlog
        low[0] = START
        bench.tracker.confirm(START - 1)
        lane.time_moved()
        await asyncio.sleep(0.4)
        assert lane.in_backlog, "the time has not come"
        low[0] = START - 1
        bench.tracker.confirm(START + MINUTE)
        await asyncio.sleep(0.4)
        assert lane.in_backlog, "its own input is not worked off"
        assert said(bench) == []
        low[0] = START
        await until(lambda: said(bench))
        assert not lane.in_backlog
        assert until_of(bench) is None
    assert len(said(bench)) == 1


async def test_who_has_state_is_not_asked_for():
    """A partition with any state is live; one without, where nothing waits, is live too."""
    for state, waiting, asked in ((b"{}", 7, 0), (None, None, 1)):
        bench, first = Bench(), Waiting(waiting)
        if state is not None:
            bench.stores["aggregates"][b"gap-sequence"] = b'{"v":1,"w":null,"b":1,"o":0,"p":"","s":1,"x":[],"y":[]}'
        async with running(bench, real_core(bench), first_start=first, backlog_end=End(lambda: None)) as lane:
            await lane.put(batch("interactions.chat", [contact(1)]))
            await until(lambda lane=lane: len(lane.done) == 1)
            assert not lane.in_backlog
        assert first.asked == asked


async def test_a_start_is_the_first_one_once():
    """What was decided is kept, also where nothing has come since: the next owner asks nobody, whatever waits by then."""
    for waiting in (None, 0):
        bench, first = Bench(), Waiting(waiting)
        bench.clock.at = START
        async with running(bench, real_core(bench), first_start=first, backlog_end=End(lambda: START)) as lane:
            bench.tracker.confirm(START)
            await until(lambda lane=lane: lane.has_begun and not lane.in_backlog)
        assert set(bench.stores["aggregates"]) == {MARK}
        first.records = 7
        async with running(bench, real_core(bench), first_start=first, backlog_end=End(lambda: None)) as lane:
            await until(lambda lane=lane: lane.has_begun)
            assert not lane.in_backlog
        assert first.asked == 1


async def test_who_has_the_mark_goes_on():
    """State that says so is enough: nobody is asked, and the moment stays."""
    bench, first = Bench(), Waiting(1)
    bench.stores["aggregates"][MARK] = b'{"v":1,"w":null,"b":1,"o":0,"p":"","s":%d,"x":[],"y":[]}' % START
    async with running(bench, real_core(bench), first_start=first, backlog_end=End(lambda: START)) as lane:
        await until(lambda: lane.busy_since is None)
        assert lane.in_backlog
        bench.tracker.confirm(START)
        await until(lambda: not lane.in_backlog)
    assert first.asked == 0


async def test_the_end_is_tried_again_where_the_broker_refuses_it():
    """That the mark may not be deleted just now ends no worker: the partition stays in its backlog until it may be."""
    bench = Bench()
    bench.stores["aggregates"][MARK] = b'{"v":1,"w":null,"b":1,"o":0,"p":"","s":%d,"x":[],"y":[]}' % START
    bench.producer.at_call = [TopicAuthorizationFailedError()]
    async with running(bench, real_core(bench), backlog_end=End(lambda: START)) as lane:
        await until(lambda: lane.busy_since is None)
        bench.tracker.confirm(START)
        await until(lambda: not bench.producer.at_call)
        assert until_of(bench) == START
        await until(lambda: until_of(bench) is None)
        assert not lane.in_backlog


async def test_an_answer_without_offsets_is_none(monkeypatch):
    """A coordinator that is loading, or forbids, answers with no partition at all: that is not `nothing committed`."""
    for answer, expected in (
        ({}, None),
        ({HERE: OffsetAndMetadata(-1, "")}, []),
        ({HERE: OffsetAndMetadata(5, "")}, [HERE]),
    ):

        class Admin:
            def __init__(self, answer=answer, **options):
                self.answer = answer

            async def start(self): ...

            async def close(self): ...

            async def list_consumer_group_offsets(self, group, partitions):
                return self.answer

        monkeypatch.setattr(first_start, "AIOKafkaAdminClient", Admin)
        if expected is None:
            with pytest.raises(KafkaError):
                await first_start._committed(settings_from({}), [HERE])
        else:
            assert await first_start._committed(settings_from({}), [HERE]) == expected


@pytest.mark.parametrize(
    ("worked_on", "waiting", "expected"),
    [
        ((), {0: 0, 1: 0}, (None, None)),
        ((), {0: 5, 1: 0}, (5, 0)),
        ((0,), {0: 5, 1: 3}, (None, 3)),
        ((0,), {0: 5, 1: 0}, (None, 0)),
        ((0, 1), {0: 5, 1: 3}, (None, None)),
    ],
    ids=["nothing waits", "one waits for all", "new beside others", "empty beside others", "all have worked"],
)
def test_whose_first_start_it_is(worked_on, waiting, expected):
    """Of two partitions without state: how many records wait, or None where it is no first start over a backlog."""
    found = Found(frozenset(worked_on), waiting)
    assert (backlog(0, found), backlog(1, found)) == expected


@pytest.mark.parametrize("waiting", [{0: 5, 1: 0}, {0: 5, 1: 3}, {0: 0, 1: 0}, {0: 0, 1: 3}])
def test_who_is_told_late_decides_as_who_is_told_at_once(waiting):
    """That another partition has been worked on meanwhile, a little or to its end, changes nothing for one that has not."""
    assert backlog(1, Found(frozenset(), waiting)) == backlog(1, Found(frozenset({0}), waiting))


async def test_who_is_told_once_another_has_committed_is_on_its_first_start(settings, monkeypatch):
    """The coordinator does not tell at first; meanwhile the other worker has taken in all that waited, elsewhere."""
    await create_topics(settings)
    elsewhere = next(key for key in (b"%d" % n for n in range(50)) if partition_of(key, settings.partitions) == 0)
    await produce(settings, "interactions.chat", [(elsewhere, b"v")])
    tell, answers = first_start._committed, []

    async def told(*which):
        answers.append(1)
        if len(answers) > 1:
            return await tell(*which)
        await commit(settings, TopicPartition(physical(settings.topic_prefix, "interactions.chat"), 0), 1)
        raise OffsetsUntold

    monkeypatch.setattr(first_start, "_committed", told)
    assert await FirstStart(settings).backlog(1, Bench().fence) == 0
    assert len(answers) == 2


async def commit(settings, tp: TopicPartition, offset: int) -> None:
    """As a worker of the group does."""
    consumer = AIOKafkaConsumer(group_id=settings.app_id, enable_auto_commit=False, **client_options(settings))
    await consumer.start()
    try:
        consumer.assign([tp])
        await consumer.commit({tp: offset})
    finally:
        await consumer.stop()


async def test_a_deployment_may_ask_for_none():
    """MINDGAP_FIRST_START=live goes through the backlog at its own times, and asks no broker."""
    settings = settings_from({"MINDGAP_FIRST_START": "live"})
    assert await FirstStart(settings).backlog(0, Bench().fence) is None
    with pytest.raises(SettingsError, match="MINDGAP_FIRST_START"):
        settings_from({"MINDGAP_FIRST_START": "never"})
