"""A customer as a node stores it: who it is, its history, its next timer, and what was decided but not yet confirmed.

The value begins with a header of fixed form, so that the timers of many customers are found without reading them.
"""

import re
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from schemas.codec import dumps, loads
from streams.customer import Customer
from streams.identity.protocol import CustomerLinks, Outgoing

STORED_VERSION = 2
_HEADER = re.compile(rb'\{"v":(\d+),"w":(null|-?\d+),"b":(\d+),"o":(\d+),"p":"([0-9a-f]*)"')


class Header(NamedTuple):
    """`wake`: ms, or None; `batch` wrote it; `outputs` it decided then.

    `policies`: the mark of those that it was last settled under, empty where there is nothing to settle.
    """

    wake: int | None
    batch: int
    outputs: int
    policies: str


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
    exists: bool = True
    """Nobody has heard of a customer that does not."""

    @property
    def live(self) -> Customer | None:
        """The history that is to be settled; None where there is none, or it is another's."""
        return self.customer if self.links.alias_of is None else None

    def encode(self, batch: int) -> bytes:
        """As the value of the changelog record that `batch` writes."""
        return dumps(
            {
                "v": STORED_VERSION,
                "w": self.wake,
                "b": batch,
                "o": len(self.outbox) + len(self.mail),
                "p": self.policies,
                "l": self.links.encode(),
                "c": self.customer.encode() if self.customer is not None else None,
                "x": self.outbox,
                "y": [list(message) for message in self.mail],
            }
        )


def decode_stored(value: bytes) -> Stored:
    """What `Stored.encode` wrote; raises ValueError for a value of a newer version."""
    stored = loads(value)
    _check(stored["v"])
    customer = Customer.decode(stored["c"]) if stored["c"] is not None else None
    links = CustomerLinks.decode(stored["l"])
    return Stored(links, customer, stored["w"], stored["p"], stored["x"], _mail(stored))


def decode_outbox(value: bytes) -> tuple[list[dict[str, Any]], list[Outgoing]]:
    """The outputs in a value, and nothing else of it: escalations, and messages of the identity protocol."""
    stored = loads(value)
    return stored["x"], _mail(stored)


def _mail(stored: dict[str, Any]) -> list[Outgoing]:
    """Version 1 kept no messages."""
    return [Outgoing(*message) for message in stored.get("y", ())]


def read_header(value: bytes) -> Header:
    """The header of a value; raises ValueError where it has none, or a newer version."""
    match = _HEADER.match(value)
    if match is None:
        msg = "not the stored state of a customer"
        raise ValueError(msg)
    version, wake, batch, outputs, policies = match.groups()
    _check(int(version))
    return Header(None if wake == b"null" else int(wake), int(batch), int(outputs), policies.decode())


def _check(version: int) -> None:
    if version > STORED_VERSION:
        msg = f"state of version {version} is newer than this program's {STORED_VERSION}: upgrade it first"
        raise ValueError(msg)
