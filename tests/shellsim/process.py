"""A worker process: the shell as it is, on a broker, a group and a clock in memory.

What Faust does between them (rebalances, recovery of tables, the queues of agents) is done here in Faust's order.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import Any

from faust.types import TP

from agents.lease import Lease
from agents.patience import within
from agents.settings import Settings
from agents.transport import BatchLimits, RecordBatch
from agents.worker.app import AGENTS
from agents.worker.partitions import Partitions
from agents.worker.store import Store
from streams.kit import CoreKit
from streams.policy import Policy
from tests.shellsim import loop as loops
from tests.shellsim.broker import Broker
from tests.shellsim.consumer import Client, SimConsumer
from tests.shellsim.group import OK, REJOIN, Group, Share
from tests.shellsim.loop import Owner
from tests.shellsim.producer import Mishaps, SimProducer
from topics.table import CHANGELOGS, POLICIES

_RECOVERY_RECORDS = 40


@dataclass
class Surroundings:
    """What all processes share."""

    broker: Broker
    group: Group
    clock: Any
    settings: Settings
    policy: Policy
    topics: Sequence[str]
    mishaps: Mishaps
    random: Random
    faults: list[str] = field(default_factory=list)
    """What no process should ever have done."""


@dataclass
class App:
    """What the shell reads of Faust's application."""

    process: "Process"
    batch_limits: BatchLimits
    consumer_generation_id: int = -1
    rebalancing: bool = False
    rebalancing_count: int = 0
    should_stop: bool = False
    consumer: SimConsumer = field(init=False)
    producer: SimProducer = field(init=False)

    async def crash(self, problem: BaseException) -> None:
        """Faust would end the process."""
        self.process.around.faults.append(f"{self.process.name} crashed: {problem!r}")

    def add_future(self, coro: Any) -> None:
        """Run something in the background."""
        self.process.spawn(coro)


