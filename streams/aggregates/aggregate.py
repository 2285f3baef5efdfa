"""What all aggregates have in common."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol, Self

from streams.aggregates.messages import GAP, HOT, PAGE, STORM, Message, Post, to_aggregate
from streams.effects import Dead
from streams.policy import PolicyHistory
from streams.storm_addresses import TOPIC, Envelope

Record = dict[str, Any]


@dataclass(slots=True)
class Said:
    """What an aggregate has to say: records (topic, key, value), messages, and commands that it sets aside."""

    records: list[tuple[str, str, Record]] = field(default_factory=list)
    posts: list[Post] = field(default_factory=list)
    dead: list[Dead] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.records or self.posts)


class Aggregate(Protocol):
    """One aggregate. Pure and synchronous; times in ms. Time never runs backwards."""

    @property
    def next_wake(self) -> int | None:
        """The next instant at which `settle` has something to say if nothing happens, or None."""
        ...

    def take(self, message: Message, policies: PolicyHistory, now: int, said: Said) -> None:
        """Take a message in, which may have come before."""
        ...

    def settle(self, policies: PolicyHistory, now: int, said: Said) -> None:
        """Say what is due, after the messages of a batch, at `next_wake`, and when another policy takes effect."""
        ...

    def spent(self, now: int) -> bool:
        """True where nothing is left to be said or to be remembered: it may be deleted."""
        ...

    def encode(self) -> Record:
        """As a JSON object."""
        ...

    def changes(self) -> Record | None:
        """What has changed since `stored_whole`, as a JSON object; None for one that is always stored whole."""
        ...

    def stored_whole(self) -> None:
        """It is stored as `encode` gives it."""
        ...

    @classmethod
    def make(cls, name: str) -> Self:
        """The aggregate of which nothing is known yet."""
        ...

    @classmethod
    def decode(cls, whole: Record, changes: Record | None = None) -> Self:
        """What `encode` stored, and `changes` since; raises ValueError for a state of a newer version."""
        ...


def posts_of(envelopes: Iterable[Envelope]) -> list[Post]:
    """The messages to groups and topics, addressed."""
    return [
        to_aggregate(HOT if envelope.to == TOPIC else PAGE, envelope.key, STORM, m=envelope.message)
        for envelope in envelopes
    ]


def home_of(key: str, owner: Callable[[str], int]) -> int:
    """The partition that an aggregate lives on: that of its key, but the channel gaps are added up in one place."""
    return 0 if key.startswith(f"{GAP}/") else owner(key)
