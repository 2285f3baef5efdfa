"""The identity's side of the protocol: what is remembered beside each identity, and what a message does to it.

Every handler answers a message that comes twice as it did the first time, so that a shard which stopped between
writing its state and sending its messages makes up for it when its input is delivered again.
"""

from dataclasses import dataclass, field
from typing import Any

from streams.identity.birth import birth_id
from streams.identity.messages import Message, Outgoing, merge_of, to_customer, to_identity
from streams.identity.speakers import Speakers

RECORD_VERSION = 1
KNOWN_MAX = 256
"""How many neighbours a record remembers. One that was forgotten is told again: that costs messages, no facts."""


@dataclass(slots=True)
class IdentityRecord:
    """One identity: its customer (perhaps an alias), the neighbours that know about it, what was said if a thread."""

    customer: str | None = None
    known: dict[str, None] = field(default_factory=dict)
    speakers: Speakers | None = None

    def encode(self) -> dict[str, Any]:
        """As a JSON object."""
        stored: dict[str, Any] = {"v": RECORD_VERSION, "c": self.customer}
        if self.known:
            stored["k"] = list(self.known)
        if self.speakers is not None:
            stored["s"] = self.speakers.encode()
        return stored

    @classmethod
    def decode(cls, stored: dict[str, Any]) -> "IdentityRecord":
        """What `encode` stored; raises ValueError for a record of a newer version."""
        if stored["v"] > RECORD_VERSION:
            msg = f"identity record of version {stored['v']} is newer than this program's {RECORD_VERSION}"
            raise ValueError(msg)
        speakers = Speakers.decode(stored["s"]) if "s" in stored else None
        return cls(stored["c"], dict.fromkeys(stored.get("k", ())), speakers)


def on_identity(
    record: IdentityRecord | None, message: Message, partition: int
) -> tuple[IdentityRecord, list[Outgoing], bool]:
    """Takes a message to an identity; the record, changed in place, what to send, and whether it changed.

    A new customer lives on `partition`. An event by known neighbours changes nothing, and sends the event and no more.
    """
    record = record or IdentityRecord()
    match message["t"]:
        case "event":
            return _event(record, message, partition)
        case "link":
            changed = _settle(record, message["i"], message["at"], partition)
            joined = [to_customer("joined", str(record.customer), i=message["i"])]
            return record, joined + _edges(record, message["i"], [message["j"]]), changed
        case "edge":
            return _edge(record, message)
        case "known":
            changed = message["j"] not in record.known
            record.known[message["j"]] = None
            if len(record.known) > KNOWN_MAX:
                del record.known[next(iter(record.known))]
            return record, [], changed
        case "relabel":
            changed = record.customer is None or message["c"] < record.customer
            if changed:
                record.customer = message["c"]
            return record, [], changed
        case "spoke" | "loose":
            record.speakers = record.speakers or Speakers()
            out, changed = record.speakers.take(message)
            return record, out, changed
        case tag:
            msg = f"unknown message to an identity: {tag}"
            raise ValueError(msg)


def _event(record: IdentityRecord, message: Message, partition: int) -> tuple[IdentityRecord, list[Outgoing], bool]:
    identity = message["i"]
    changed = _settle(record, identity, message["o"][0], partition)
    out = [to_customer("event", str(record.customer), i=identity, e=message["e"])]
    out += _edges(record, identity, message["n"])
    if message["s"] is not None:
        spoke = {name: message[name] for name in ("id", "o", "k")}
        out.append(to_identity("spoke", message["s"], c=record.customer, **spoke))
    return record, out, changed


def _edge(record: IdentityRecord, message: Message) -> tuple[IdentityRecord, list[Outgoing], bool]:
    identity, customer = message["i"], message["c"]
    if record.speakers is not None and record.customer is None:  # a public thread joins nobody
        return record, [to_identity("known", message["from"], j=identity)], False
    changed = record.customer is None
    if record.customer is None:
        record.customer = customer
    if record.customer == customer:
        out = [to_customer("joined", customer, i=identity)]
    else:
        out = merge_of(record.customer, customer)
    return record, [*out, to_identity("known", message["from"], j=identity)], changed


def _settle(record: IdentityRecord, identity: str, at: int, partition: int) -> bool:
    """Makes a customer for an identity that has none, on the identity's own partition."""
    if record.customer is not None:
        return False
    record.customer = f"{birth_id(at, identity)}.{partition}"
    return True


def _edges(record: IdentityRecord, identity: str, neighbours: list[str]) -> list[Outgoing]:
    fresh = [other for other in neighbours if other not in record.known and other != identity]
    return [to_identity("edge", other, **{"from": identity, "c": record.customer}) for other in fresh]
