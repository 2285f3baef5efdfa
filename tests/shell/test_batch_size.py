"""Batches that take longer than the session become smaller until one of them ends, and grow again."""

import asyncio
from typing import Any, cast
from unittest.mock import MagicMock

from agents.clock import clock_from
from agents.settings import settings_from
from agents.transport import BatchLimits
from agents.worker.batch_size import BYTES_MIN, GROW_AFTER_S, TIMERS_MAX, BatchSize
from agents.worker.inputs import Inputs
from agents.worker.lane import Lane
from agents.worker.partitions import Partitions
from tests.shell.counter import CounterKit
from topics.table import CHANGELOGS

MOST = BatchLimits(1_000, 1024 * 1024)


class Scene:
    """A size, and the time."""

    def __init__(self, most: BatchLimits = MOST) -> None:
        self.now = 0.0
        self.size = BatchSize(most, 30.0, lambda: self.now)


def test_what_takes_too_long_becomes_smaller_down_to_one_record():
    """Each time half of it, at the least one record: that is begun as often as it takes."""
    scene = Scene()
    sizes = []
    while scene.size.cut_short(31.0):
        sizes.append(scene.size.limits.records_max)
    assert sizes[:3] == [500, 250, 125]
    assert scene.size.limits == BatchLimits(1, BYTES_MIN)


def test_turns_of_the_timers_become_smaller_with_the_batches():
    """By the same halves, down to one; also where batches are configured as small as they can be."""
    for most in (MOST, BatchLimits(1, BYTES_MIN)):
        scene = Scene(most)
        turns = [scene.size.timers_max]
        while scene.size.cut_short(31.0):
            turns.append(scene.size.timers_max)
        assert turns[:9] == [500, 250, 125, 62, 31, 15, 7, 3, 1]
        assert scene.size.timers_max == 1
        while scene.size.timers_max < TIMERS_MAX:
            scene.now += GROW_AFTER_S
            assert scene.size.grow()


def test_work_that_a_rebalance_ends_early_says_nothing_about_its_size():
    """Partitions go and come where a worker joins; that is no reason for smaller batches."""
    scene = Scene()
    assert not scene.size.cut_short(2.0)
    assert scene.size.limits == MOST


def test_it_grows_again_and_never_beyond_what_is_configured():
    """A minute after the last change it is doubled, until it is what it was."""
    scene = Scene()
    for _ in range(5):
        scene.size.cut_short(20.0)
    assert not scene.size.grow()
    scene.now = GROW_AFTER_S - 1
    assert not scene.size.grow()
    steps = 0
    while scene.size.limits != MOST:
        scene.now += GROW_AFTER_S
        assert scene.size.grow()
        steps += 1
    assert steps == 6, "31, 62, 124, 248, 496, 992, all"
    assert not scene.size.grow()


async def test_partitions_that_are_taken_away_in_the_midst_of_long_work_come_back_with_smaller_batches():
    """What is fetched next is cut by the new limits, and the timers' turns are."""
    settings = settings_from({"MINDGAP_BATCH_RECORDS_MAX": "64", "MINDGAP_SESSION_S": "3"})
    app: Any = MagicMock(rebalancing=True, rebalancing_count=1)
    kit: Any = MagicMock(wraps=CounterKit())
    partitions = Partitions(app, settings, clock_from({}), kit, dict)
    partitions._inputs_of[0] = Inputs((), {}, MagicMock())
    opened = partitions._lane(0, 1, {name: cast("Any", MagicMock()) for name in CHANGELOGS})
    assert app.batch_limits.records_max == 64
    for since_s, expected, turn in ((0.1, 64, 500), (2.9, 32, 250), (40.0, 16, 125)):
        lane = cast("Lane", _Busy(asyncio.get_running_loop().time() - since_s))
        partitions._lanes[0] = lane, asyncio.create_task(asyncio.sleep(60))
        await partitions.close()
        assert app.batch_limits.records_max == expected
        assert (opened._records_max(), opened._timers_max()) == (2 * expected, turn)


class _Busy:
    def __init__(self, since: float) -> None:
        self.busy_since = since

    def end(self) -> None:
        """Too long."""

    def abort(self) -> None:
        """At once."""
