"""One partition of a table as its owner writes it: the state, the term, and where the changelog ends.

Nobody else should write there, so the offsets of our own confirmed records have no gaps, and after the last of them
the log ends. What stands in a gap or at the end is somebody else's record: that of an owner that overslept.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from agents.connection import ANSWER_MS
from agents.worker.fence import Fenced
from agents.worker.moments import Moment
from agents.worker.ports import State
from agents.worker.terms import CLAIM_KEY, Reading, stamp, term_of

TIMEOUT_S = 30.0
_POLL_MS = 100
Fetch = Callable[[str, int, int, int], Awaitable[list[ConsumerRecord]]]
"""Records of a topic and partition, from an offset up to, and without, another."""


class Changelog:
    """`topic` is the name at the broker; `reading` is what recovery has read of it into `state`."""

    def __init__(self, topic: str, partition: int, state: State, reading: Reading, fetch: Fetch) -> None:
        self.topic = topic
        self.partition = partition
        self.state = state
        self.term = reading.term + 1
        self._reading = reading.copy()
        self._fetch = fetch

    @property
    def stamp(self) -> tuple[str, bytes]:
        """The header of what is written in our term."""
        return stamp(self.term)

    @property
    def moments(self) -> Iterable[Moment]:
        """The latest moments at which what was read of it was written."""
        return self._reading.moments.values()

    @property
    def end(self) -> int:
        """The offset after the last record that is known: our own, or one that was looked at."""
        return self._reading.end

    def apply(self, key: bytes, value: bytes | None) -> None:
        """Change the state; None deletes."""
        if value is None:
            self.state.pop(key, None)
        else:
            self.state[key] = value

    async def claimed(self, offset: int) -> int:
        """Our claim stands at `offset`: take in what came before it after recovery; the number of records.

        Raises Fenced where somebody has claimed a higher term, and KafkaError, OSError or TimeoutError.
        """
        late = await self._between(offset, ())
        for record in late:
            if self._reading.counts(record):
                self.apply(record.key, record.value)
        self._reading.end = offset + 1
        return len(late)

    def overtaken(self) -> set[bytes]:
        """The keys that are to be written again, because a record that does not count is the last of them."""
        return self._reading.overtaken - {CLAIM_KEY}

    async def foreign(self, offsets: Collection[int], end: int = 0) -> set[bytes]:
        """Our records stand at `offsets`, and the log reaches to `end`: the keys that anybody else has written there.

        What we wrote in an attempt that seemed to fail counts as somebody else's. Raises as `claimed`, and then tells
        of the same records the next time.
        """
        ours = {offset for offset in offsets if offset >= self._reading.end}
        end = max(end, *(offset + 1 for offset in ours), 0)
        if end <= self._reading.end:
            return set()
        found = [] if end - self._reading.end == len(ours) else await self._between(end, ours)
        self._reading.end = end
        return {record.key for record in found if record.key != CLAIM_KEY}

    async def _between(self, end: int, ours: Collection[int]) -> list[ConsumerRecord]:
        if end <= self._reading.end:
            return []
        found = await self._fetch(self.topic, self.partition, self._reading.end, end)
        others = [record for record in found if record.offset not in ours]
        if any(term_of(record) > self.term for record in others):
            raise Fenced
        return others


async def read_range(
    options: Mapping[str, Any], topic: str, partition: int, start: int, end: int
) -> list[ConsumerRecord]:
    """The records from `start` up to `end`, which the partition must reach. `options` are those of a client.

    Raises KafkaError, OSError and TimeoutError.
    """
    consumer = AIOKafkaConsumer(
        enable_auto_commit=False, auto_offset_reset="earliest", request_timeout_ms=ANSWER_MS, **options
    )
    tp = TopicPartition(topic, partition)
    found: list[ConsumerRecord] = []
    async with asyncio.timeout(TIMEOUT_S):
        try:
            await consumer.start()
            consumer.assign([tp])
            consumer.seek(tp, start)
            while await consumer.position(tp) < end:
                for records in (await consumer.getmany(timeout_ms=_POLL_MS)).values():
                    found += [record for record in records if record.offset < end]
            return found
        finally:
            await consumer.stop()
