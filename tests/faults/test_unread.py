"""A topic that no worker reads any more is found, told, and read again."""

from inspect import iscoroutinefunction

from aiokafka.client import AIOKafkaClient
from aiokafka.consumer.group_coordinator import GroupCoordinator
from faust.types import TP

from agents.settings import settings_from
from agents.worker import unread as module
from agents.worker.unread import Unread, unread
from topics.table import CO_PARTITIONED

SETTINGS = settings_from({}, topic_prefix="p.")
ALL = [TP(f"p.{topic}", number) for topic in CO_PARTITIONED for number in (0, 3)]


class App:
    """Its consumer notes what it is asked for."""

    def __init__(self, there: bool) -> None:
        self.asked: list[list[str]] = []
        self.there = there
        self.consumer = self

    async def read_anew(self, topics: list[str]) -> bool:
        self.asked.append(topics)
        return self.there


def test_what_is_assigned_in_part_is_unread():
    """Every topic must be there with each partition number that is ours; numbers that are another's do not matter."""
    assert unread(SETTINGS, ALL) == []
    assert unread(SETTINGS, []) == []
    assert unread(SETTINGS, [tp for tp in ALL if tp != TP("p.interactions.email", 3)]) == ["p.interactions.email"]


async def test_it_is_asked_for_after_a_moment_and_ever_less_often(monkeypatch):
    """A gap that a rebalance closes is nobody's business; one that stays does not make the group rebalance all day."""
    now = 1_000.0
    monkeypatch.setattr(module.time, "monotonic", lambda: now)
    app = App(there=False)
    watched = Unread(app)
    await watched.see(["t"])
    now += 5
    await watched.see([])
    assert app.asked == []
    assert watched.since_s() == 0
    for _ in range(3600):
        await watched.see(["t"])
        now += 1
    assert 10 <= len(app.asked) <= 20
    assert watched.since_s() == 3600


def test_what_is_called_of_aiokafka_is_there():
    """Two methods that are not for everybody."""
    assert iscoroutinefunction(AIOKafkaClient._metadata_update)
    assert callable(AIOKafkaClient.force_metadata_update)
    assert callable(GroupCoordinator.request_rejoin)
