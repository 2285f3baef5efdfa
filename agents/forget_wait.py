"""Until the workers have worked off, and committed, all that has been sent to them, and what followed from it.

What is committed is not delivered again: after a crash of a worker neither an old event nor a message that was on its
way can bring somebody back who was erased behind them.
"""

import asyncio
import time
from collections.abc import Mapping

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from agents.connection import client_options
from agents.ends import end_offsets
from agents.reader import partitions_of
from agents.settings import Settings
from agents.worker.tracking import HOPS_MAX
from topics.table import CO_PARTITIONED, INBOXES

_POLL_S = 0.3


async def worked_off(settings: Settings, limit_s: float) -> bool:
    """Wait until the workers' group has committed all that stands on its topics now, and what followed from it.

    Under steady traffic the inboxes are never empty: then their ends are waited for as often as a message may be passed
    on. False where that is not so after `limit_s`. Raises KafkaError, OSError and TimeoutError (of the broker).
    """
    limit = time.monotonic() + limit_s
    options = client_options(settings)
    inboxes = [partition for topic in INBOXES for partition in partitions_of(settings, topic)]
    every = [partition for topic in CO_PARTITIONED for partition in partitions_of(settings, topic)]
    admin = AIOKafkaAdminClient(**options)
    try:
        await admin.start()
        ends = await end_offsets(options, every)
        begins = await _begins(settings, every)
        for _ in range(HOPS_MAX):
            waiting = {tp: end for tp, end in ends.items() if end > begins[tp]}
            if not await _committed(admin, settings.app_id, waiting, limit):
                return False
            later = await end_offsets(options, inboxes)
            if all(later[inbox] == ends[inbox] for inbox in inboxes):
                break
            ends = later
        return True
    finally:
        await admin.close()


async def _committed(admin: AIOKafkaAdminClient, group: str, ends: Mapping[TopicPartition, int], limit: float) -> bool:
    left = dict(ends)
    while left:
        offsets = await admin.list_consumer_group_offsets(group, partitions=list(left))
        left = {tp: end for tp, end in left.items() if tp not in offsets or offsets[tp].offset < end}
        if left:
            if time.monotonic() > limit:
                return False
            await asyncio.sleep(_POLL_S)
    return True


async def _begins(settings: Settings, partitions: list[TopicPartition]) -> dict[TopicPartition, int]:
    consumer = AIOKafkaConsumer(enable_auto_commit=False, **client_options(settings))
    try:
        await consumer.start()
        begins: dict[TopicPartition, int] = await consumer.beginning_offsets(partitions)
        return begins
    finally:
        await consumer.stop()
