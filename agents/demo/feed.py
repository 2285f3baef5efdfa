"""The feed: records to the broker at the pace of virtual time."""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from aiokafka import AIOKafkaProducer

from agents.connection import client_options
from agents.demo.intake import Intake
from agents.demo.source import Feedable, outgoing
from agents.settings import Settings
from schemas.times import SECOND
from streams.simulate import LINKS
from topics.partitioner import partition_of
from topics.table import TOPICS, physical

SEND_TIMEOUT_S = 15.0
STOP_TIMEOUT_S = 3.0
AHEAD_MAX = 3_000
"""How many records the feed may be ahead of the worker."""
UNCONFIRMED_MAX = 2_000
_TICK_S = 0.02


class FeedError(RuntimeError):
    """A record was not confirmed; the message says why."""


@dataclass(slots=True)
class Feed:
    """Feeds `lines` from `start` (virtual ms) on at `speed` (virtual seconds per second), if the worker keeps up.

    `intake` is told what is at the broker; `look` sees each line as it goes out.
    """

    settings: Settings
    lines: Iterable[Feedable]
    start: int
    speed: float
    intake: Intake
    look: Callable[[Feedable], None]
    events: int = 0
    links: int = 0
    position: int = field(init=False)
    """The virtual time (ms) up to which everything is at the broker."""
    _unconfirmed: deque[tuple[int, asyncio.Future[object]]] = field(default_factory=deque)

    _sent: int = field(init=False)

    def __post_init__(self) -> None:
        """Begin at the start."""
        self.position = self._sent = self.start

    async def run(self, seconds: float) -> None:
        """Feed for `seconds` of real time, or until the lines end. Raises FeedError."""
        producer = AIOKafkaProducer(
            linger_ms=5, request_timeout_ms=int(SEND_TIMEOUT_S * 1000), **client_options(self.settings)
        )
        await asyncio.wait_for(producer.start(), SEND_TIMEOUT_S)
        try:
            await self._play(producer, seconds)
            await self._confirm_all()
            self.position = max(self.position, self._sent)
            self.intake.fed(self.position)
        finally:  # where the broker has gone, the producer would try for long
            await asyncio.wait({asyncio.create_task(producer.stop())}, timeout=STOP_TIMEOUT_S)

    async def _play(self, producer: AIOKafkaProducer, seconds: float) -> None:
        lines = iter(self.lines)
        pending = next(lines, None)
        begun = last = time.monotonic()
        played = 0.0
        while pending is not None:
            wall = time.monotonic()
            if wall - begun > seconds:
                return
            if self.events + self.links - self.intake.taken < AHEAD_MAX:  # else time stands, and the worker catches up
                played += wall - last
            last = wall
            now = self.start + int(played * self.speed * SECOND)
            pending = await self._send_until(producer, pending, lines, now)
            self._confirm(now)
            self.intake.fed(self.position)
            await asyncio.sleep(_TICK_S)

    async def _send_until(
        self, producer: AIOKafkaProducer, pending: Feedable, lines: Iterator[Feedable], now: int
    ) -> Feedable | None:
        line: Feedable | None = pending
        while line is not None and line.at <= now:
            self.look(line)
            record = outgoing(line)
            partitions = TOPICS[record.topic].partitions(self.settings.partitions)
            future = await producer.send(
                physical(self.settings.topic_prefix, record.topic),
                record.value,
                key=record.key,
                partition=partition_of(record.key, partitions),
                timestamp_ms=record.at,
            )
            self._unconfirmed.append((record.at, future))
            self._sent = record.at
            self.intake.sent(record.topic)
            if record.topic == LINKS:
                self.links += 1
            else:
                self.events += 1
            if len(self._unconfirmed) >= UNCONFIRMED_MAX:
                await self._confirm_all()
            line = next(lines, None)
        return line

    def _confirm(self, now: int) -> None:
        """Move the position to `now`, or to just before the oldest record that is on its way."""
        while self._unconfirmed and self._unconfirmed[0][1].done():
            self._unconfirmed.popleft()[1].result()
        self.position = max(self.position, min(now, self._unconfirmed[0][0] - 1) if self._unconfirmed else now)

    async def _confirm_all(self) -> None:
        futures = [future for _, future in self._unconfirmed]
        if not futures:
            return
        try:
            async with asyncio.timeout(SEND_TIMEOUT_S):
                await asyncio.gather(*futures)
        except TimeoutError as problem:
            msg = f"the broker did not confirm {len(futures)} records within {SEND_TIMEOUT_S:.0f} s"
            raise FeedError(msg) from problem
        self._unconfirmed.clear()
