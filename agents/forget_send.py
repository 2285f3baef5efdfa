"""What `mindgap forget` writes: tombstones where a record stands, and messages to the workers."""

import asyncio
from collections.abc import Collection, Sequence
from typing import NamedTuple

from aiokafka import AIOKafkaProducer

from agents.connection import client_options
from agents.forget_find import Target
from agents.forget_traces import Place, Traces
from agents.settings import Settings
from schemas.codec import dumps
from schemas.times import format_time
from streams.aggregates.kept import to_be_whole
from streams.identity.protocol import Outgoing, home_of, to_customer, to_identity
from topics.partitioner import partition_of
from topics.table import AGGREGATE_INBOX, COMMANDS, CURRENT, CUSTOMER_INBOX, IDENTITY_INBOX, LINKS, physical

TIMEOUT_S = 30.0
BY = "mindgap forget"
"""Who resolved the open escalations, as their last revisions say."""


class Out(NamedTuple):
    """A record to be sent; `value` None is a tombstone."""

    topic: str
    partition: int
    key: bytes
    value: bytes | None


async def send(settings: Settings, outs: Sequence[Out], now: int) -> None:
    """Send the records, all confirmed. `now`: their time, ms. Raises KafkaError, OSError and TimeoutError."""
    if not outs:
        return
    producer = AIOKafkaProducer(acks="all", **client_options(settings))
    try:
        await asyncio.wait_for(producer.start(), TIMEOUT_S)
        waiting = [
            await producer.send(
                physical(settings.topic_prefix, out.topic),
                out.value,
                key=out.key,
                partition=out.partition,
                timestamp_ms=now,
            )
            for out in outs
        ]
        await asyncio.wait_for(asyncio.gather(*waiting), TIMEOUT_S)
    finally:
        await producer.stop()


def resolves(settings: Settings, target: Target, now: int) -> list[Out]:
    """Commands that resolve what is open, so that pagers and groups hear of an end before the customer is gone."""
    key = str(target.customer_id)
    return [
        Out(
            COMMANDS,
            partition_of(key.encode(), settings.partitions),
            key.encode(),
            dumps(
                {
                    "id": f"forget_{escalation_id}",
                    "at": format_time(now),
                    "customer_id": key,
                    "escalation_id": escalation_id,
                    "action": "resolve",
                    "by": BY,
                    "reason": "the customer is erased",
                }
            ),
        )
        for escalation_id in target.escalations
    ]


def forget(settings: Settings, target: Target) -> list[Out]:
    """The message that erases the customer, where there is one."""
    return [_message(settings, to_identity("forget", target.name))] if target.customer_id is not None else []


def tombstones(topic: str, places: Collection[Place]) -> list[Out]:
    """Tombstones for keys, where they stand."""
    return [Out(topic, place.partition, place.key, None) for place in sorted(places)]


def rewrites(settings: Settings, ids: Collection[str]) -> list[Out]:
    """Has customers' states written again, without the messages that they keep until the next time.

    A late confirmation changes nothing else, whatever the customer is: `absorbed` is heard by all and heeded by none.
    """
    return [_message(settings, to_customer("absorbed", id_)) for id_ in sorted(ids)]


def mends(settings: Settings, target: Target, traces: Traces) -> list[Out]:
    """What takes away the traces that can be taken away."""
    outs = rewrites(settings, traces.outputs)
    names = sorted(target.names)
    outs += [_message(settings, to_identity("erase", name, n=number)) for name, number in traces.bare.items()]
    outs += [_message(settings, to_identity("unspoke", thread, by=names)) for thread in sorted(traces.spoken)]
    outs += wholes(settings, traces.elsewhere)
    if target.ids <= traces.marks:  # else somebody of that id is there again, and they are its
        outs += tombstones(CURRENT, traces.current)
    return outs


def wholes(settings: Settings, keys: Collection[str]) -> list[Out]:
    """Has aggregates stored whole, without what has left them; `keys` are those of their table."""
    orders = {post.key.encode(): dumps(post.message) for key in sorted(keys) if (post := to_be_whole(key)) is not None}
    return [Out(AGGREGATE_INBOX, partition_of(key, settings.partitions), key, value) for key, value in orders.items()]


def writes_input(settings: Settings) -> bool:
    """Whether the deployment's input is its own: a shadow reads that of the live system beside it."""
    return "|" not in settings.topic_prefix


def unlinks(settings: Settings, links: Collection[Place]) -> list[Out]:
    """Tombstones for link records."""
    return tombstones(LINKS, links) if writes_input(settings) else []


def _message(settings: Settings, message: Outgoing) -> Out:
    key, value = message.key.encode(), dumps(message.message)
    if message.to == "identity":
        return Out(IDENTITY_INBOX, partition_of(key, settings.partitions), key, value)
    return Out(CUSTOMER_INBOX, home_of(message.key), key, value)
