"""The live side: an embedded broker or a given one, worker processes, the input as fast as it goes."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import aiohttp
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from agents.connection import client_options
from agents.demo.source import Outgoing
from agents.ends import end_offsets
from agents.free_port import free_port
from agents.produce import Record, produce
from agents.read_all import read_all
from agents.settings import Settings
from topics.table import CO_PARTITIONED, physical

READY_TIMEOUT_S = 60.0
DRAIN_STALL_S = 120.0
"""How long nothing may be worked off before waiting is given up."""
STOP_TIMEOUT_S = 20.0
Place = tuple[str, int, int]
"""Topic at the broker, partition and offset of a record."""
_POLL_S = 0.5


class VerifyError(RuntimeError):
    """The live side did not work; the message says what and where its log is."""


@dataclass(slots=True)
class Workers:
    """Worker processes of our own, on this machine."""

    environment: dict[str, str]
    folder: Path
    running: list["subprocess.Popen[bytes]"] = field(default_factory=list)
    ports: dict[int, int] = field(default_factory=dict)
    started: int = 0

    def start(self) -> "subprocess.Popen[bytes]":
        """One more worker."""
        port = free_port()
        self.started += 1
        environment = {**os.environ, **self.environment, "MINDGAP_WEB_PORT": str(port), "MINDGAP_LOG_FORMAT": "json"}
        command = [sys.executable, "-m", "agents.cli", "worker"]
        with (self.folder / f"worker-{self.started}.log").open("wb") as log:
            process = subprocess.Popen(  # noqa: S603 - our own command
                command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=environment, start_new_session=True
            )
        self.running.append(process)
        self.ports[process.pid] = port
        return process

    def kill(self) -> int:
        """Kill -9 of the oldest worker, and a new one in its place; the id of the killed."""
        victim = self.running.pop(0)
        victim.send_signal(signal.SIGKILL)
        victim.wait(STOP_TIMEOUT_S)
        self.start()
        return victim.pid

    def check(self) -> None:
        """Raise VerifyError where one has ended by itself."""
        for process in self.running:
            if process.poll() is not None:
                raise VerifyError(f"a worker ended with status {process.returncode}; its log is in {self.folder}")

    async def ready(self) -> None:
        """Return when all of them work."""
        limit = time.monotonic() + READY_TIMEOUT_S
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=2)) as session:
            for process in self.running:
                url = f"http://127.0.0.1:{self.ports[process.pid]}/readyz"
                while True:
                    self.check()
                    with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                        async with session.get(url) as answer:
                            if answer.status == 200:
                                break
                    if time.monotonic() > limit:
                        raise VerifyError(f"a worker was not ready within {READY_TIMEOUT_S:.0f} s; see {self.folder}")
                    await asyncio.sleep(0.1)

    def stop(self) -> None:
        """End them all."""
        for process in self.running:
            process.terminate()
        for process in self.running:
            try:
                process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(STOP_TIMEOUT_S)
        self.running.clear()


@contextmanager
def workers(environment: dict[str, str], folder: Path, count: int) -> Iterator[Workers]:
    """So many workers for the length of the block."""
    pool = Workers(environment, folder)
    try:
        for _ in range(count):
            pool.start()
        yield pool
    finally:
        pool.stop()


async def send(settings: Settings, records: Sequence[Outgoing]) -> list[Place]:
    """Send the records, in order, all confirmed; where each stands.

    A broker that takes the producers' times (the embedded one) lets them arrive when they were recorded to.
    """
    placed = await produce(settings, [Record(*record) for record in records])
    return [(place.topic, place.partition, place.offset) for place in placed]


async def arrivals(settings: Settings, topics: Iterable[str], places: Iterable[Place]) -> list[int]:
    """When the record at each place of the topics (logical names) arrived (ms), as the workers are told."""
    arrived = {
        (record.topic, record.partition, record.offset): record.timestamp
        for topic in topics
        async for record in read_all(settings, topic)
    }
    return [arrived[place] for place in places]


class Backlog:
    """How much of the input, and of what the workers send one another, is not worked off yet."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._partitions = [
            TopicPartition(physical(settings.topic_prefix, topic), number)
            for topic in CO_PARTITIONED
            for number in range(settings.partitions)
        ]

    async def __aenter__(self) -> Self:
        self._admin = AIOKafkaAdminClient(**client_options(self._settings))
        await self._admin.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._admin.close()

    async def size(self) -> int:
        """Records after the group's committed offsets."""
        return sum(end - begin for begin, end in (await self.left()).values())

    async def left(self) -> dict[TopicPartition, tuple[int, int]]:
        """Where there are any: the offset of the first, and that after the last."""
        ends = await end_offsets(client_options(self._settings), self._partitions)
        committed = await self._admin.list_consumer_group_offsets(self._settings.app_id, partitions=self._partitions)
        begins = {partition: max(0, known.offset) for partition, known in committed.items()}
        spans = {partition: (begins.get(partition, 0), end) for partition, end in ends.items()}
        return {partition: (begin, end) for partition, (begin, end) in spans.items() if begin < end}

    async def drained(self, pool: Workers) -> None:
        """Return when nothing is left. Raises VerifyError where nothing moves any more."""
        least, since, empty = -1, time.monotonic(), 0
        while empty < 2:  # once may be the moment between two inboxes
            pool.check()
            size = await self.size()
            empty = empty + 1 if size == 0 else 0
            if size != least:
                least, since = size, time.monotonic()
            elif size and time.monotonic() - since > DRAIN_STALL_S:
                raise VerifyError(f"{size} records were not worked off; the workers' logs are in {pool.folder}")
            await asyncio.sleep(_POLL_S)
