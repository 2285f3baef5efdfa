"""What a worker says of its partitions, and when."""

import asyncio
from types import SimpleNamespace

import pytest

from agents.lease import Lease
from agents.settings import settings_from
from agents.worker import timekeeper as module
from agents.worker.fence import Fence
from agents.worker.metrics import Metrics
from agents.worker.moments import Moment
from agents.worker.report import Report, decode, encode
from agents.worker.timekeeper import Timekeeper, Watched
from agents.worker.tracking import Facts, PartitionFacts
from tests.shell.counter import CounterKit
from tests.shell.fakes import FakeProducer, SteppedClock, member
from topics.table import INBOXES, WATERMARKS

NONE = dict.fromkeys(INBOXES, 0)


class Keeper:
    """A timekeeper that owns partition 0 of two, with everything round it; `ends` is what the broker will say."""

    def __init__(self, monkeypatch) -> None:
        self.ends: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self.facts = PartitionFacts(1_000, 0, NONE)
        self.seconds = 0.0
        self.nudged = 0

        async def end_offsets(options, tps):
            end = await self.ends
            return {tp: end if (tp.topic, tp.partition) == (INBOXES[1], 1) else 0 for tp in tps}

        monkeypatch.setattr(module, "end_offsets", end_offsets)
        monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: self.seconds))
        self.app = member(producer=FakeProducer())
        settings = settings_from({}, partitions=2, watermark_interval_s=1, watermark_prompt_s=0.1)
        self.keeper = Timekeeper(self.app, settings, SteppedClock(1_000), CounterKit(), Metrics())

    def own(self) -> None:
        lane = SimpleNamespace(time_moved=self._nudge, next_wake=lambda: 900)
        inputs = SimpleNamespace(look=lambda now: self.facts)
        fence = Fence(self.app, 7, Lease(6.0, lambda: self.seconds if self.seconds < 100 else 0.0))
        self.keeper.opened({0: Watched(lane, inputs)}, fence)

    def _nudge(self) -> None:
        self.nudged += 1

    async def look(self, seconds: float) -> list[Report]:
        """Look at this moment; all that has been told so far."""
        self.seconds = seconds
        self.keeper.look()
        for _ in range(5):
            await asyncio.sleep(0)
        return [decode(record.value) for record in self.app.producer.logs.get(WATERMARKS, [])]

    def hear(self, low: int, due: int | None = None, done: int = 0) -> None:
        """Another worker speaks of partition 1."""
        part = PartitionFacts(low, 0, {INBOXES[0]: 0, INBOXES[1]: done})
        self.keeper._heard(encode(Report("other", Facts({1: part}, dict.fromkeys(INBOXES, (0, 0))), due)))


@pytest.fixture
async def keeper(monkeypatch):
    made = Keeper(monkeypatch)
    yield made
    made.keeper.closed()
    for task in made.keeper._tasks:
        task.cancel()


async def test_nothing_is_said_before_the_ends_are_known(keeper):
    """What the owner before us sent, and did not tell of, counts: a new owner asks where inboxes end before it speaks."""
    keeper.own()
    keeper.hear(5_000)
    assert await keeper.look(1) == []
    assert keeper.keeper.time.confirmed is None
    keeper.ends.set_result(9)
    await keeper.look(1.1)
    (report,) = await keeper.look(1.2)
    assert report.facts.sent == dict.fromkeys(INBOXES, (0, 0)) | {INBOXES[1]: (0, 9)}
    assert keeper.keeper.time.confirmed is None, "nine records wait at partition 1"
    keeper.hear(5_000, done=9)
    await keeper.look(1.3)
    assert keeper.keeper.time.confirmed == 1_000
    assert keeper.nudged


async def test_what_was_sent_while_the_ends_were_asked_for_counts(keeper):
    """The larger of what the broker said and what we sent meanwhile."""
    keeper.own()
    keeper.keeper.sent(INBOXES[1], 1, 20)
    keeper.ends.set_result(9)
    await keeper.look(1)
    reports = await keeper.look(1.1)
    assert reports[-1].facts.sent[INBOXES[1]] == (0, 21)


async def test_who_may_have_lost_its_partitions_says_nothing(keeper):
    """During a rebalance, after it, and once the lease has run out, nothing is said."""
    keeper.own()
    keeper.ends.set_result(0)
    await keeper.look(1)
    said = len(await keeper.look(2.5))
    assert said > 0
    keeper.app.rebalancing = True
    assert len(await keeper.look(4)) == said
    keeper.app.rebalancing = False
    assert len(await keeper.look(7)) == said, "the lease of 6 s is over"
    keeper.app.consumer_generation_id = 8
    assert len(await keeper.look(1)) == said
    keeper.keeper.closed()
    assert len(await keeper.look(9)) == said


async def test_once_a_second_and_sooner_where_others_wait(keeper):
    """An idle worker speaks in the interval; where its inboxes move, or another's timer waits, almost at once."""
    keeper.own()
    keeper.ends.set_result(0)
    await keeper.look(1)
    assert len(await keeper.look(1.05)) == 1
    keeper.facts = PartitionFacts(2_000, 0, NONE)
    assert len(await keeper.look(1.5)) == 1
    keeper.hear(1_000, due=2_500)
    assert len(await keeper.look(1.6)) == 1, "not there yet"
    keeper.facts = PartitionFacts(2_500, 0, NONE)
    assert len(await keeper.look(1.7)) == 2
    assert len(await keeper.look(1.9)) == 2, "told"
    keeper.keeper.sent(INBOXES[0], 1, 3)
    assert len(await keeper.look(2.1)) == 3
    assert len(await keeper.look(2.9)) == 3
    assert len(await keeper.look(3.2)) == 4, "the interval is over"


async def test_a_report_that_cannot_be_read(keeper):
    """Nonsense on the topic is counted, and time goes on."""
    for value in (b"{", encode(Report("x", Facts({7: PartitionFacts(1, 1, {})}, {}), None))):
        keeper.keeper._heard(value)
    refused = keeper.keeper._metrics.registry.get_sample_value(
        "mindgap_internal_errors_total", {"where": "watermark_refused"}
    )
    assert refused == 2


async def test_its_partitions_share_the_time(keeper):
    """What one partition learns from a record's header all partitions of the worker know."""
    one, other = keeper.keeper.partition_time(), keeper.keeper.partition_time()
    one.heard(Moment(800))
    assert other.now() == Moment(800)
