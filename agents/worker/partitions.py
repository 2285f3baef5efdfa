"""The partitions of this worker: a lane for each, opened after recovery and closed when they are taken away."""

import asyncio
from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any

from faust.types import TP

from agents import log
from agents.clock import Clock
from agents.connection import client_options
from agents.settings import Settings
from agents.transport import BatchLimits, RecordBatch
from agents.worker.batch_size import BatchSize
from agents.worker.changelog import Changelog, read_range
from agents.worker.changelog_watch import ChangelogWatch
from agents.worker.fence import Fence
from agents.worker.first_start import End, FirstStart
from agents.worker.inputs import Inputs
from agents.worker.lane import Lane
from agents.worker.metrics import Metrics
from agents.worker.ports import Kit, Node
from agents.worker.publisher import Publisher
from agents.worker.soundness import Soundness, States
from agents.worker.store import Store
from agents.worker.timekeeper import Timekeeper, Watched
from agents.worker.unread import Unread, unread
from topics.partitioner import partition_of
from topics.table import CHANGELOGS, CO_PARTITIONED, INBOXES, logical, physical

ENDING_TIMEOUT_S = 5.0
STALLED_AFTER_S = 60.0
_OWNERS_KEPT = 20_000
"""How many keys' partitions are remembered: a node asks several times for each record."""
_log = log.get("mindgap.partitions")


