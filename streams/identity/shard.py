"""The identity's side of the protocol: what is remembered beside each identity, and what a message does to it.

A record holds a pointer to the identity's customer (perhaps an alias), with the number of the change that set it: the
larger number counts. It holds what link records say about the identity too, because it is asked before anybody is
joined. Every handler answers a message that comes twice as it did the first time, so that a shard which stopped between
writing its state and sending its messages makes up for it when its input is delivered again.
"""

from dataclasses import dataclass, field
from typing import Any

from streams.header import check_version
from streams.identity.birth import birth_id
from streams.identity.keeping import keep_pairs_small
from streams.identity.messages import Message, Outgoing, counted, to_customer, to_identity
from streams.identity.pairs import CUT, LINKED, Assertion, barred, pair_of
from streams.identity.speakers import Speakers

RECORD_VERSION = 3


@dataclass(slots=True)
class IdentityRecord:
    """One identity: its customer and the number of that pointer, link records, what was said if a public thread.

    `founded`: the number with which a customer was born here. `pairs`: the newest link record by the other identity.
    """

    customer: str | None = None
    number: int = 0
    founded: int = 0
    pairs: dict[str, Assertion] = field(default_factory=dict)
    speakers: Speakers | None = None

    def encode(self) -> dict[str, Any]:
        """As a JSON object."""
        stored: dict[str, Any] = {"v": RECORD_VERSION, "c": self.customer, "n": self.number}
        if self.founded:
            stored["b"] = self.founded
        if self.pairs:
            stored["k"] = [[other, *assertion] for other, assertion in self.pairs.items()]
        if self.speakers is not None:
            stored["s"] = self.speakers.encode()
        return stored

    @classmethod
    def decode(cls, stored: dict[str, Any]) -> "IdentityRecord":
        """What `encode` stored, or an earlier version; raises ValueError for a record of a newer version."""
        check_version(stored["v"], RECORD_VERSION)
        speakers = Speakers.decode(stored["s"]) if "s" in stored else None
        if stored["v"] == 1:  # its pointers only ever became smaller, and had no number
            return cls(stored["c"], int(stored["c"] is not None), speakers=speakers)
        pairs = {other: Assertion(*assertion) for other, *assertion in stored.get("k", ())}
        return cls(stored["c"], stored["n"], stored.get("b", 0), pairs, speakers)


def on_identity(  # noqa: PLR0911 - one line for each message
    record: IdentityRecord | None, message: Message, partition: int
) -> tuple[IdentityRecord | None, list[Outgoing], bool]:
    """Takes a message to an identity; the record, changed in place, what to send, and whether it changed.

    A new customer lives on `partition`. An event of somebody known changes nothing, and sends the event and no more.
    None: nothing is known about the identity any more.
    """
    record = record or IdentityRecord()
    match message["t"]:
        case "event":
            return record, *_event(record, message, partition)
        case "ask":
            return record, *_ask(record, message)
        case "link" | "cut":
            return record, *_assert(record, message, partition)
        case "uncut":
            return record, [], _uncut(record, message)
        case "relabel":
            changed = message["n"] > record.number
            if changed:
                record.customer, record.number = message["c"], message["n"]
            return record, [], changed
        case "ungrant":
            changed = message["n"] == record.number and record.customer is not None
            record.customer = None if changed else record.customer
            return record, [], changed
        case "edge" | "rejoin" | "moved":
            changed = _settle(record, message["i"], _at(message), partition)
            return record, [_to_customer(record, message)], changed
        case "release" | "forget":
            return record, [_to_customer(record, message)] if record.customer is not None else [], False
        case "erase":
            known = record != IdentityRecord()
            out = [to_customer("erased", message["by"], k=message["k"])] if "by" in message else []
            return (None if message["n"] >= record.number else record), out, known
        case "spoke" | "loose" | "unspoke":
            record.speakers = record.speakers or Speakers()
            out, changed = record.speakers.take(message)
            return record, out, changed
        case tag:
            msg = f"unknown message to an identity: {tag}"
            raise ValueError(msg)


