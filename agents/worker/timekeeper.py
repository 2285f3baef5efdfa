"""Looks at this worker's partitions, tells the other workers, hears them, and moves the time that all of them share."""

import asyncio
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from secrets import token_hex
from typing import Any, NamedTuple

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from agents import log
from agents.clock import Clock
from agents.connection import client_options
from agents.ends import end_offsets
from agents.settings import Settings
from agents.worker.fence import Fence, Fenced
from agents.worker.inputs import Inputs
from agents.worker.lane import Lane
from agents.worker.metrics import Metrics
from agents.worker.ports import Kit
from agents.worker.report import Report, decode, encode
from agents.worker.tracking import Facts, Tracker
from agents.worker.watermark import PartitionTime, WorkerTime
from agents.worker.watermark_feed import WatermarkFeed
from topics.table import INBOXES, WATERMARKS, physical

_LOOK_S = 0.05
_POKED_S = 0.01
"""Shortest time between two looks, where a lane has done something."""
_COST_MAX = 0.05
"""The share of the time that looking may take: with many partitions the looks are further apart."""
_RETRY_S = 1.0
_SAY_EVERY_S = 60.0
_HEARD_FOR_S = 10.0
"""How long it is remembered that another worker waits."""
_log = log.get("mindgap.time")


class Watched(NamedTuple):
    """A lane and what it reads."""

    lane: Lane
    inputs: Inputs


