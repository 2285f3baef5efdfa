"""A customer as a node stores it: who it is, its history, its next timer, and what was decided but may not be sent."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from schemas.codec import dumps, loads
from streams.aggregates.messages import Post
from streams.customer import Customer
from streams.header import check_version
from streams.identity.protocol import CustomerLinks, Outgoing

STORED_VERSION = 4
"""Rises with every version in the parts: a program looks at this one at its start, before it does anything."""


class Told(NamedTuple):
    """What an aggregate was told last, as message `number`, and has answered, by its own number `heard`.

    `mark`: a hash of the share; `newest`: the time (ms) of the newest event in it.
    """

    mark: str
    number: int
    newest: int
    heard: int = 0


@dataclass(slots=True)
class Stored:
    """One customer. `customer` is None where there is no event yet, and for an alias whose history is elsewhere."""

    links: CustomerLinks
    customer: Customer | None
    wake: int | None = None
    policies: str = ""
    outbox: list[dict[str, Any]] = field(default_factory=list)
    mail: list[Outgoing] = field(default_factory=list)
    """Messages of the identity protocol, likewise."""
    posts: list[Post] = field(default_factory=list)
    """Messages to aggregates, likewise."""
    told: dict[str, Told] = field(default_factory=dict)
    """The shares that aggregates have, by the aggregate's key."""
    number: int = 0
    """Of the last message about a share."""
    shared_from: tuple[object, object] = (None, None)
    """The derived history and the policy from which shares were told last; not stored."""
    exists: bool = True
    """Nobody has heard of a customer that does not."""

    @property
    def live(self) -> Customer | None:
        """The history that is to be settled; None where there is none, or it is another's."""
        return self.customer if self.links.alias_of is None else None

    def encode(self, batch: int) -> bytes:
        """As the value of the changelog record that `batch` writes."""
        stored: dict[str, Any] = {
            "v": STORED_VERSION,
            "w": self.wake,
            "b": batch,
            "o": len(self.outbox) + len(self.mail) + len(self.posts),
            "p": self.policies,
            "e": self.customer.log.last_at if self.customer is not None else None,
            "l": self.links.encode(),
            "c": self.customer.encode() if self.customer is not None else None,
            "x": self.outbox,
            "y": [list(message) for message in self.mail],
        }
        if self.posts:
            stored["z"] = [list(post) for post in self.posts]
        if self.number:
            stored["n"], stored["t"] = self.number, {key: list(told) for key, told in self.told.items()}
        return dumps(stored)


def decode_stored(value: bytes) -> Stored:
    """What `Stored.encode` wrote; raises ValueError for a value of a newer version."""
    stored = loads(value)
    check_version(stored["v"], STORED_VERSION)
    customer = Customer.decode(stored["c"]) if stored["c"] is not None else None
    links = CustomerLinks.decode(stored["l"])
    told = {key: Told(*told) for key, told in stored.get("t", {}).items()}
    outputs = (stored["x"], _mail(stored), _posts(stored))
    return Stored(links, customer, stored["w"], stored["p"], *outputs, told, stored.get("n", 0))


def decode_outbox(value: bytes) -> tuple[list[dict[str, Any]], list[Outgoing]]:
    """Of the outputs in a value the escalations, and the messages of the identity protocol."""
    stored = loads(value)
    return stored["x"], _mail(stored)


def decode_posts(value: bytes) -> list[Post]:
    """Of the outputs in a value the messages to aggregates."""
    return _posts(loads(value))


def _mail(stored: dict[str, Any]) -> list[Outgoing]:
    """Version 1 kept no messages."""
    return [Outgoing(*message) for message in stored.get("y", ())]


def _posts(stored: dict[str, Any]) -> list[Post]:
    return [Post(*post) for post in stored.get("z", ())]
