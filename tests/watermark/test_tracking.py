"""No partition's time passes a record that can still reach it, whatever is delayed, lost, repeated, moved or killed."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.worker.tracking import Facts, PartitionFacts, Rounds, Tracker
from tests.watermark.world import INBOXES, World

STEPS = 250


def run(world: World, steps: int = STEPS) -> World:
    """Random steps, with the promise checked after each that may break it."""
    kinds = [
        *[world.tick] * 3,
        *[world.arrive] * 3,
        *[world.fetch] * 6,
        *[world.work] * 8,
        *[world.commit] * 2,
        *[world.tell] * 4,
        *[world.hear] * 5,
        world.move,
        lambda: world.work(crash=True),
    ]
    for _ in range(steps):
        world.random.choice(kinds)()
        world.look()
        world.check()
    return world


@given(st.integers(0, 2**32), st.integers(1, 5), st.integers(1, 3), st.integers(0, 5))
@settings(max_examples=300)
def test_time_does_not_overtake(seed, partitions, workers, hops):
    """However records travel and workers die, no time passes one that is not worked off with all that follows."""
    world = World(Random(seed), partitions=partitions, workers=workers, hops=max(1, hops))
    run(world)


@given(st.integers(0, 2**32), st.integers(1, 4), st.integers(1, 3))
@settings(max_examples=30)
def test_time_catches_up(seed, partitions, workers):
    """Once all is worked off, every worker's time is that of the last look at the inputs."""
    world = run(World(Random(seed), partitions=partitions, workers=workers), 80)
    world.tick()
    world.settle()
    assert {worker.tracker.confirmed for worker in world.workers} == {world.clock}


def test_time_goes_on_under_steady_traffic():
    """Where there is always something on its way, time follows, a bounded number of rounds behind."""
    world = World(Random(7), workers=1, hops=3)
    behind, busy = [], 0
    for step in range(600):
        world.clock += 1
        world.arrive()
        for log in [*world.inputs, *world.inboxes.values()]:
            log.fetched, log.as_of = len(log.records), world.clock
        for _ in range(6):
            world.work()
        world.look()
        world.check()
        if step > 100:
            busy += any(log.fetched > log.done for log in world.inboxes.values())
            behind.append(world.clock - (world.workers[0].tracker.confirmed or 0))
    assert busy > 300, "there was nothing on its way"
    assert max(behind) < 60, "time stands still under load"


def facts(low, *, done=(0, 0), sent=((0, 0), (0, 0)), only=None, mark=0):
    """A report of partitions 0 and 1, alike; `done` by inbox."""
    numbers = [0, 1] if only is None else [only]
    parts = {n: PartitionFacts(low, mark, dict(zip(INBOXES, done, strict=True))) for n in numbers}
    return Facts(parts, dict(zip(INBOXES, sent, strict=True)))


def test_a_backlog_is_waited_for():
    """However deep what follows from a backlog goes, time waits for it, where live so many rounds have to do."""
    rounds = Rounds(4, 100)
    rounds.advance(50, (1, 0), (1, 0), behind=True)
    for hop in range(2, 60):  # what follows from the record of time 60 goes from hop to hop
        rounds.advance(60, (hop, 0), (hop - 1, 0), behind=hop == 2)
        assert rounds.reached == 50
    rounds.advance(60, (60, 0), (60, 0))
    assert rounds.reached == 60
    rounds = Rounds(4, 100)
    rounds.advance(10, (0, 0), (0, 0))
    for step in range(1, 20):
        rounds.advance(10 + step, (step + 1, 0), (step, 0))
    assert rounds.reached is not None
    assert 10 + 19 - 8 < rounds.reached < 10 + 19 - 3, "as many rounds behind as there may be hops"


def test_patience_ends_with_a_time_that_was_not_behind():
    """After a backlog, standing still once is enough to be live again; while behind it is not."""
    rounds = Rounds(2, 100)
    rounds.advance(50, (1, 0), (1, 0), behind=True)
    assert rounds.patient
    rounds.advance(60, (1, 0), (1, 0))
    assert not rounds.patient
    rounds.advance(70, (1, 0), (1, 0), behind=True)
    assert rounds.patient


def test_traffic_that_never_pauses_from_the_start():
    """Where there was no backlog, time does not wait for a pause: not at the start either."""
    rounds = Rounds()
    for step in range(1, 100):
        rounds.advance(step, (step + 1, 0), (step, 0))
    assert rounds.reached is not None
    assert rounds.reached > 60


