"""Looks now and then whether somebody else has written to the changelogs of our partitions.

An owner that writes sees by its own offsets that another wrote before it. One that has nothing to write would not, and
meanwhile the last record of a key, which compaction keeps, could be that of an owner that overslept.
"""

import asyncio
from collections.abc import Mapping

from aiokafka import TopicPartition

from agents import log
from agents.connection import client_options
from agents.ends import highwaters
from agents.settings import Settings
from agents.worker.lane import Lane

LOOK_S = 5.0
"""Time between two looks: one fetch that mostly finds nothing, for all partitions of this worker together."""
_ENDING_S = 1.0
"""How long a look may take to end: a rebalance does not wait for a broker that does not answer."""
_log = log.get("mindgap.changelogs")


class ChangelogWatch:
    """One per worker. `opened` tells which lanes are ours."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._looking: asyncio.Task[None] | None = None

    def opened(self, lanes: Mapping[int, Lane]) -> None:
        """These are our lanes, by partition, until `closed`."""
        self._looking = asyncio.create_task(self._look_regularly(lanes), name="changelogs")

    async def closed(self) -> None:
        """We have no lanes now."""
        looking, self._looking = self._looking, None
        if looking is not None:
            looking.cancel()
            await asyncio.wait({looking}, timeout=_ENDING_S)

    async def _look_regularly(self, lanes: Mapping[int, Lane]) -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            try:
                await self._look(lanes)
            except Exception as problem:  # noqa: BLE001 - whatever it is, the next look comes
                _log.warning("changelog_ends_unknown", error=type(problem).__name__)

    async def _look(self, lanes: Mapping[int, Lane]) -> None:
        known = {
            TopicPartition(topic, number): end
            for number, lane in lanes.items()
            if lane.has_begun
            for topic, end in lane.publisher.ends().items()
        }
        if not known:
            return
        found = await highwaters(client_options(self._settings), known)
        for number, lane in lanes.items():
            ends = {tp.topic: end for tp, end in found.items() if tp.partition == number and end > known[tp]}
            if ends:  # mostly what the lane itself has written meanwhile
                lane.ends_seen(ends)
