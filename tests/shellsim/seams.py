"""The few places where the shell reaches a broker, a clock or chance by itself: there the simulation takes their place."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from random import Random
from types import SimpleNamespace
from typing import Any, cast
from unittest.mock import patch

from aiokafka import ConsumerRecord, TopicPartition
from faust.types import TP

import agents.transport
import agents.worker.changelog
import agents.worker.changelog_watch
import agents.worker.first_start
import agents.worker.lane
import agents.worker.letters
import agents.worker.partitions
import agents.worker.publisher
import agents.worker.timekeeper
from agents.settings import Settings
from agents.worker.batch_size import BatchSize
from agents.worker.changelog import Changelog
from agents.worker.first_start import Found
from agents.worker.lane import Lane
from tests.shellsim.loop import OWNER
from tests.shellsim.owners import Owners
from tests.shellsim.process import Process
from topics.table import INBOXES, WATERMARKS

_FEED_WAIT_S = 0.5
_TAIL_RECORDS = 50
_LOOK_S = 0.2
_LOGGING = (
    agents.transport,
    agents.worker.changelog_watch,
    agents.worker.first_start,
    agents.worker.lane,
    agents.worker.letters,
    agents.worker.partitions,
    agents.worker.publisher,
    agents.worker.timekeeper,
)


def _process() -> Process:
    """Whose code is running."""
    return cast("Process", OWNER.get())


class Feed:
    """`agents.worker.watermark_feed`, reading from the broker in memory."""

    def __init__(self, settings: Settings, take: Callable[[bytes], None]) -> None:
        self._tp = TP(settings.topic_prefix + WATERMARKS, 0)
        self._take = take
        self._position = 0
        self._following: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Read the end of what is there, then follow."""
        process = _process()
        end = await process.around.broker.call(process, lambda: process.around.broker.log(self._tp).end)
        self._position = max(0, end - _TAIL_RECORDS)
        if end:
            await self._read()
        self._following = asyncio.create_task(self._follow())

    async def stop(self) -> None:
        """Stop following."""
        if self._following is not None:
            self._following.cancel()

    async def _follow(self) -> None:
        while True:
            await self._read()

    async def _read(self) -> None:
        process = _process()
        answer = await process.around.broker.fetch(process, {self._tp: self._position}, _FEED_WAIT_S, 100)
        for record in answer[self._tp][0]:
            self._position = record.offset + 1
            self._take(record.value)


async def _end_offsets(_: Mapping[str, Any], tps: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
    process = _process()
    broker, wanted = process.around.broker, list(tps)
    return dict(await broker.call(process, lambda: {tp: broker.log(TP(*tp)).end for tp in wanted}))


async def _highwaters(_: Mapping[str, Any], known: Mapping[TopicPartition, int]) -> dict[TopicPartition, int]:
    return await _end_offsets({}, known)


async def _read_range(_: Mapping[str, Any], topic: str, partition: int, start: int, end: int) -> list[ConsumerRecord]:
    process = _process()
    return list(
        await process.around.broker.call(
            process, lambda: process.around.broker.log(TP(topic, partition)).since(start, end)
        )
    )


async def _inputs_found(settings: Settings) -> Found:
    process = _process()
    broker, group = process.around.broker, process.around.group

    def found() -> Found:
        inputs = set(process.around.topics) - set(INBOXES)
        waiting: Counter[int] = Counter()
        for tp, log in broker.logs.items():
            waiting[tp.partition] += log.end if tp.topic in inputs else 0
        return Found(frozenset(tp.partition for tp, offset in group.committed.items() if offset), waiting)

    return cast("Found", await broker.call(process, found))


class _Log:
    """A logger that tells the simulation."""

    def __init__(self, told: Callable[[str], None]) -> None:
        self._told = told

    def __getattr__(self, level: str) -> Callable[..., None]:
        def say(event: str, **fields: Any) -> None:
            fields.pop("exc_info", None)
            owner = OWNER.get()
            words = " ".join(f"{name}={value}" for name, value in fields.items())
            self._told(f"{owner.name if owner else '-'} {level} {event} {words}")

        return say


@contextmanager
def _watched(owners: Owners) -> Iterator[None]:
    """Within: lanes tell what state they begin with, and changelogs what they change in it."""
    begin_backlog, apply = Lane._begin_backlog, Changelog.apply

    async def begun(self: Lane) -> None:
        process, number = _process(), self.partition
        owners.begun(process, number, {name: store.partition(number) for name, store in process.stores.items()})
        await begin_backlog(self)

    def applied(self: Changelog, key: bytes, value: bytes | None) -> None:
        owners.applied(_process(), TP(self.topic, self.partition), key, value)
        apply(self, key, value)

    with patch.object(Lane, "_begin_backlog", begun), patch.object(Changelog, "apply", applied):
        yield


@contextmanager
def replaced(random: Random, told: Callable[[str], None], owners: Owners) -> Iterator[None]:
    """Within: the shell's own time, chance and clients are those of the simulation; `told` hears what it logs."""
    timekeeper = "agents.worker.timekeeper"
    time = SimpleNamespace(
        monotonic=lambda: asyncio.get_running_loop().time(),
        thread_time=lambda: 0.0,  # a look takes no time of the simulation
    )
    with ExitStack() as stack:
        for name, value in {
            f"{timekeeper}.time": time,
            f"{timekeeper}.token_hex": lambda size: f"{random.getrandbits(8 * size):0{2 * size}x}",
            f"{timekeeper}.WatermarkFeed": Feed,
            f"{timekeeper}.end_offsets": _end_offsets,
            f"{timekeeper}._LOOK_S": _LOOK_S,  # a look costs more than all else in a quiet second
            "agents.worker.changelog_watch.highwaters": _highwaters,
            "agents.worker.partitions.read_range": _read_range,
            "agents.worker.partitions.BatchSize": partial(BatchSize, seconds=time.monotonic),
            "agents.worker.first_start._look": _inputs_found,
        }.items():
            stack.enter_context(patch(name, value))
        stack.enter_context(_watched(owners))
        for module in _LOGGING:
            stack.enter_context(patch.object(module, "_log", _Log(told)))
        yield
