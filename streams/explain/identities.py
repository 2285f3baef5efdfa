"""Who was joined with whom, and who was told apart."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from schemas.identity import Identity, mask
from streams.explain.line import StoryLine
from streams.identity import changes


class Joined(NamedTuple):
    """An identity became the customer's at `at` (ms), by the record (event or link) `record_id`."""

    identity: Identity
    record_id: str
    at: int


Change = Joined | changes.Merged | changes.Split | changes.Moved | changes.Refused


def identity_lines(found: Iterable[Change], *, clear: bool = False) -> Iterator[StoryLine]:
    """One line for each change; identities are masked, unless `clear`."""
    for change in found:
        match change:
            case Joined(identity, record_id, at):
                text = f"{_shown(identity, clear=clear)} is the customer's, by {record_id}"
                yield StoryLine(at, "identity", text, (record_id,))
            case changes.Merged(into, loser, at):
                yield StoryLine(at, "identity", f"{loser} is the same customer: merged into {into}", (into, loser))
            case changes.Split(origin, parts, at):
                text = f"{origin} is split: {', '.join(parts)} are customers of their own"
                yield StoryLine(at, "identity", text, (origin, *parts))
            case changes.Moved(event_id, origin, target, at):
                text = f"{event_id} is not {origin}'s but {target}'s"
                yield StoryLine(at, "identity", text, (event_id, origin, target))
            case changes.Refused(identity, refused_by, reason, record_id, seen_at):
                text = f"{_shown(identity, clear=clear)} is refused by {refused_by} ({reason}), by {record_id}"
                yield StoryLine(seen_at, "identity", text, (record_id, refused_by))


def _shown(identity: Identity, *, clear: bool) -> str:
    return str(identity) if clear else mask(identity)
