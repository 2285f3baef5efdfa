"""What the protocol asks of a customer's history: a log that can be united and divided. All else about it is opaque."""

from collections.abc import Collection, Iterable
from typing import Any, NamedTuple, Protocol

Encoded = Any
"""A history, or an event, as JSON."""


class Carried(NamedTuple):
    """The event `id`: the identities that it may have joined, strongest first, and the one of its own thread."""

    id: str
    identities: list[str]
    thread: str | None


class History(Protocol):
    """The history of one customer, changed in place."""

    def has(self, event_id: str) -> bool:
        """Whether the log holds the event."""
        ...

    def fold(self, event: Encoded) -> None:
        """Take an event in."""
        ...

    def correct(self, event: Encoded) -> None:
        """Take the event in place of the copy that is known, where it arrived before that."""
        ...

    def drop(self, event_id: str) -> None:
        """Let an event go, which is another's."""
        ...

    def carried(self) -> Iterable[Carried]:
        """What each event of the log carries."""
        ...

    def seniority(self, event_ids: Collection[str] | None = None) -> tuple[int, int]:
        """Times (ms) of the first contact and the first event, of all or of these; the end of time where there is none.

        Events that carry no identity do not count.
        """
        ...

    def give(self) -> Encoded:
        """The whole history, which is another's from now on."""
        ...

    def part(self, customer_id: str, event_ids: Collection[str], *, apart: bool) -> Encoded:
        """The history of these events, which leaves this one for that customer. `apart`: because of a split."""
        ...

    def union(self, history: Encoded, *, apart: bool) -> None:
        """Take over a history that another has given."""
        ...

    def obey(self, command: Encoded) -> bool:
        """Obey a command; False where it names nothing that is open here."""
        ...

    def refuse(self, command: Encoded) -> None:
        """Set a command aside that names nothing that is open."""
        ...

    def forget(self) -> tuple[list[str], list[str]]:
        """Erase everything; the ids of the escalations that were said, and the threads, as identities."""
        ...
