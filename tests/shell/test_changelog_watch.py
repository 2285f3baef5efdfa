"""The look at the ends of our changelogs: it asks from what is known, tells who is behind, and goes on whatever happens."""

import asyncio
from contextlib import asynccontextmanager
from types import SimpleNamespace

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaConnectionError

from agents.settings import settings_from
from agents.worker import changelog_watch
from agents.worker.changelog_watch import ChangelogWatch
from tests.shell.test_lane import until

TOPIC = "changelog.customers"


def lane(end: int, *, has_begun: bool = True):
    """What the watch asks of a lane; `told` is what it was told."""
    told: list[dict[str, int]] = []
    publisher = SimpleNamespace(ends=lambda: {TOPIC: end})
    return SimpleNamespace(has_begun=has_begun, publisher=publisher, told=told, ends_seen=told.append)


@pytest.fixture
def ends(monkeypatch):
    """What the broker answers by partition, an exception among it; and what it was asked."""
    answers, asked = {}, []

    async def highwaters(_, known):
        asked.append(known)
        if problem := answers.pop("problem", None):
            raise problem
        return {tp: answers[tp.partition] for tp in known}

    monkeypatch.setattr(changelog_watch, "highwaters", highwaters)
    monkeypatch.setattr(changelog_watch, "LOOK_S", 0.001)
    return SimpleNamespace(answers=answers, asked=asked)


@asynccontextmanager
async def watching(lanes):
    watch = ChangelogWatch(settings_from({}))
    watch.opened(lanes)
    try:
        yield
    finally:
        await watch.closed()


async def test_who_is_behind_is_told(ends):
    """Only the lane whose changelog reaches further than it knows; one that has not claimed its term is not asked."""
    lanes = {0: lane(4), 1: lane(7), 2: lane(1, has_begun=False)}
    ends.answers.update({0: 4, 1: 9})
    async with watching(lanes):
        await until(lambda: lanes[1].told)
    assert ends.asked[0] == {TopicPartition(TOPIC, 0): 4, TopicPartition(TOPIC, 1): 7}
    assert lanes[1].told[0] == {TOPIC: 9}
    assert not lanes[0].told
    assert not lanes[2].told


@pytest.mark.parametrize("problem", [KafkaConnectionError(), TimeoutError(), KeyError("a defect of a client")])
async def test_a_look_that_fails_is_repeated(ends, problem):
    """Whatever goes wrong with one look, the next one comes."""
    lanes = {0: lane(4)}
    ends.answers.update({"problem": problem, 0: 5})
    async with watching(lanes):
        await until(lambda: lanes[0].told)


async def test_nothing_is_asked_where_nothing_is_owned(ends):
    """A worker without partitions, and one that was told that it has none any more, ask for nothing."""
    async with watching({}):
        await asyncio.sleep(0.02)
    async with watching({0: lane(1, has_begun=False)}):
        await asyncio.sleep(0.02)
    assert not ends.asked
