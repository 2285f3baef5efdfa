"""Input topics that nobody reads: found, told, and read again as soon as they are there.

A topic that is deleted is taken out of the assignment by the rebalance that follows. Where it is made anew while that
rebalance goes on, aiokafka forgets that it has seen so, and nobody would read the topic until the next rebalance.
"""

import time
from collections.abc import Iterable
from typing import Any

from aiokafka.errors import KafkaError
from faust.types import TP

from agents import log
from agents.settings import Settings
from topics.table import CO_PARTITIONED, physical

LOOK_EVERY_S = 10.0
LOOK_EVERY_MAX_S = 300.0
_log = log.get("mindgap.unread")


def unread(settings: Settings, assigned: Iterable[TP]) -> list[str]:
    """The topics (names at the broker) of which a partition is not assigned whose number is ours in another topic."""
    have = set(assigned)
    numbers = {tp.partition for tp in have}
    names = (physical(settings.topic_prefix, topic) for topic in CO_PARTITIONED)
    return [name for name in names if any(TP(name, number) not in have for number in numbers)]


class Unread:
    """Looks after what is unread, of one worker."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self._every_s = LOOK_EVERY_S
        self._look_at = 0.0
        self._since: float | None = None

    def since_s(self) -> float:
        """How long (s) some topic has been unread; 0 where none is."""
        return 0.0 if self._since is None else time.monotonic() - self._since

    async def see(self, topics: list[str]) -> None:
        """These are unread now: say so, and join the group anew if they are there; less often the longer it lasts."""
        now = time.monotonic()
        if not topics:
            self._since, self._every_s, self._look_at = None, LOOK_EVERY_S, 0.0
            return
        if self._since is None:  # a moment's patience: what is not there yet may come with the next rebalance
            self._since, self._look_at = now, now + self._every_s
        if now < self._look_at:
            return
        self._every_s = min(2 * self._every_s, LOOK_EVERY_MAX_S)
        self._look_at = now + self._every_s
        try:
            joining = await self._app.consumer.read_anew(topics)
        except (KafkaError, OSError) as problem:
            _log.error("topics_unread", topics=topics, error=type(problem).__name__)
            return
        _log.error("topics_unread", topics=topics, joining=joining)
