"""What the simulator yields: lines of input, and the truth about each story."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from schemas.times import format_optional, format_time

INTERACTIONS = "interactions"
LINKS = "identities.links"


@dataclass(frozen=True, slots=True)
class Line:
    """One record of input.

    `topic` is `interactions` or `identities.links`, `at` the arrival in ms, `value` the record.
    """

    topic: str
    at: int
    value: dict[str, Any]

    def as_record(self) -> dict[str, Any]:
        """The line in the format that `mindgap replay` reads."""
        return {"topic": self.topic, "arrived_at": format_time(self.at), "value": self.value}


@dataclass(frozen=True, slots=True)
class StoryTruth:
    """What an observer who knew everything would say of one customer's problem. Times in ms.

    `since` names the patterns that held at some instant under the contract's defaults, given that all of the
    customer's identities are known to be one person, and when each did first; `joined` says whether the input tells
    that they are, without a telephone in common with somebody else.
    """

    customer_id: str
    identities: tuple[str, ...]
    topic: str
    difficulty: str
    threads: tuple[tuple[str, str], ...]
    first_contact_at: int
    solved_at: int | None
    joined: bool
    since: Mapping[str, int]

    @property
    def patterns(self) -> tuple[str, ...]:
        """The patterns that held."""
        return tuple(self.since)

    def as_record(self) -> dict[str, Any]:
        """The truth as a JSON object."""
        return {
            "customer_id": self.customer_id,
            "identities": list(self.identities),
            "topic": self.topic,
            "difficulty": self.difficulty,
            "threads": [{"thread": thread, "channel": channel} for thread, channel in self.threads],
            "first_contact_at": format_time(self.first_contact_at),
            "solved_at": format_optional(self.solved_at),
            "joined": self.joined,
            "patterns": list(self.patterns),
            "since": {name: format_time(at) for name, at in self.since.items()},
        }
