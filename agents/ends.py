"""Where partitions end, as a fetch says it.

The embedded broker answers the request for the latest offset with the last batch's first offset and one: what it
says of a partition whose last batch holds a hundred records is 99 short. The high watermark that it sends with a
fetch is right, and so is any other broker's. Recovery that trusted the answer would lose the end of a changelog.
"""

import asyncio
import time
from collections.abc import Iterable, Mapping
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from agents.connection import ANSWER_MS

TIMEOUT_S = 30.0
PATIENCE_S = 5.0
"""How long partitions are waited for of which it is enough to know some."""
_LITTLE = 64 * 1024
"""Bytes of a partition that are fetched where only its end is asked for."""
_POLL_MS = 100


async def end_offsets(options: Mapping[str, Any], partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
    """The offset after the last record of each partition. `options` are those of a client. Raises TimeoutError."""
    consumer = AIOKafkaConsumer(
        enable_auto_commit=False, fetch_max_wait_ms=_POLL_MS, request_timeout_ms=ANSWER_MS, **options
    )
    async with asyncio.timeout(TIMEOUT_S):
        try:
            await consumer.start()
            partitions = list(partitions)
            begins = await consumer.beginning_offsets(partitions)
            ends = dict(await consumer.end_offsets(partitions))
            looked_at = [tp for tp in partitions if ends[tp] > begins[tp]]
            if not looked_at:
                return ends
            consumer.assign(looked_at)
            for tp in looked_at:
                consumer.seek(tp, ends[tp] - 1)
            missing = set(looked_at)
            while missing:
                await consumer.getmany(timeout_ms=_POLL_MS)
                for tp in list(missing):
                    highwater = consumer.highwater(tp)
                    if highwater is not None:
                        ends[tp] = max(ends[tp], highwater)
                        missing.discard(tp)
            return ends
        finally:
            await consumer.stop()


async def highwaters(options: Mapping[str, Any], known: Mapping[TopicPartition, int]) -> dict[TopicPartition, int]:
    """As `end_offsets`, where it is `known` about where each partition ends: what stands before that is not fetched.

    A partition that does not answer within `PATIENCE_S`, because it has no leader, is not in the result. Raises
    KafkaError, OSError and TimeoutError.
    """
    consumer = AIOKafkaConsumer(
        enable_auto_commit=False,
        auto_offset_reset="latest",
        fetch_max_wait_ms=_POLL_MS,
        max_partition_fetch_bytes=_LITTLE,
        request_timeout_ms=ANSWER_MS,
        **options,
    )
    found: dict[TopicPartition, int] = {}
    async with asyncio.timeout(TIMEOUT_S):
        try:
            await consumer.start()
            consumer.assign(list(known))
            for tp, offset in known.items():
                consumer.seek(tp, offset)
            limit = time.monotonic() + PATIENCE_S
            while len(found) < len(known) and time.monotonic() < limit:
                await consumer.getmany(timeout_ms=_POLL_MS)
                found = {tp: end for tp in known if (end := consumer.highwater(tp)) is not None}
            return found
        finally:
            await consumer.stop()