class Timekeeper:
    """One per worker. `opened` and `closed` tell which partitions are ours; `sent` where our inbox records stand."""

    def __init__(self, app: Any, settings: Settings, clock: Clock, kit: Kit, metrics: Metrics) -> None:
        self._app = app
        self._settings = settings
        self._clock = clock
        self._metrics = metrics
        self._name = token_hex(4)
        tracker = Tracker(settings.partitions, INBOXES, time.monotonic())
        self.time = WorkerTime(tracker, clock, time.monotonic, lambda at: kit.policies.at(at).max_stall)
        self._feed = WatermarkFeed(settings, self._heard)
        self._lanes: Mapping[int, Watched] = {}
        self._fence: Fence | None = None
        self._generation = 0
        self._ends = {inbox: [0] * settings.partitions for inbox in INBOXES}
        self._ends_known = False
        self._told: Facts | None = None
        self._told_at = 0.0
        self._telling: asyncio.Task[None] | None = None
        self._others: dict[str, tuple[int, float]] = {}
        self._poked = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._said_at = -_SAY_EVERY_S
        self._was_held: frozenset[int] = frozenset()

    async def start(self) -> None:
        """Hear what was said last, then go on. Raises TimeoutError where the topic cannot be read."""
        await self._feed.start()
        self._tasks.append(asyncio.create_task(self._run(), name="timekeeper"))

    async def stop(self) -> None:
        """Stop."""
        for task in [*self._tasks, *([self._telling] if self._telling else [])]:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        self._tasks.clear()
        await self._feed.stop()

    def partition_time(self) -> PartitionTime:
        """The time of a partition of ours."""
        return PartitionTime(self.time, self._clock)

    def opened(self, lanes: Mapping[int, Watched], fence: Fence) -> None:
        """These are our partitions now."""
        self.closed()
        self._lanes, self._fence = lanes, fence
        self._tasks.append(asyncio.create_task(self._learn_ends(self._generation), name="ends"))

    def closed(self) -> None:
        """We have no partitions now."""
        self._generation += 1
        self._lanes, self._fence, self._ends_known = {}, None, False
        self._tasks = [task for task in self._tasks if not task.done()]

    def sent(self, inbox: str, partition: int, offset: int) -> None:
        """A record of ours is confirmed to stand at this offset of an inbox."""
        ends = self._ends[inbox]
        ends[partition] = max(ends[partition], offset + 1)

    def poke(self) -> None:
        """Something has been worked off: look soon."""
        self._poked.set()

    async def _learn_ends(self, generation: int) -> None:
        """Where the inboxes end now. What our partitions' owners before us have sent stands before that."""
        names = {inbox: physical(self._settings.topic_prefix, inbox) for inbox in INBOXES}
        count = self._settings.partitions
        tps = [TopicPartition(name, number) for name in names.values() for number in range(count)]
        while generation == self._generation:
            try:
                found = await end_offsets(client_options(self._settings), tps)
            except (KafkaError, OSError, TimeoutError) as problem:
                _log.warning("ends_unknown", error=type(problem).__name__)
                await asyncio.sleep(_RETRY_S)
                continue
            if generation == self._generation:
                for inbox, name in names.items():
                    for number in range(count):
                        self.sent(inbox, number, found[TopicPartition(name, number)] - 1)
                self._ends_known = True
            return

    async def _run(self) -> None:
        while True:
            began = time.thread_time()  # not the time of day: on a busy machine that would be others' work
            try:
                self.look()
            except Exception as problem:  # noqa: BLE001 - time that stood still because of a defect would be silent
                self._metrics.internal_errors.labels("time_failed").inc()
                _log.error("time_failed", error=type(problem).__name__, exc_info=True)
                await asyncio.sleep(_RETRY_S)
            await asyncio.sleep(max(_POKED_S, (time.thread_time() - began) / _COST_MAX))
            with suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_S):
                    await self._poked.wait()
            self._poked.clear()

    def look(self) -> None:
        """Look at our partitions, draw the conclusions, wake the lanes whose timers are due, and tell the others."""
        facts = self._facts()
        if facts is not None:
            self.time.tracker.take(facts, time.monotonic())
        self.time.look()
        for watched in self._lanes.values():
            watched.lane.time_moved()
        self._complain()
        if facts is not None and self._worth_telling(facts):
            self._told, self._told_at = facts, time.monotonic()
            due = min((at for at in (w.lane.next_wake() for w in self._lanes.values()) if at is not None), default=None)
            report = Report(self._name, replace(facts, confirmed=self.time.confirmed), due)
            self._telling = asyncio.create_task(self._tell(encode(report)), name="tell")

    def _facts(self) -> Facts | None:
        """What is true of our partitions; None while it cannot be said, or they may be ours no longer."""
        now = self._clock.now()
        partitions = {number: watched.inputs.look(now) for number, watched in self._lanes.items()}
        if not self._ends_known or self._fence is None:
            return None
        ends = {inbox: tuple(offsets) for inbox, offsets in self._ends.items()}
        facts = Facts(partitions, ends, behind=self.time.behind)
        try:  # asked last: a process that was stopped before this line says nothing
            return facts if self._fence.is_open() else None
        except Fenced:
            return None

    def _worth_telling(self, facts: Facts) -> bool:
        """Once in the interval; at once, but not too often, where another worker may wait for it."""
        told, since = self._told, time.monotonic() - self._told_at
        if self._telling is not None and not self._telling.done():
            return False
        if told is None or since >= self._settings.watermark_interval_s:
            return True
        if since < self._settings.watermark_prompt_s or len(facts.partitions) == self._settings.partitions:
            return False
        if facts.sent != told.sent or _done(facts) != _done(told):
            return True
        before, low = _low(told), _low(facts)
        return low is not None and any(
            (before is None or before < due) and due <= low for due, _ in self._others.values()
        )

    async def _tell(self, value: bytes) -> None:
        name = physical(self._settings.topic_prefix, WATERMARKS)
        try:
            sent = await self._app.producer.enqueue(
                name, self._name.encode(), value, partition=0, timestamp_ms=self._clock.now()
            )
            await sent
            self._metrics.outputs.labels(WATERMARKS).inc()
        except (KafkaError, OSError, AssertionError) as problem:  # the next one says more
            _log.warning("watermark_not_sent", error=type(problem).__name__)

    def _heard(self, value: bytes) -> None:
        try:
            report = decode(value)
            if report.worker == self._name:
                return
            self.time.tracker.take(report.facts, time.monotonic())
        except ValueError as problem:
            self._metrics.internal_errors.labels("watermark_refused").inc()
            _log.error("watermark_refused", reason=str(problem))
            return
        now = time.monotonic()
        self._others = {name: other for name, other in self._others.items() if now - other[1] < _HEARD_FOR_S}
        if report.due is None:
            self._others.pop(report.worker, None)
        else:
            self._others[report.worker] = (report.due, now)
        self.poke()

    def _complain(self) -> None:
        held, left_out = self.time.held, self.time.left_out
        self._metrics.stalled_inputs.set(len(held))
        self._metrics.provisional.set(len(left_out))
        now = time.monotonic()
        if held and now - self._said_at >= _SAY_EVERY_S:
            self._said_at = now
            _log.warning("input_stalled", partitions=sorted(held), time_goes_on_without=sorted(left_out))
        elif not held and self._was_held:
            self._said_at = -_SAY_EVERY_S
            _log.info("input_goes_on", partitions=sorted(self._was_held))
        self._was_held = held


def _done(facts: Facts) -> dict[int, Mapping[str, int]]:
    return {number: part.done for number, part in facts.partitions.items()}


def _low(facts: Facts) -> int | None:
    lows = [part.low for part in facts.partitions.values() if part.low is not None]
    return min(lows) if lows and len(lows) == len(facts.partitions) else None
