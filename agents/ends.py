"""Where partitions end, as a fetch says it.

The embedded broker answers the request for the latest offset with the last batch's first offset and one: what it
says of a partition whose last batch holds a hundred records is 99 short. The high watermark that it sends with a
fetch is right, and so is any other broker's. Recovery that trusted the answer would lose the end of a changelog.
"""

import asyncio
import time
from collections.abc import Iterable, Mapping
from math import inf
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
            told = await _fetched(consumer, {tp: ends[tp] - 1 for tp in looked_at})
            return ends | {tp: max(ends[tp], end) for tp, end in told.items()}
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
    async with asyncio.timeout(TIMEOUT_S):
        try:
            await consumer.start()
            return await _fetched(consumer, known, PATIENCE_S)
        finally:
            await consumer.stop()


async def _fetched(
    consumer: AIOKafkaConsumer, places: Mapping[TopicPartition, int], patience_s: float = inf
) -> dict[TopicPartition, int]:
    """The ends that fetches from these places tell; after so long those that are told by then."""
    consumer.assign(list(places))
    for tp, offset in places.items():
        consumer.seek(tp, offset)
    limit = time.monotonic() + patience_s
    found: dict[TopicPartition, int] = {}
    while len(found) < len(places) and time.monotonic() < limit:
        await consumer.getmany(timeout_ms=_POLL_MS)
        found = {tp: end for tp in places if (end := consumer.highwater(tp)) is not None}
    return found
