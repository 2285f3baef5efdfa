"""A first start: does a partition that has no state begin over a backlog, and when is that worked off?

What waits in the inputs of a deployment that never worked was there before anybody could be paged for it. It is folded
whole before anything is said (`streams.backlog`). It is decided once for each partition, and kept with the state, as is
the moment of the first start: the backlog is over when all input that was appended before it is worked off and the
partition's time, which waits for every partition and for what is on its way between them, has reached it. So gaps in
the offsets mean nothing (what was compacted away, markers of transactions), and a partition that stands still holds up
its own backlog only.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from agents import log
from agents.connection import ANSWER_MS, client_options
from agents.settings import Settings
from agents.worker.fence import Fence
from topics.table import CO_PARTITIONED, INBOXES, physical

_ANSWER_S = 30.0
_BACKOFF_S = (0.1, 5.0)
_log = log.get("mindgap.first_start")


class Found(NamedTuple):
    """What the broker tells of the group's partitions."""

    worked_on: frozenset[int]
    """Those of which something is committed."""
    waiting: Mapping[int, int]
    """By partition, how many offsets its inputs hold."""


class OffsetsUntold(KafkaError):  # noqa: N818 - says what happened
    """The coordinator did not tell what is committed: it is loading, or the group may not be described."""


class FirstStart:
    """Asked by each partition without state that is opened; one look at the broker serves all of an assignment."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._asking = asyncio.Lock()
        self._found: Found | None = None

    async def backlog(self, partition: int, fence: Fence) -> int | None:
        """How many records wait in the partition's inputs on a first start over a backlog; None where it is none.

        Waits for the broker as long as the partition is ours; raises Fenced when it is not.
        """
        if self._settings.first_start == "live":
            return None
        backoff = _BACKOFF_S[0]
        while True:
            await fence.opened()
            try:
                async with self._asking:
                    self._found = self._found or await _look(self._settings)
                return backlog(partition, self._found)
            except (KafkaError, OSError, TimeoutError) as problem:
                _log.warning("inputs_unknown", partition=partition, error=type(problem).__name__)
            await asyncio.sleep(backoff)
            backoff = min(backoff * 2, _BACKOFF_S[1])


def backlog(partition: int, found: Found) -> int | None:
    """How many records wait for a partition without state; None where there is no backlog of a first start.

    It has the backlog that any other has: what waits elsewhere may be about a customer of this one. How far the others
    have come does not count, nor does what they have left: or else it would depend on who is told first.
    """
    if partition in found.worked_on or not any(found.waiting.values()):
        return None
    return found.waiting.get(partition, 0)


class End(NamedTuple):
    """When the backlog of a partition is over. `worked_off` tells as of when (ms) all of its input is."""

    worked_off: Callable[[], int | None]

    def reached(self, until: int, now: int | None) -> bool:
        """Is all that came before `until` worked off, when the partition's time is `now`?"""
        low = self.worked_off()
        return now is not None and now >= until and low is not None and low >= until


async def _look(settings: Settings) -> Found:
    """Ask the broker. Raises KafkaError, OSError and TimeoutError."""
    async with asyncio.timeout(_ANSWER_S):
        committed = await _committed(settings, _partitions(settings, CO_PARTITIONED))
        ends = await _sizes(settings, _partitions(settings, (t for t in CO_PARTITIONED if t not in INBOXES)))
    waiting: Counter[int] = Counter()
    for tp, size in ends.items():
        waiting[tp.partition] += size
    return Found(frozenset(tp.partition for tp in committed), waiting)


def _partitions(settings: Settings, topics: Iterable[str]) -> list[TopicPartition]:
    names = [physical(settings.topic_prefix, topic) for topic in topics]
    return [TopicPartition(name, number) for name in names for number in range(settings.partitions)]


async def _committed(settings: Settings, tps: Collection[TopicPartition]) -> list[TopicPartition]:
    """Those of which the group has committed something. Raises KafkaError where the answer does not tell of all.

    The client overlooks an error of the whole answer (a coordinator that is loading, a group that we may not look at):
    then it tells of no partition, and a deployment that works would be taken for one that never did.
    """
    admin = AIOKafkaAdminClient(request_timeout_ms=ANSWER_MS, **client_options(settings))
    try:
        await admin.start()
        known = await admin.list_consumer_group_offsets(settings.app_id, partitions=list(tps))
    finally:
        await admin.close()
    if not all(tp in known for tp in tps):
        raise OffsetsUntold
    return [tp for tp in tps if known[tp].offset > 0]


async def _sizes(settings: Settings, tps: Collection[TopicPartition]) -> dict[TopicPartition, int]:
    """How many offsets each holds, by the broker's first answer: whether there are any is all that matters."""
    consumer = AIOKafkaConsumer(enable_auto_commit=False, request_timeout_ms=ANSWER_MS, **client_options(settings))
    try:
        await consumer.start()
        begins = await consumer.beginning_offsets(tps)
        ends = await consumer.end_offsets(tps)
    finally:
        await consumer.stop()
    return {tp: max(0, ends[tp] - begins[tp]) for tp in tps}
