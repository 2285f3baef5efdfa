"""Dead letters as they stand on their topic: read, chosen, found by place or by the id of the record in them.

A letter is known by its place, `PARTITION:OFFSET`. Records on the topic that are no dead letters are passed over.
"""

import re
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, NamedTuple

from aiokafka import ConsumerRecord, TopicPartition

from agents.cli import BadInput
from agents.reader import Reader, partitions_of
from agents.settings import Settings
from schemas.codec import JSONDecodeError, loads
from schemas.times import parse_time
from topics.dead_letter import opened
from topics.table import DEAD, TOPICS, physical

RETRY_OF = "mindgap-retry-of"
"""Header of a record that was put back: the place of the letter that it came from,"""
RETRIED_OFFSET = "mindgap-retried-offset"
"""and the offset at which the record stood first, in the same topic and partition."""
_PLACE = re.compile(r"(\d{1,9}):(\d{1,18})")


class Place(NamedTuple):
    """Where a letter stands."""

    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.partition}:{self.offset}"


@dataclass(frozen=True, slots=True)
class Letter:
    """A dead letter: its place, the envelope (`schemas.dead_letter.DeadLetter`), and `seen_at` in ms."""

    place: Place
    envelope: dict[str, Any]
    seen_at: int

    @property
    def source(self) -> tuple[str, int, int]:
        """Topic (its name at the broker), partition and offset of the record that was set aside."""
        return self.envelope["topic"], self.envelope["partition"], self.envelope["offset"]

    @property
    def retry_of(self) -> str | None:
        """The place of the letter whose retry was set aside again."""
        return next((str(each["value"]) for each in self.envelope["headers"] if each["name"] == RETRY_OF), None)

    def summary(self) -> dict[str, Any]:
        """Where it stands and what was wrong, without what the record holds."""
        names = ("seen_at", "reason", "topic", "partition", "offset", "detail")
        retry = {"retry_of": self.retry_of} if self.retry_of is not None else {}
        return {"letter": str(self.place)} | {name: self.envelope[name] for name in names} | retry


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which letters: None asks for nothing. `topic` is a name at the broker, `since` in ms; `places` of letters."""

    reason: str | None = None
    topic: str | None = None
    since: int | None = None
    places: frozenset[Place] | None = None

    def holds(self, letter: Letter) -> bool:
        """True where the letter is one of them."""
        return (
            (self.reason is None or letter.envelope["reason"] == self.reason)
            and (self.topic is None or letter.envelope["topic"] == self.topic)
            and (self.since is None or letter.seen_at >= self.since)
            and (self.places is None or letter.place in self.places)
        )


def topic_name(settings: Settings, name: str) -> str:
    """The name at the broker of a topic that somebody wrote, with the prefix or without it."""
    return physical(settings.topic_prefix, name) if name in TOPICS else name


def letter_of(record: ConsumerRecord) -> Letter | None:
    """The letter that a record is; None for one that is none."""
    try:
        envelope = loads(record.value or b"")
        opened(envelope)
        partition, offset = envelope["partition"], envelope["offset"]
        if not isinstance(partition, int) or not isinstance(offset, int) or not isinstance(envelope["reason"], str):
            return None
        return Letter(Place(record.partition, record.offset), envelope, parse_time(envelope["seen_at"]))
    except (JSONDecodeError, ValueError, KeyError, TypeError):
        return None


async def letters(settings: Settings, reader: Reader, wanted: Wanted | None = None) -> AsyncGenerator[Letter, None]:
    """The wanted letters, as of now, each partition in order. Raises ReadError."""
    wanted = wanted or Wanted()
    starts: dict[TopicPartition, int | None] = dict.fromkeys(partitions_of(settings, DEAD))
    if wanted.places is not None:
        name = physical(settings.topic_prefix, DEAD)
        starts = {}
        for place in sorted(wanted.places, reverse=True):
            starts[TopicPartition(name, place.partition)] = place.offset
    async for record in reader.to_ends(starts):
        letter = letter_of(record)
        if letter is not None and wanted.holds(letter):
            yield letter


async def find(settings: Settings, reader: Reader, name: str) -> Letter:
    """The letter at a place, or the one whose record has that id. Raises BadInput where there is not exactly one."""
    place = place_of(settings, name)
    if place is not None:
        async with aclosing(letters(settings, reader, Wanted(places=frozenset((place,))))) as there:
            async for letter in there:
                return letter
        raise BadInput(f"no dead letter at {place}: it was never there, or its time of keeping is over")
    found = [letter async for letter in letters(settings, reader) if id_of(letter) == name]
    if len(found) == 1:
        return found[0]
    if found:
        places = ", ".join(str(letter.place) for letter in found[-10:])
        raise BadInput(f"{len(found)} dead letters hold a record of that id: {places}; name one of them")
    raise BadInput("no dead letter holds a record of that id; a letter is named by PARTITION:OFFSET, or by that id")


def place_of(settings: Settings, name: str) -> Place | None:
    """The place that a name is; None where it is something else. Raises BadInput for a partition that is not there."""
    match = _PLACE.fullmatch(name)
    if match is None:
        return None
    place = Place(int(match[1]), int(match[2]))
    count = TOPICS[DEAD].partitions(settings.partitions)
    if place.partition >= count:
        raise BadInput(f"no dead letter at {place}: {physical(settings.topic_prefix, DEAD)} has {count} partitions")
    return place


def id_of(letter: Letter) -> str | None:
    """The `id` of the record in a letter, where it can be read."""
    try:
        _, value, _ = opened(letter.envelope)
        found = loads(value or b"")
        return found.get("id") if isinstance(found, dict) else None
    except (ValueError, KeyError, TypeError):
        return None