def test_who_is_behind_tells_the_others():
    """A worker that hears of another's backlog waits as that one does."""
    tracker = Tracker(2, INBOXES, 0.0, hops=1)
    busy = Facts({}, dict(zip(INBOXES, ((1, 0), (0, 0)), strict=True)), behind=True)
    tracker.take(facts(100), 0.0)
    tracker.take(busy, 0.0)
    assert tracker.advance() is None
    sent = ((2, 0), (0, 0))
    tracker.take(facts(100, sent=sent, done=(1, 0)), 0.0)
    assert tracker.advance() is None, "one round is over, and what it led to is on its way"
    tracker.take(facts(100, sent=sent, done=(2, 0)), 0.0)
    assert tracker.advance() == 100


def test_another_backlog_is_remembered_between_its_reports():
    """A time that begins between two reports of a worker that is behind does not end the patience that it asks for."""
    tracker = Tracker(2, INBOXES, 0.0, hops=1, hops_behind=50)
    ends = lambda end: dict(zip(INBOXES, ((end, 0), (0, 0)), strict=True))  # noqa: E731 - a table of two
    tracker.take(Facts({}, ends(0), behind=True), 0.0)
    tracker.take(facts(100), 0.0)
    assert tracker.advance() == 100
    tracker.take(facts(110), 0.1)  # nothing is on its way at this moment: reached at once
    assert tracker.advance() == 110
    tracker.take(facts(120, sent=((1, 0), (0, 0))), 0.2)
    assert tracker.advance() == 110
    tracker.take(facts(120, sent=((2, 0), (0, 0)), done=(1, 0)), 0.3)
    assert tracker.advance() == 110, "one round is over, and the other worker is behind still"
    tracker.take(facts(120, sent=((2, 0), (0, 0)), done=(2, 0)), 0.4)
    assert tracker.advance() == 120


def test_unknown_partitions_hold_time():
    """As long as nothing is known of a partition, time is not known."""
    tracker = Tracker(2, INBOXES, 0.0)
    tracker.take(facts(100, only=0), 0.0)
    assert tracker.advance() is None
    tracker.take(facts(70, only=1), 0.0)
    assert tracker.advance() == 70


def test_a_record_in_an_inbox_holds_time():
    """Time waits for what was sent, until its receiver is done with it."""
    tracker = Tracker(2, INBOXES, 0.0)
    tracker.take(facts(100, sent=((0, 0), (0, 3))), 0.0)
    assert tracker.advance() is None
    tracker.take(facts(100, done=(0, 2), only=1), 0.0)
    assert tracker.advance() is None
    tracker.take(facts(100, done=(0, 3), only=1), 0.0)
    assert tracker.advance() == 100


def test_who_stands_still_is_named():
    """A partition is held to stand still when neither its input nor an inbox that holds something has moved."""
    tracker = Tracker(2, INBOXES, 0.0)
    tracker.take(facts(100), 5.0)
    assert tracker.held(200, 14.0, 10.0) == frozenset()
    tracker.take(facts(150, only=0), 14.0)
    assert tracker.held(200, 16.0, 10.0) == {1}
    tracker.take(facts(100, only=1, mark=4), 16.0)  # nothing newer, but it works
    assert tracker.held(200, 17.0, 10.0) == frozenset()
    tracker.take(facts(200, sent=((0, 9), (0, 0))), 17.0)
    assert tracker.held(200, 30.0, 10.0) == {1}, "its inputs are drained, its inbox stands still"
    tracker.take(facts(200, done=(5, 0), only=1), 30.0)
    assert tracker.held(200, 35.0, 10.0) == frozenset()


def test_a_clock_that_stands_still_holds_nobody():
    """Who is as far as the clock has nothing to do, however long ago it moved."""
    tracker = Tracker(2, INBOXES, 0.0)
    tracker.take(facts(100), 0.0)
    assert tracker.held(100, 1e6, 10.0) == frozenset()


def test_time_without_a_partition():
    """Without the partition that stands still time goes as far as the others, whose inboxes still count."""
    tracker = Tracker(2, INBOXES, 0.0)
    tracker.take(facts(100), 0.0)
    tracker.take(facts(300, only=0, sent=((2, 7), (0, 0))), 0.0)
    assert tracker.advance_without(frozenset({1}), 900) is None
    tracker.take(facts(300, only=0, done=(2, 0)), 0.0)
    assert tracker.advance_without(frozenset({1}), 900) == 300
    assert tracker.advance_without(frozenset({0, 1}), 900) == 900
    assert tracker.advance() is None


def test_a_report_about_other_partitions_is_refused():
    """A worker with another number of partitions cannot be heard."""
    tracker = Tracker(2, INBOXES, 0.0)
    with pytest.raises(ValueError, match="2 partitions"):
        tracker.take(Facts({2: PartitionFacts(1, 0, {})}, {}), 0.0)
    with pytest.raises(ValueError, match="2 partitions"):
        tracker.take(Facts({}, {INBOXES[0]: (1, 2, 3)}), 0.0)