def _event(record: IdentityRecord, message: Message, partition: int) -> tuple[list[Outgoing], bool]:
    if record.speakers is not None and message.get("th") == message["i"]:
        return record.speakers.take({**message, "t": "loose"})  # a private word on a public thread, by nobody named
    changed = _settle(record, message["i"], message["o"][0] if "o" in message else 0, partition)
    out = [_to_customer(record, message)]
    if message.get("s") is not None:
        spoke = {name: message[name] for name in ("id", "o", "k")}
        out.append(to_identity("spoke", message["s"], by=message["i"], c=record.customer, **spoke))
    return out, changed


def _ask(record: IdentityRecord, message: Message) -> tuple[list[Outgoing], bool]:
    asker, identity, number = message["from"], message["i"], message["q"]
    if record.customer == asker:  # granted before
        return [_grant(record, message)], False
    if record.speakers is not None and not message["l"]:  # a public thread joins nobody
        return [to_customer("refused", asker, q=number, reason=None, by=None)], False
    if cut := barred(identity, {other: record.pairs.get(other) for other in message["x"]}, message["l"]):
        return [to_customer("barred", asker, q=number, p=cut)], False
    if record.customer is not None:
        return [_to_customer(record, message)], False
    if message["full"] is not None:
        return [to_customer("refused", asker, q=number, reason=message["full"], by=None)], False
    record.customer = asker
    record.number += 1
    return [_grant(record, message)], True


def _grant(record: IdentityRecord, message: Message) -> Outgoing:
    fields = {"i": message["i"], "q": message["q"], "n": record.number, **_cuts(record, message["i"])}
    return to_customer("grant", message["from"], **fields)


def _assert(record: IdentityRecord, message: Message, partition: int) -> tuple[list[Outgoing], bool]:
    """A link record: the newest of a pair counts. An unlink goes on to the weaker identity; both customers hear it."""
    other, state = message["j"], CUT if message["t"] == "cut" else LINKED
    assertion, known = Assertion(message["at"], message["id"], state), record.pairs.get(other)
    if known is not None and (known.at, known.id) > (assertion.at, assertion.id):
        return [], False
    changed = assertion.newer_than(known)
    if state == LINKED:
        if known is not None and changed:  # whether it ends an unlink is known when it has joined the two
            record.pairs[other] = Assertion(assertion.at, assertion.id, known.state)
        elif changed:
            record.pairs[other] = assertion
        changed |= _settle(record, message["i"], message["at"], partition)
        return [_to_customer(record, message), *_keep_small(record)], changed
    if changed:
        record.pairs[other] = assertion
    out = [_to_customer(record, message)] if record.customer is not None else []
    out += _keep_small(record)
    if message["far"]:
        out.append(to_identity("cut", other, **{**message, "i": other, "j": message["i"], "far": False}))
    return out, changed


def _keep_small(record: IdentityRecord) -> list[Outgoing]:
    gone = keep_pairs_small(record.pairs)
    return [counted("link_records_let_go", gone)] if gone else []


def _uncut(record: IdentityRecord, message: Message) -> bool:
    known = record.pairs.get(message["j"])
    joined = Assertion(message["at"], message["id"], LINKED)
    if known == joined or (known is not None and (known.at, known.id) > joined[:2]):
        return False
    record.pairs[message["j"]] = joined
    return True


def _settle(record: IdentityRecord, identity: str, at: int, partition: int) -> bool:
    """Makes a customer for an identity that has none, on the identity's own partition."""
    if record.customer is not None:
        return False
    record.customer = f"{birth_id(at, identity, record.number)}.{partition}"
    record.number += 1
    record.founded = record.number
    return True


def _at(message: Message) -> int:
    at: int = message.get("at", 0)
    return at


def _to_customer(record: IdentityRecord, message: Message) -> Outgoing:
    """The message on to the customer that the identity points to."""
    pointer: Message = {"c": record.customer, "pn": record.number, "born": record.founded == record.number}
    if pointer["born"]:
        pointer |= _cuts(record, message["i"])
    return Outgoing("customer", str(record.customer), {**message, **pointer})


def _cuts(record: IdentityRecord, identity: str) -> Message:
    """What was unlinked, perhaps while nobody was there to be told.

    Without the ids of the records: a link record that has not ended an unlink yet is still news when it comes itself.
    """
    found = [(other, known) for other, known in record.pairs.items() if known.state == CUT]
    cuts = [[*pair_of(identity, other), known.at, "", CUT] for other, known in found]
    return {"cuts": cuts} if cuts else {}
