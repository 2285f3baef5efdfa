"""Where the escalations of one customer (or of one hotspot) page and count: the sender's side of a storm.

The sender computes the group's key, by the policy in force where the customer is, and remembers it; so that when a
topic is learned, a severity falls or a policy groups by something else, the old group hears that the escalation has
gone and the new one that it has come. Stored with the customer: it moves, merges and splits with the escalations.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from schemas.policy_people import Notify
from streams.policy import Policy
from streams.severity import ERROR, RANKS
from streams.storm_message import Beside, Message, Order, Record, gone, group_key, of, order_of

STATE_VERSION = 1
GROUP: Literal["group"] = "group"
TOPIC: Literal["topic"] = "topic"

_COUNTED = (
    "customer_id",
    "severity",
    "hot_at",
    "channels",
    "public",
    "contacts",
    "contacts_by",
    "first_contact_at",
    "issue_id",
)
"""What a topic looks at: a revision that changes nothing of it is not sent there."""


class Envelope(NamedTuple):
    """A message for the notifications of the group `key`, or for the hotspot of the topic `key`."""

    to: Literal["group", "topic"]
    key: str
    message: Message


@dataclass(slots=True)
class Address:
    """Of one standing escalation: the last message about it, and where it went (empty: nowhere)."""

    message: Message
    peak: str
    group: str = ""
    topic: str = ""
    group_came: Order = (0, 0)
    """Since which message it has been in its group,"""
    topic_came: Order = (0, 0)
    """and on its topic."""


class Addresses:
    """Takes the revisions of escalations, in order, and says what is to be sent where.

    To be stored before anything is sent. What was sent before a crash is sent again, with the same content.
    """

    def __init__(self) -> None:
        self.known: dict[str, Address] = {}
        self.by: list[Any] | None = None
        """What the groups were last made by: the policy's `group_by` and `min_severity`."""

    def __len__(self) -> int:
        return len(self.known)

    def take(self, record: Record, policy: Policy, known: Beside | None = None) -> list[Envelope]:
        """What a revision brings; nothing where it is not newer than the last, or was over before it was noticed."""
        id_ = record["escalation_id"]
        old = self.known.get(id_)
        if record["backfilled"] or (old is not None and record["revision"] <= old.message["revision"]):
            return []
        if record["status"] == "resolved":
            if old is None:
                return []
            del self.known[id_]
            return _leave(old, (record["revision"], 0), "", "")
        message = of(record, known)
        message |= _rung(message, old)
        message |= _heated(message, old)
        new = self.known[id_] = Address(message, message["severity"])
        if old is not None:
            new.peak = max(old.peak, new.peak, key=RANKS.__getitem__)
        new.group = _group(message, policy.notify)
        if record["kind"] != "hotspot" and "hot_at" in message:
            new.topic = message.get("topic", "")
        sent = _leave(old, order_of(message), new.group, new.topic) if old is not None else []
        new.group_came = old.group_came if old is not None and old.group == new.group else order_of(message)
        new.topic_came = old.topic_came if old is not None and old.topic == new.topic else order_of(message)
        if new.topic and (old is None or old.topic != new.topic or _differs(old.message, message)):
            sent.append(Envelope(TOPIC, new.topic, {**message, "came": new.topic_came}))
        if new.group:
            sent.append(Envelope(GROUP, new.group, {**message, "came": new.group_came}))
        new.message = {name: value for name, value in message.items() if name != "lead"}
        return sent

    def follow(self, policy: Policy) -> list[Envelope]:
        """What another policy in force brings: who pages in another group by it, or pages only now, or no more."""
        by = [*policy.notify.group_by, policy.notify.min_severity]
        if by == self.by:
            return []
        self.by = by
        sent: list[Envelope] = []
        for address in self.known.values():
            group = _group(address.message, policy.notify)
            if group == address.group:
                continue
            address.message["turn"] += 1
            sent += _leave(address, order_of(address.message), group, address.topic)
            address.group, address.group_came = group, order_of(address.message)
            if group:
                sent.append(Envelope(GROUP, group, {**address.message, "came": address.group_came}))
        return sent

    # -- moved and stored -------------------------------------------------------------------------------

    def absorb(self, other: "Addresses") -> None:
        """Take over all of another customer's."""
        for id_, address in other.known.items():
            mine = self.known.get(id_)
            if mine is None or order_of(mine.message) < order_of(address.message):
                self.known[id_] = address
        if self.by != other.by:
            self.by = None  # look at all of them again

    def part(self, ids: Iterable[str]) -> "Addresses":
        """Part with those of these escalations."""
        other = Addresses()
        other.by = self.by
        other.known = {id_: self.known.pop(id_) for id_ in ids if id_ in self.known}
        return other

    def encode(self) -> dict[str, Any]:
        """As a JSON object."""
        known = [[a.message, a.peak, a.group, a.topic, a.group_came, a.topic_came] for a in self.known.values()]
        return {"v": STATE_VERSION, "by": self.by, "known": known}

    @classmethod
    def decode(cls, stored: dict[str, Any]) -> "Addresses":
        """What `encode` stored; raises ValueError for a state of a newer version."""
        if stored.get("v", 0) > STATE_VERSION:
            raise ValueError(f"addresses of version {stored['v']} are newer than {STATE_VERSION}: upgrade first")
        addresses = cls()
        addresses.by = stored["by"]
        for message, peak, group, topic, *came in stored["known"]:
            group_came, topic_came = ((revision, turn) for revision, turn in came)
            addresses.known[message["id"]] = Address(message, peak, group, topic, group_came, topic_came)
        return addresses


def _rung(message: Message, old: Address | None) -> Message:
    """How often it has called for somebody, and when last: when it came, got worse, or was open again.

    Counted here, so that a group which misses a revision in between still knows that it is called again.
    """
    ring, at = (old.message["ring"], old.message["rang_at"]) if old is not None else (0, message["at"])
    if message["status"] == "open":
        again = old is None or old.message["status"] != "open"
        if again or (old is not None and RANKS[message["severity"]] > RANKS[old.peak]):
            ring, at = ring + 1, message["at"]
    return {"ring": ring, "rang_at": at}


def _heated(message: Message, old: Address | None) -> Message:
    """Since when it has been error or critical, or critical rather than error, as it was said; nothing below that."""
    if RANKS[message["severity"]] < RANKS[ERROR]:
        return {}
    if old is None or "hot_at" not in old.message or RANKS[message["severity"]] > RANKS[old.message["severity"]]:
        return {"hot_at": message["at"]}
    return {"hot_at": old.message["hot_at"]}


def _group(message: Message, notify: Notify) -> str:
    return group_key(message, notify.group_by) if RANKS[message["severity"]] >= RANKS[notify.min_severity] else ""


def _differs(old: Message, new: Message) -> bool:
    return any(old.get(name) != new.get(name) for name in _COUNTED)


def _leave(old: Address, order: Order, group: str, topic: str) -> list[Envelope]:
    """What is told to where it was, unless it stays there."""
    message = gone(old.message["id"], order)
    sent = [Envelope(TOPIC, old.topic, message)] if old.topic and old.topic != topic else []
    return [*sent, Envelope(GROUP, old.group, message)] if old.group and old.group != group else sent
