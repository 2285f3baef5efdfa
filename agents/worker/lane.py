"""A lane: the one task that works on one partition number, its batches and its timers in turn.

All topics of a partition share a node, so all of their batches pass through one lane; nothing needs a lock.
"""

import asyncio
import contextlib
import heapq
import time
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from operator import attrgetter
from typing import Any

from agents import log
from agents.clock import Clock
from agents.transport import RecordBatch
from agents.worker.batch_size import TIMERS_MAX
from agents.worker.fence import Fence, Fenced, Overtaken
from agents.worker.first_start import End, FirstStart
from agents.worker.letters import Buried
from agents.worker.metrics import Metrics
from agents.worker.moments import Moment, moment_of
from agents.worker.ports import Effects, Incoming, Kit, Node
from agents.worker.publisher import Publisher, StateRefused
from agents.worker.watermark import PartitionTime
from schemas.times import format_time
from topics.table import INBOXES, logical

TICK_S = 0.25
"""Longest time between two looks at the timers."""
_WAKE_BACKOFF_S = (1.0, 60.0)
_log = log.get("mindgap.lane")


async def _unchecked() -> None:
    """For who keeps no state that could be damaged."""


class Lane:
    """Works on one partition from its recovery until it is lost."""

    def __init__(
        self,
        partition: int,
        *,
        prefix: str,
        kit: Kit,
        make_node: Callable[[], Node],
        publisher: Publisher,
        fence: Fence,
        clock: Clock,
        partition_time: PartitionTime,
        mark_done: Callable[[RecordBatch], None],
        worked: Callable[[], None] = lambda: None,
        check_state: Callable[[], Awaitable[None]] = _unchecked,
        first_start: FirstStart | None = None,
        backlog_end: End | None = None,
        metrics: Metrics,
        batches_max: int,
        records_max: Callable[[], int],
        timers_max: Callable[[], int] = lambda: TIMERS_MAX,
    ) -> None:
        """`worked` is called whenever something has been worked off; `records_max` bounds what is taken at once.

        `timers_max` bounds how many timers run at once.

        `check_state`, when the core has failed: nodes made after it do without state that cannot be read.
        `first_start` is asked where there is no state, `backlog_end` when what it told of is over.
        """
        self.partition = partition
        self.time = partition_time
        self.publisher = publisher
        self.busy_since: float | None = None
        """Loop time at which the work in hand began; None while idle."""
        self._prefix = prefix
        self._kit = kit
        self._make_node = make_node
        self._node = make_node()
        self._fence = fence
        self._clock = clock
        self._mark_done = mark_done
        self._worked = worked
        self._check_state = check_state
        self._first_start = first_start
        self._backlog_end = backlog_end
        self._metrics = metrics
        self._batches_max = batches_max
        self._records_max = records_max
        self._timers_max = timers_max
        self._waiting: deque[RecordBatch] = deque()
        self._arrived = asyncio.Event()
        self._room = asyncio.Event()
        self._policy_news = False
        self._ends: Mapping[str, int] = {}
        self.has_begun = False
        """The term is claimed, and it is known whether this is a first start: batches are taken from now on."""
        self._ending = False
        self._dismissed = False
        self._wake_after = 0.0
        self._wake_backoff = _WAKE_BACKOFF_S[0]

    async def put(self, batch: RecordBatch) -> None:
        """Hand a batch over; waits while too many wait already."""
        while len(self._waiting) >= self._batches_max and not self._ending:
            self._room.clear()
            await self._room.wait()
        if not self._ending:  # else it is delivered again, to whoever has the partition then
            self._waiting.append(batch)
            self._arrived.set()

    def policy_changed(self) -> None:
        """Settle every customer anew, as the next thing."""
        self._policy_news = True
        self._arrived.set()

    def next_wake(self) -> int | None:
        """When the earliest timer is due (ms)."""
        return self._node.next_wake

    def ends_seen(self, ends: Mapping[str, int]) -> None:
        """The changelogs, by topic, reach that far: look soon whether somebody else has written there."""
        self._ends = ends

    def time_moved(self) -> None:
        """Look whether a timer has become due; to be called when time may have moved."""
        due, now = self._node.next_wake, self.time.now()
        if due is not None and now is not None and due <= now.at:
            self._arrived.set()

    def timers(self) -> int:
        """Number of timers that wait."""
        return self._node.open_timers

    @property
    def in_backlog(self) -> bool:
        """What was there before the first start is being worked off."""
        return self._node.backlog is not None

    def end(self) -> None:
        """Finish what is in hand and no more; what waits is delivered again, to whoever has the partition then."""
        self._dismissed = True
        self._take_no_more()

    def _take_no_more(self) -> None:
        self._ending = True
        self._waiting.clear()
        self._arrived.set()
        self._room.set()

    def abort(self) -> None:
        """Write nothing more, not even what is in hand."""
        self.end()
        self._fence.shut()

    async def run(self) -> None:
        """Work until `end`, or until the partition belongs to somebody else.

        Raises Overtaken where the group says that it is still ours: nobody would open it again before a rebalance.
        """
        try:
            if await self.publisher.begin():
                self._node = self._make_node()
            for moment in self.publisher.moments():
                self.time.heard(moment)
            await self._begin_backlog()
            self.has_begun = True
            while not self._ending:
                batches = await self._next()
                await self._fence.opened()
                self.busy_since = asyncio.get_running_loop().time()
                if batches:
                    await self._take(batches)
                if self._policy_news:
                    await self._settle_all()
                await self._end_backlog()
                await self._wake()
                if self._ends:
                    ends, self._ends = self._ends, {}
                    await self.publisher.mend(ends)
                self.busy_since = None
        except Fenced:
            _log.info("partition_fenced", partition=self.partition)
            self._take_no_more()
            await self._check_whose()
        finally:
            self._take_no_more()

    async def _check_whose(self) -> None:
        """We were told that we own the partition no more: the group should say so, too, before a lease is over."""
        loop = asyncio.get_running_loop()
        ends = loop.time() + self._fence.lease_s
        with contextlib.suppress(Fenced):
            while not self._dismissed and (not self._fence.is_open() or loop.time() < ends):  # noqa: ASYNC110 - no event
                await asyncio.sleep(TICK_S)
            if not self._dismissed:
                raise Overtaken

    async def _begin_backlog(self) -> None:
        """On a first start, say in the state whether it is over a backlog, before anything is taken."""
        if self.in_backlog:
            _log.info("backlog_goes_on", partition=self.partition, until=format_time(self._node.backlog or 0))
        elif self._first_start is not None and self.publisher.is_new:
            waiting = await self._first_start.backlog(self.partition, self._fence)
            until = self._clock.now() if waiting is not None else None
            await self._publish(self._node.begin_backlog(until), self.time.in_hand())
            if until is not None:
                _log.info("backlog_begun", partition=self.partition, records=waiting, until=format_time(until))

    async def _end_backlog(self) -> None:
        until, now = self._node.backlog, self.time.now()
        if until is None or now is None or self._backlog_end is None or not self._backlog_end.reached(until, now.at):
            return
        loop_time = asyncio.get_running_loop().time()
        if loop_time < self._wake_after:
            return
        effects = self._node.end_backlog()
        try:
            await self._publish(effects, now)
        except Fenced:
            raise
        except Exception as problem:  # noqa: BLE001 - whatever it is, the partition goes on
            await self._defect("backlog_end_failed", problem)
            self._pause(loop_time)
            return
        _log.info("backlog_done", partition=self.partition, provisional=now.provisional, **effects.counts)

    async def _next(self) -> list[RecordBatch]:
        """The batches that wait, as many as fit; none when it is time to look at the timers."""
        if not self._waiting and not self._can_settle() and not self._ending:
            self._arrived.clear()
            try:
                async with asyncio.timeout(self._patience()):
                    await self._arrived.wait()
            except TimeoutError:
                return []
        batches: list[RecordBatch] = []
        records = 0
        while self._waiting and (not batches or records + len(self._waiting[0].records) <= self._records_max()):
            batch = self._waiting.popleft()
            records += len(batch.records)
            batches.append(batch)
        self._room.set()
        return batches

    def _can_settle(self) -> bool:
        """News of a policy wait, and the time is known at which they are to be taken."""
        return self._policy_news and self.time.now() is not None

    def _patience(self) -> float:
        """Until the next look at the timers; `time_moved` ends it sooner."""
        due, now = self._node.next_wake, self.time.now()
        more = due is not None and now is not None and due <= now.at
        return 0.001 if more and asyncio.get_running_loop().time() >= self._wake_after else TICK_S

    async def _take(self, batches: Sequence[RecordBatch]) -> None:
        started = time.perf_counter()
        incoming = _in_order_of_arrival([self._incoming(batch) for batch in batches])
        for record in incoming:
            self.time.took(record.arrived_at)
            if record.topic in INBOXES and (sent_at := moment_of(record.headers)) is not None:
                self.time.heard(sent_at)
        now = self.time.in_hand()
        try:
            effects = self._node.handle(self._kit.records(incoming), now.at, provisional=now.provisional)
            self._metrics.core_seconds.observe(time.perf_counter() - started)
            await self._publish(effects, now)
        except Fenced:
            raise
        except Exception as problem:  # noqa: BLE001 - whatever it is, the partition goes on
            await self._defect("batch_failed", problem, records=len(incoming))
            await self._one_by_one(incoming, now)
        for batch in batches:
            self._mark_done(batch)
        self._worked()
        for topic, number in Counter(record.topic for record in incoming).items():
            self._metrics.events_in.labels(topic).inc(number)
        self._metrics.batch_records.observe(len(incoming))
        self._metrics.batch_seconds.observe(time.perf_counter() - started)

    async def _one_by_one(self, incoming: Sequence[Incoming], now: Moment) -> None:
        """The batch again, record by record, so that only the one that cannot be taken is given up."""
        for record in incoming:
            try:
                effects = self._node.handle(self._kit.records([record]), now.at, provisional=now.provisional)
                await self._publish(effects, now)
            except Fenced:
                raise
            except Exception as problem:  # noqa: BLE001 - likewise
                where = {"topic": record.topic, "offset": record.offset}
                await self._defect("record_failed", problem, **where)
                await self.publisher.bury([Buried(record, "internal_error", type(problem).__name__)])
            await asyncio.sleep(0)

    async def _settle_all(self) -> None:
        now = self.time.now()
        if now is None:
            return  # the news stay; they are taken when the partition's time is known
        self._policy_news = False
        try:
            await self._publish(self._kit.policy_changed(self._node, now.at), now)
        except Fenced:
            raise
        except Exception as problem:  # noqa: BLE001 - likewise
            await self._defect("settling_failed", problem)

    async def _wake(self) -> None:
        loop_time = asyncio.get_running_loop().time()
        now = self.time.now()
        due = self._node.next_wake
        if now is None or due is None or due > now.at or loop_time < self._wake_after:
            return
        try:
            effects = self._node.wake(now.at, provisional=now.provisional, most=self._timers_max())
            await self._publish(effects, now)
            self._wake_backoff = _WAKE_BACKOFF_S[0]
        except Fenced:
            raise
        except Exception as problem:  # noqa: BLE001 - likewise
            await self._defect("timers_failed", problem)
            self._pause(loop_time)

    def _pause(self, loop_time: float) -> None:
        """Have the timers wait, longer each time, after something of theirs has failed."""
        self._wake_after = loop_time + self._wake_backoff
        self._wake_backoff = min(self._wake_backoff * 2, _WAKE_BACKOFF_S[1])

    async def _publish(self, effects: Effects, now: Moment) -> None:
        await self.publisher.publish(effects, now)
        self._metrics.counted(effects.counts)

    async def _defect(self, event: str, problem: Exception, **fields: Any) -> None:
        """Tell of a defect of ours, and begin again from the stores: the node may have stopped half way."""
        self._metrics.internal_errors.labels(event).inc()
        _log.error(
            event,
            partition=self.partition,
            error=type(problem).__name__,
            at=_where(problem),
            refused=isinstance(problem, StateRefused),
            **fields,
        )
        await self._check_state()
        self._node = self._make_node()

    def _incoming(self, batch: RecordBatch) -> list[Incoming]:
        topic = logical(self._prefix, batch.tp.topic)
        return [
            Incoming(topic, r.key, r.value, r.timestamp, r.partition, r.offset, tuple(r.headers or ()))
            for r in batch.records
        ]


def _in_order_of_arrival(batches: list[list[Incoming]]) -> list[Incoming]:
    """One list by arrival; what came through one topic stays in its order."""
    by_topic: dict[str, list[Incoming]] = {}
    for batch in batches:
        by_topic.setdefault(batch[0].topic, []).extend(batch)
    if len(by_topic) == 1:
        return next(iter(by_topic.values()))
    return list(heapq.merge(*by_topic.values(), key=attrgetter("arrived_at")))


def _where(problem: BaseException) -> str:
    """File and line of the innermost frame: the message of an exception may quote a record, so it is not logged."""
    trace = problem.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace is not None else ""
