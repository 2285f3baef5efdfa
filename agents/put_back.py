"""Dead letters put back: the record's bytes, key and headers, on the topic and partition where it stood.

What is put back says in two headers where it comes from. It stands behind the record that was set aside, in the same
partition; so who looks from there to the end knows whether it has been done before. Nothing else is written.
"""

import asyncio
from collections.abc import AsyncGenerator, Collection, Iterable
from enum import Enum
from typing import Any, NamedTuple

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import (
    InvalidTopicError,
    MessageSizeTooLargeError,
    RecordListTooLargeError,
    TopicAuthorizationFailedError,
)

from agents.clock import Clock
from agents.connection import client_options
from agents.letters import RETRIED_OFFSET, RETRY_OF, Letter, Place, Wanted, letters
from agents.reader import Reader
from agents.settings import Settings
from schemas.codec import loads
from schemas.interaction import Interaction
from streams.intake import Rejected, admit_command, admit_link, validate
from topics.dead_letter import opened
from topics.table import COMMANDS, DEAD_BYTES_MAX, INTERACTIONS, LINKS, TOPICS, logical

TIMEOUT_S = 30.0
_REFUSED = (MessageSizeTooLargeError, RecordListTooLargeError, InvalidTopicError, TopicAuthorizationFailedError)
Source = tuple[str, int, int]


class Fate(Enum):
    """What became of a letter."""

    BACK = "put back"
    READY = "would be put back"
    DONE_BEFORE = "put back before"
    TWICE = "the same record as another letter"
    NOT_OURS = "not of a topic that is read here"
    REFUSED = "not taken by the broker"
    LEFT = "left for the next call (--limit)"


class Retried(NamedTuple):
    """One letter and what became of it; `offset`: where the record stands now."""

    letter: Letter
    fate: Fate
    offset: int | None = None
    error: str | None = None


class Chosen(NamedTuple):
    """Where a letter stands and what it holds; not the record itself, so that many can be chosen."""

    place: Place
    source: Source


async def retry(
    settings: Settings,
    reader: Reader,
    chosen: Collection[Chosen],
    clock: Clock,
    *,
    limit: int,
    again: bool = False,
    dry_run: bool = False,
    corrected: bytes | None = None,
) -> AsyncGenerator[Retried, None]:
    """Put chosen letters back, in the order in which they stand; `corrected`: these bytes instead of the value.

    At most `limit` are put back; what was put back before does not count, so that the next call goes on from there.
    `again`: that too. Raises ReadError, KafkaError, OSError and TimeoutError.
    """
    done = set() if again else await already(settings, reader, {each.source for each in chosen})
    seen: set[Source] = set()
    producer = AIOKafkaProducer(acks="all", max_request_size=DEAD_BYTES_MAX, **client_options(settings))
    await asyncio.wait_for(producer.start(), TIMEOUT_S)
    try:
        async for letter in letters(settings, reader, Wanted(places=frozenset(each.place for each in chosen))):
            fate = _fate(settings, letter, done, seen)
            seen.add(letter.source)
            if fate is not None:
                yield Retried(letter, fate)
            elif limit <= 0:
                yield Retried(letter, Fate.LEFT)
            else:
                limit -= 1
                yield Retried(letter, Fate.READY) if dry_run else await _send(producer, letter, clock.now(), corrected)
    finally:
        await producer.stop()


async def already(settings: Settings, reader: Reader, sources: Iterable[Source]) -> set[Source]:
    """Which of the records have been put back: read from behind the first of them, in each of their partitions."""
    starts: dict[TopicPartition, int | None] = {}
    for topic, partition, offset in sorted(sources, reverse=True):
        if _is_ours(settings, topic, partition):
            starts[TopicPartition(topic, partition)] = offset + 1
    done: set[Source] = set()
    if starts:
        async for record in reader.to_ends(starts):
            for name, value in record.headers or ():
                if name == RETRIED_OFFSET and value is not None and value.isdigit():
                    done.add((record.topic, record.partition, int(value)))
    return done


def check_corrected(settings: Settings, letter: Letter, corrected: bytes) -> Rejected | None:
    """Why corrected bytes would be set aside again at once; None where nothing is known against them."""
    name, partition, _ = letter.source
    if not _is_ours(settings, name, partition):
        return None  # it is not put back anyway
    topic = logical(settings.topic_prefix, name)
    try:
        value = loads(corrected)
    except ValueError as problem:
        return Rejected("not_json", str(problem))
    checked: Any = None
    if topic in INTERACTIONS:
        checked = validate(Interaction, value)
    elif topic == LINKS:
        checked = admit_link(value)
    elif topic == COMMANDS:
        checked = admit_command(value)
    return checked if isinstance(checked, Rejected) else None


def _fate(settings: Settings, letter: Letter, done: set[Source], seen: set[Source]) -> Fate | None:
    """Why a letter is not put back; None where it is."""
    topic, partition, _ = letter.source
    if not _is_ours(settings, topic, partition):
        return Fate.NOT_OURS
    if letter.source in seen:
        return Fate.TWICE
    return Fate.DONE_BEFORE if letter.source in done else None


def _is_ours(settings: Settings, topic: str, partition: int) -> bool:
    try:
        table = TOPICS[logical(settings.topic_prefix, topic)]
    except KeyError:
        return False
    return table.role in ("input", "inbox") and partition < table.partitions(settings.partitions)


async def _send(producer: AIOKafkaProducer, letter: Letter, now: int, corrected: bytes | None) -> Retried:
    key, value, headers = opened(letter.envelope)
    topic, partition, offset = letter.source
    kept = [(name, raw) for name, raw in headers if name not in (RETRY_OF, RETRIED_OFFSET)]
    marks = [(RETRY_OF, str(letter.place).encode()), (RETRIED_OFFSET, b"%d" % offset)]
    value = value if corrected is None else corrected
    try:
        async with asyncio.timeout(TIMEOUT_S):
            sent = await producer.send_and_wait(
                topic, value, key=key, partition=partition, timestamp_ms=now, headers=[*kept, *marks]
            )
    except _REFUSED as problem:  # anything else ends the whole: what has been put back says so itself
        return Retried(letter, Fate.REFUSED, error=type(problem).__name__)
    return Retried(letter, Fate.BACK, sent.offset)
