"""Reads what the processor says: `escalations`, `channel-gaps` and dead letters, from their beginning."""

import asyncio
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from aiokafka import AIOKafkaConsumer, TopicPartition

from agents.connection import client_options
from agents.settings import Settings
from schemas.codec import JSONDecodeError, loads
from topics.table import DEAD, ESCALATIONS, GAPS, TOPICS, physical

START_TIMEOUT_S = 20.0
STOP_TIMEOUT_S = 3.0
_POLL_MS = 100


class Watch:
    """Calls `take(topic, record)` for each record, as it comes; `topic` is the logical name."""

    def __init__(self, settings: Settings, take: Callable[[str, dict[str, Any]], None]) -> None:
        self._settings = settings
        self._take = take
        self._last = time.monotonic()
        self._names = {physical(settings.topic_prefix, name): name for name in (ESCALATIONS, GAPS, DEAD)}
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Begin to read. Raises TimeoutError."""
        consumer = AIOKafkaConsumer(
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            fetch_max_wait_ms=_POLL_MS,
            **client_options(self._settings),
        )
        await asyncio.wait_for(consumer.start(), START_TIMEOUT_S)
        partitions = self._settings.partitions
        consumer.assign(
            [
                TopicPartition(name, number)
                for name, topic in self._names.items()
                for number in range(TOPICS[topic].partitions(partitions))
            ]
        )
        self._task = asyncio.create_task(self._read(consumer), name="watch")
        return self

    async def __aexit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        """Stop reading."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task}, timeout=STOP_TIMEOUT_S)

    def check(self) -> None:
        """Raise what ended the reading, if anything has."""
        if self._task is not None and self._task.done():
            self._task.result()

    async def quiet(self, quiet_s: float, limit_s: float) -> None:
        """Return when nothing has come for `quiet_s`, or after `limit_s`."""
        limit = time.monotonic() + limit_s
        self._last = time.monotonic()
        while (now := time.monotonic()) < limit and now - self._last < quiet_s:
            self.check()
            await asyncio.sleep(0.05)

    async def _read(self, consumer: AIOKafkaConsumer) -> None:
        try:
            while True:
                batches = await consumer.getmany(timeout_ms=_POLL_MS)
                for partition, records in batches.items():
                    for record in records:
                        self._one(self._names[partition.topic], record.value)
        finally:
            await consumer.stop()

    def _one(self, topic: str, value: bytes | None) -> None:
        self._last = time.monotonic()
        if value is None:
            return
        try:
            record = loads(value)
        except JSONDecodeError:
            return
        if isinstance(record, dict):
            self._take(topic, record)