class Partitions:
    """Opens, feeds and closes the lanes."""

    def __init__(
        self, app: Any, settings: Settings, clock: Clock, kit: Kit, stores: Callable[[], dict[str, Store]]
    ) -> None:
        self._app = app
        self._settings = settings
        self._clock = clock
        self._kit = kit
        self._stores = stores
        self.metrics = Metrics()
        self.timekeeper = Timekeeper(app, settings, clock, kit, self.metrics)
        self._changelogs = ChangelogWatch(settings)
        self._lanes: dict[int, tuple[Lane, asyncio.Task[None]]] = {}
        self._inputs_of: dict[int, Inputs] = {}
        self._generation: int | None = None
        self._unread = Unread(app)
        self._size = BatchSize(
            BatchLimits(settings.batch_records_max, settings.batch_bytes_max), settings.session_timeout_s
        )
        app.batch_limits = self._size.limits
        self._first_start = FirstStart(settings)

    async def open(self) -> None:
        """Open a lane for every partition that is ours now. Called when recovery is complete.

        Where another rebalance has begun meanwhile, none is opened: the recovery that follows it will.
        """
        await self.close()
        app = self._app
        generation = app.consumer_generation_id
        if app.consumer.assigned_in != app.rebalancing_count:
            _log.info("recovery_overtaken", generation=generation)
            return
        owned = self._owned()
        stores = self._stores()
        for store in stores.values():
            store.keep_only(owned)
        self._inputs_of = {number: self._inputs_at(number) for number in owned}
        self._first_start = FirstStart(self._settings)
        for number in sorted(owned):
            lane = self._lane(number, generation, stores)
            task = asyncio.create_task(lane.run(), name=f"lane-{number}")
            task.add_done_callback(partial(self._ended, number))
            self._lanes[number] = (lane, task)
            await asyncio.sleep(0)
        self._generation = generation
        watched = {number: Watched(lane, self._inputs_of[number]) for number, (lane, _) in self._lanes.items()}
        self.timekeeper.opened(watched, Fence(app, generation, app.consumer.lease))
        self._changelogs.opened({number: lane for number, (lane, _) in self._lanes.items()})
        self.metrics.partitions.set(len(owned))
        self.metrics.recoveries.inc()
        _log.info("partitions_recovered", partitions=sorted(owned), generation=generation)

    async def close(self) -> None:
        """Close all lanes; the work in hand may end if it does so soon."""
        self.timekeeper.closed()
        lanes, self._lanes = self._lanes, {}
        for lane, _ in lanes.values():
            lane.end()
        tasks = [task for _, task in lanes.values()]
        if tasks:
            await asyncio.wait(tasks, timeout=0 if self._app.rebalancing else ENDING_TIMEOUT_S)
            now = asyncio.get_running_loop().time()
            busy_since = {number: lane.busy_since for number, (lane, _) in lanes.items()}
            cut_short = {number: now - since for number, since in busy_since.items() if since is not None}
            for lane, task in lanes.values():
                lane.abort()
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            _log.info("partitions_closed", partitions=sorted(lanes), cut_short=[*cut_short])
            if cut_short and self._size.cut_short(max(cut_short.values())):
                self._resized()
        for number in lanes:
            self.metrics.forget(number)
        self.metrics.partitions.set(0)
        await self._changelogs.closed()

    async def put(self, batch: RecordBatch) -> None:
        """Give a batch to its lane. One that belongs to no lane is dropped: it is not done, so it comes again."""
        entry = self._lanes.get(batch.tp.partition)
        if entry is not None and batch.generation == self._generation:
            await entry[0].put(batch)

    def policy_changed(self) -> None:
        """Have every lane settle its customers anew."""
        for lane, _ in self._lanes.values():
            lane.policy_changed()

    def stalled(self) -> list[int]:
        """Partitions whose work does not end or whose writes are refused for long; anybody's that time waits for."""
        now = asyncio.get_running_loop().time()
        stuck = {
            number
            for number, (lane, _) in self._lanes.items()
            for since in (lane.busy_since, lane.publisher.retrying_since)
            if since is not None and now - since > STALLED_AFTER_S
        }
        if self._unread.since_s() > STALLED_AFTER_S:
            stuck |= self._lanes.keys()
        return sorted(stuck | self.timekeeper.time.held)

    def beginning(self) -> list[int]:
        """Partitions that cannot take anything yet."""
        return sorted(number for number, (lane, _) in self._lanes.items() if not lane.has_begun)

    def in_backlog(self) -> list[int]:
        """Partitions that take in what was there before the first start, and say nothing of it yet."""
        return sorted(number for number, (lane, _) in self._lanes.items() if lane.in_backlog)

    async def look_after(self) -> None:
        """Find topics that nobody reads, and have them read."""
        if self.are_open and not self._app.rebalancing:
            await self._unread.see(unread(self._settings, self._inputs()))

    def observe(self) -> None:
        """Bring the gauges up to date, and let batches grow again."""
        if self._size.grow():
            self._resized()
        for number, (lane, _) in self._lanes.items():
            lag = sum(self._app.consumer.progress(tp).lag for tp in self._inputs_of[number].tps)
            self.metrics.lag.labels(str(number)).set(lag)
            self.metrics.watermark_age.labels(str(number)).set(lane.time.age() / 1000)
            self.metrics.open_timers.labels(str(number)).set(lane.timers())
            self.metrics.backlog.labels(str(number)).set(lane.in_backlog)

    @property
    def are_open(self) -> bool:
        """Lanes are there for the group's present generation (none are needed where nothing is owned)."""
        return self._generation is not None and self._generation == self._app.consumer_generation_id

    def _resized(self) -> None:
        limits = self._app.batch_limits = self._size.limits
        _log.warning(
            "batches_resized",
            records_max=limits.records_max,
            bytes_max=limits.bytes_max,
            timers_max=self._size.timers_max,
        )

    def _owned(self) -> set[int]:
        return {tp.partition for tp in self._inputs()}

    def _inputs(self) -> list[TP]:
        ours = {physical(self._settings.topic_prefix, name) for name in CO_PARTITIONED}
        return [tp for tp in self._app.consumer.assignment() if tp.topic in ours]

    def _inputs_at(self, number: int) -> Inputs:
        tps = {logical(self._settings.topic_prefix, tp.topic): tp for tp in self._inputs() if tp.partition == number}
        inboxes = {name: tp for name, tp in tps.items() if name in INBOXES}
        outside = tuple(tp for name, tp in tps.items() if name not in INBOXES)
        return Inputs(outside, inboxes, self._app.consumer.standing)

    def _lane(self, number: int, generation: int, stores: dict[str, Store]) -> Lane:
        settings, app = self._settings, self._app
        states = {name: store.partition(number) for name, store in stores.items()}
        inputs = self._inputs_of[number]
        fence = Fence(app, generation, app.consumer.lease)
        publisher = Publisher(
            number,
            prefix=settings.topic_prefix,
            producer=app.producer,
            changelogs={name: self._changelog(name, number, store) for name, store in stores.items()},
            fence=fence,
            clock=self._clock,
            metrics=self.metrics,
            on_sent=self.timekeeper.sent,
        )
        sound = Soundness(number, states, partial(self._node, number), self._kit.is_sound, self.metrics)
        return Lane(
            number,
            prefix=settings.topic_prefix,
            kit=self._kit,
            make_node=sound.node,
            check_state=sound.check,
            first_start=self._first_start,
            backlog_end=End(lambda: inputs.low),
            publisher=publisher,
            fence=fence,
            clock=self._clock,
            partition_time=self.timekeeper.partition_time(),
            mark_done=app.consumer.mark_done,
            worked=self.timekeeper.poke,
            metrics=self.metrics,
            batches_max=settings.buffered_batches_max,
            records_max=lambda: 2 * self._size.limits.records_max,
            timers_max=lambda: self._size.timers_max,
        )

    def _changelog(self, name: str, number: int, store: Store) -> Changelog:
        topic = physical(self._settings.topic_prefix, CHANGELOGS[name])
        fetch = partial(read_range, client_options(self._settings))
        return Changelog(topic, number, store.partition(number), store.reading(number), fetch)

    def _node(self, number: int, states: States) -> Node:
        count = self._settings.partitions
        owner = lru_cache(_OWNERS_KEPT)(lambda key: partition_of(key.encode(), count))
        tables = (states["identities"], states["customers"], states["aggregates"])
        node = self._kit.node(number, count, *tables, owner)
        node.rebuild()
        return node

    def _ended(self, number: int, task: "asyncio.Task[None]") -> None:
        if not task.cancelled() and (problem := task.exception()) is not None:
            _log.critical("lane_crashed", partition=number, error=type(problem).__name__, exc_info=problem)
            self._app.add_future(self._app.crash(problem))  # the process ends without committing
