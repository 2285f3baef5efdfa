"""What the parts tell the whole: messages that replace what the same source has said before of the same thing.

A source is a partition of customers. Its messages carry a sequence that only rises, over restarts too; the highest
holds. So duplicates and reordering are harmless, and a log of them may be compacted by `key`. Times in ms; everything
fits into a record at the broker (`tally.ANSWERED_MAX`, `WAITS_MAX`).
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, assert_never

from schemas.codec import dumps
from schemas.times import MINUTE
from streams.gaps.facts import Fact
from streams.gaps.partial import Partial
from streams.gaps.waits import Wait
from streams.intervals import FOREVER

VERSION = 1
BLOCK = MINUTE
"""Waits are told by the minute in which they began, so that an end costs a message about few."""
WAITS_MAX = 20_000
"""Waits that one message tells; where more threads began in a minute of one partition, those that ended first go."""

Group = tuple[tuple[str, str | None], ...]
"""What else than the channel a part is about: `(("topic", "billing"),)`; None where that is not known."""
DIMENSIONS = ("topic", "team")
"""By what else than the channel the gaps can be told."""


class Cell(NamedTuple):
    """What a source contributes to a channel in the window that begins at `window`."""

    source: int
    sequence: int
    window: int
    channel: str
    group: Group
    partial: Partial


class WaitBlock(NamedTuple):
    """The private threads of a source that began to wait for their first response in the minute from `begin` on."""

    source: int
    sequence: int
    begin: int
    group: Group
    waits: tuple[Wait, ...]


class Sweep(NamedTuple):
    """What the source has said with a lower sequence is void: everything that holds has been said anew."""

    source: int
    sequence: int


Message = Cell | WaitBlock | Sweep


def group_of(fact: Fact, by: Iterable[str]) -> Group:
    """The group of a fact; `by` are some of `DIMENSIONS`."""
    return tuple((name, getattr(fact, name)) for name in by)


def narrowed(group: Group, by: Iterable[str]) -> Group:
    """A group by fewer dimensions; one that it does not have is not known."""
    known = dict(group)
    return tuple((name, known.get(name)) for name in by)


def key(message: Message) -> str:
    """What a message is about: one with the same key and a higher sequence takes its place."""
    match message:
        case Cell(source, _, window, channel, group, _):
            parts: list[Any] = [source, "cell", window, channel, dict(group)]
        case WaitBlock(source, _, begin, group, _):
            parts = [source, "waits", begin, dict(group)]
        case Sweep(source, _):
            parts = [source, "sweep"]
        case _:
            assert_never(message)
    return dumps(parts).decode()


def encode(message: Message) -> dict[str, Any]:
    """As a JSON object."""
    head: dict[str, Any] = {"v": VERSION, "source": message.source, "sequence": message.sequence}
    match message:
        case Cell(_, _, window, channel, group, partial):
            body = {"window": window, "channel": channel, "by": dict(group), "partial": partial.encode()}
        case WaitBlock(_, _, begin, group, waits):
            lengths = [[start - begin, None if end == FOREVER else end - start] for start, end in waits]
            body = {"begin": begin, "by": dict(group), "waits": lengths}
        case Sweep():
            body = {"sweep": True}
        case _:
            assert_never(message)
    return head | body


def decode(stored: Mapping[str, Any]) -> Message:
    """What `encode` made. Raises ValueError for anything else, and for what a newer version made."""
    try:
        version, source, sequence = stored["v"], int(stored["source"]), int(stored["sequence"])
        if version > VERSION:
            raise ValueError(f"made by a newer version ({version}, this one reads {VERSION}): upgrade first")
        if "sweep" in stored:
            return Sweep(source, sequence)
        group = tuple((str(name), value) for name, value in stored["by"].items())
        if "waits" in stored:
            begin = int(stored["begin"])
            waits = sorted(_wait(begin, *pair) for pair in stored["waits"])
            return WaitBlock(source, sequence, begin, group, tuple(waits))
        partial = Partial.decode(stored["partial"])
        return Cell(source, sequence, int(stored["window"]), str(stored["channel"]), group, partial)
    except (KeyError, TypeError, AttributeError) as problem:
        raise ValueError(f"not a message about channel gaps: {type(problem).__name__} {problem}") from problem


def _wait(begin: int, after: int, length: int | None) -> Wait:
    start = begin + int(after)
    return start, FOREVER if length is None else start + int(length)