class Process(Owner):
    """One life of a worker, from its start until it is killed or has ended."""

    def __init__(self, name: str, around: Surroundings) -> None:
        super().__init__(name)
        self.around = around
        self.ended = False
        settings = around.settings
        self.app = App(self, BatchLimits(settings.batch_records_max, settings.batch_bytes_max))
        self.client = Client(self, around.broker, around.group)
        self.lease = Lease(settings.session_timeout_s, around.broker.loop.time)
        self.app.consumer = SimConsumer(self.app, self.client, self.lease, self._deliver)
        self.app.producer = SimProducer(self, around.broker, around.random, settings.partitions, around.mishaps)
        self.stores = {name: _store() for name in CHANGELOGS}
        self.kit = CoreKit(around.policy)
        self._queues: dict[str, asyncio.Queue[RecordBatch]] = {
            agent: asyncio.Queue(settings.buffered_batches_max) for agent in AGENTS
        }
        self._agent_of = {topic: agent for agent, topics in AGENTS.items() for topic in topics}
        self._tasks: list[asyncio.Task[Any]] = []
        self._rejoin = asyncio.Event()
        self._joined = False
        self._recovery: asyncio.Task[None] | None = None
        self.partitions = Partitions(self.app, settings, around.clock, self.kit, lambda: self.stores)

    @property
    def alive(self) -> bool:
        """It has not died, and has not ended."""
        return not self.dead and not self.ended

    def start(self) -> None:
        """Begin. Whatever follows from it belongs to this process."""
        with loops.within(self):
            self.spawn(self._main())

    def spawn(self, coro: Any) -> "asyncio.Task[Any]":
        """A task of this process."""
        task = self.around.broker.loop.create_task(coro)
        self._tasks.append(task)
        return task

    async def terminate(self) -> None:
        """End in order: finish what is in hand, commit, leave the group."""
        await self.partitions.close()
        await self._commit()
        await self.around.broker.call(self, lambda: self.around.group.leave(self.member))
        self.ended = self.dead = True

    async def _main(self) -> None:
        around = self.around
        policies = await around.broker.fetch(self, {_POLICIES: 0}, 0.0, 1000)
        position = self._take_policies(policies)
        await self.partitions.timekeeper.start()
        for routine in (self._coordinate, self._beat, self.client.run, self._drain, self._commit_regularly):
            self.spawn(self._guarded(routine))
        for agent in AGENTS:
            self.spawn(self._guarded(partial(self._forward, agent)))
        self.spawn(self._guarded(self._observe))
        while True:
            position = self._take_policies(await around.broker.fetch(self, {_POLICIES: position}, 5.0, 10))

    async def _guarded(self, routine: Callable[[], Awaitable[None]]) -> None:
        try:
            await routine()
        except Exception as problem:
            self.around.faults.append(f"{self.name}: a routine of the simulation failed: {problem!r}")
            raise

    def _take_policies(self, answer: Any) -> int:
        records, end = answer[_POLICIES]
        for record in records:
            if self.kit.policy(record.value, record.timestamp):
                self.partitions.policy_changed()
        return int(end)

    # -- the group ----------------------------------------------------------------------------------------------

    async def _coordinate(self) -> None:
        around, app = self.around, self.app
        while True:
            app.rebalancing = True
            app.rebalancing_count += 1
            await self._revoked()
            share: Share = await around.broker.call(self, lambda: around.group.join(self.member))
            self._rejoin.clear()
            self.member, self._joined = share.member, True
            await self._assigned(share, [TP(topic, number) for number in share.numbers for topic in around.topics])
            if self._recovery is not None:
                self._recovery.cancel()
            self._recovery = self.spawn(self._recover(share))
            await self._rejoin.wait()

    async def _assigned(self, share: Share, tps: list[TP]) -> None:
        app, consumer = self.app, self.app.consumer
        self.client.assign(share, tps)
        app.consumer_generation_id = share.generation
        consumer.assigned_in = app.rebalancing_count
        await asyncio.sleep(0)
        consumer._paused_partitions.intersection_update(tps)
        consumer._set_active_tps(set(tps))
        await asyncio.sleep(0)
        consumer.pause_partitions(set(tps))
        await asyncio.sleep(0)

    async def _revoked(self) -> None:
        consumer = self.app.consumer
        revoked = set(consumer.assignment())
        consumer._forget(consumer.assignment())
        consumer._get_active_partitions().difference_update(revoked)
        consumer._paused_partitions.difference_update(revoked)
        await asyncio.sleep(0)
        consumer.stop_flow()
        consumer.pause_partitions(revoked)
        for queue in self._queues.values():
            while not queue.empty():
                queue.get_nowait()
        await asyncio.sleep(0)
        await self.partitions.close()

    async def _beat(self) -> None:
        settings = self.around.settings
        beat = self.lease.renewed_by(within(settings.session_timeout_s, self._heartbeat))
        while True:
            await asyncio.sleep(settings.heartbeat_s)
            if self._joined:
                await beat()

    async def _heartbeat(self) -> bool:
        around = self.around
        member, generation = self.member, self.app.consumer_generation_id
        answer = await around.broker.call(self, lambda: around.group.heartbeat(member, generation))
        if member != self.member or generation != self.app.consumer_generation_id:
            return False
        if answer == OK:
            return True
        if answer != REJOIN:
            self.member = None
        self._joined = False
        self._rejoin.set()
        return bool(answer == REJOIN)

    # -- recovery -----------------------------------------------------------------------------------------------

    async def _recover(self, share: Share) -> None:
        around, app, consumer = self.around, self.app, self.app.consumer
        await asyncio.sleep(0)
        changelogs = [(name, TP(topic, number)) for number in share.numbers for name, topic in CHANGELOGS.items()]
        ends = await around.broker.call(self, lambda: {tp: around.broker.log(tp).end for _, tp in changelogs})
        consumer.resume_flow()
        for name, tp in changelogs:
            await self._read(self.stores[name], tp, ends[tp])
        completed = [
            self.spawn(self._recovered(name, store, [tp for table, tp in changelogs if table == name]))
            for name, store in self.stores.items()
        ]
        await asyncio.wait(completed)
        if app.consumer_generation_id != share.generation:
            return
        consumer.resume_partitions(set(consumer.assignment()))
        if consumer.assignment():
            await consumer.perform_seek()
        consumer.resume_flow()
        app.rebalancing = False

    async def _read(self, store: Store, tp: TP, end: int) -> None:
        position = max(0, store.persisted_offset(tp) or 0)
        while position < end:
            answer = await self.around.broker.fetch(self, {tp: position}, 0.1, _RECOVERY_RECORDS)
            records, position = answer[tp][0], max(position, answer[tp][1])
            if records:
                position = records[-1].offset + 1
                message = _Event(RecordBatch(tp, records, self.app.consumer_generation_id))
                store.apply_changelog_batch([message], lambda key: key, lambda value: value)

    async def _recovered(self, name: str, store: Store, tps: Iterable[TP]) -> None:
        await store.on_recovery_completed(set(tps), set())
        if name == "customers":
            try:
                await self.partitions.open()
            except Exception as problem:
                self.around.faults.append(f"{self.name}: opening failed: {problem!r}")
                raise

    # -- batches ------------------------------------------------------------------------------------------------

    async def _drain(self) -> None:
        await self.app.consumer._drain_messages(self.app)

    async def _deliver(self, message: Any) -> None:
        await self._queues[self._agent_of[message.tp.topic]].put(message.value)

    async def _forward(self, agent: str) -> None:
        queue = self._queues[agent]
        while True:
            await self.partitions.put(await queue.get())

    async def _commit_regularly(self) -> None:
        while True:
            await asyncio.sleep(self.around.settings.commit_interval_s)
            await self._commit()

    async def _commit(self) -> None:
        consumer = self.app.consumer
        offsets = consumer._filter_committable_offsets(list(consumer._filter_tps_with_pending_acks()))
        if offsets:
            await asyncio.sleep(self.around.broker.delay())  # Faust's flush of the producer
            await consumer._commit(offsets)

    async def _observe(self) -> None:
        while True:
            await asyncio.sleep(2.0)
            self.partitions.observe()


class _Event:
    """A changelog event, as Faust hands it to a store."""

    def __init__(self, batch: RecordBatch) -> None:
        self.message = self
        self.value = batch


_POLICIES = TP(POLICIES, 0)


def _store() -> Store:
    store = Store.__new__(Store)
    store.__post_init__()
    return store
