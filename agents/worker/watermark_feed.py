"""The topic `watermarks`, as every worker reads it: its last records at the start, then as it grows.

What is missed does no harm: every record says all that its worker knows, and a later one says more.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from agents import log
from agents.connection import client_options
from agents.ends import end_offsets
from agents.settings import Settings
from topics.table import WATERMARKS, physical

START_TIMEOUT_S = 60.0
TAIL_RECORDS = 200
"""How many of the last records are read at the start."""
_FETCH_WAIT_MS = 50
_RETRY_S = 2.0
_log = log.get("mindgap.watermarks")


class WatermarkFeed:
    """Calls `take(value)` for each record, in order. `take` does not raise."""

    def __init__(self, settings: Settings, take: Callable[[bytes], None]) -> None:
        self._settings = settings
        self._take = take
        self._tp = TopicPartition(physical(settings.topic_prefix, WATERMARKS), 0)
        self._consumer: AIOKafkaConsumer | None = None
        self._following: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Read the end of what is there, then follow. Raises TimeoutError where the topic cannot be read in time."""
        consumer = AIOKafkaConsumer(
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            fetch_max_wait_ms=_FETCH_WAIT_MS,
            **client_options(self._settings),
        )
        await consumer.start()
        self._consumer = consumer
        consumer.assign([self._tp])
        async with asyncio.timeout(START_TIMEOUT_S):
            begin = (await consumer.beginning_offsets([self._tp]))[self._tp]
            end = (await end_offsets(client_options(self._settings), [self._tp]))[self._tp]
            consumer.seek(self._tp, max(begin, end - TAIL_RECORDS))
            while await consumer.position(self._tp) < end:
                await self._read(consumer)
        self._following = asyncio.create_task(self._follow(consumer), name="watermarks")

    async def stop(self) -> None:
        """Stop following."""
        if self._following is not None:
            self._following.cancel()
            with suppress(asyncio.CancelledError):
                await self._following
        if self._consumer is not None:
            await self._consumer.stop()

    async def _follow(self, consumer: AIOKafkaConsumer) -> None:
        while True:
            try:
                await self._read(consumer)
            except (KafkaError, OSError) as problem:
                _log.warning("watermarks_unreadable", error=type(problem).__name__)
                await asyncio.sleep(_RETRY_S)

    async def _read(self, consumer: AIOKafkaConsumer) -> None:
        for records in (await consumer.getmany(timeout_ms=500)).values():
            for record in records:
                if record.value is not None:
                    self._take(record.value)
