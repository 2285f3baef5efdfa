"""What the notifications and the hotspots must know of an escalation, small enough to be sent for each revision.

An escalation lives with its customer. The group that it pages in and the topic that it counts on live elsewhere, each
on one partition: what goes there is this message, never the record. It holds no identity, no text and no timeline.

    {"id": "esc_1", "revision": 2, "turn": 0, "kind": "sla", "status": "open", "severity": "error", ...}

An escalation that leaves a group or a topic (it is resolved, or belongs to another now) is told by
`{"id", "revision", "turn", "gone": true}`. (`revision`, `turn`) orders the messages about one escalation: `turn`
counts those within one revision, because a policy may move an escalation that says nothing new. `came` is the order
of the message with which it came where it is: one that has left and come back in between is known by that.
"""

from collections import Counter
from typing import Any, NamedTuple

from schemas.policy_people import GroupField
from schemas.times import parse_time
from streams.fingerprint import fingerprint
from streams.history import History
from streams.policy import EscalationFacts
from streams.policy_routing import attempts

Record = dict[str, Any]
Message = dict[str, Any]
Order = tuple[int, int]
Label = str | bool

KEY_MAX = 255
"""Longest group key, in characters: what pagers take as a dedup key."""
LEAD_MAX = 300
"""How much of an escalation's summary is sent, in characters."""

_TAKEN = (
    "revision",
    "kind",
    "status",
    "metric",
    "patterns",
    "severity",
    "level",
    "provisional",
    "topic",
    "channel",
    "channels",
    "public",
    "customer_id",
    "issue_id",
    "contacts",
    "first_contact_at",
)
"""Fields of the record that are sent as they are, where it has them."""


class Beside(NamedTuple):
    """What a silence or a hotspot may ask for and the record does not say; None for unknown."""

    priority: str | None = None
    difficulty: str | None = None
    tier: str | None = None
    team: str | None = None
    attempts: int | None = None
    contacts_by: dict[str, int] | None = None
    """By channel, how many contacts the customer has made about the issue."""


def beside(history: History, record: Record, now: int) -> Beside:
    """What the customer's history adds to the record of one of their escalations, at `now` (ms)."""
    name = record.get("thread") or (record["threads"][-1]["thread"] if record.get("threads") else "")
    thread, issue = history.threads.get(name), history.by_thread.get(name)
    found = Beside(tier=history.tier)
    if issue is not None:
        made = Counter(event.channel for event in issue.contacts if event.at <= now)
        found = found._replace(attempts=attempts(issue, now), contacts_by=dict(made) or None)
    if thread is None:
        return found
    return found._replace(priority=thread.priority, difficulty=thread.difficulty, team=thread.team)


def of(record: Record, known: Beside | None = None) -> Message:
    """The message of a revision, its `turn` 0."""
    message: Message = {"id": record["escalation_id"], "turn": 0}
    message |= {name: record[name] for name in _TAKEN if record.get(name) is not None}
    message |= {"role": record["route"]["role"], "at": parse_time(record["detected_at"])}
    if known is not None:
        message |= {name: value for name, value in known._asdict().items() if value is not None}
    message["lead"] = record["summary"][:LEAD_MAX]
    return message


def gone(id_: str, order: Order) -> Message:
    """The message that an escalation is no longer there."""
    return {"id": id_, "revision": order[0], "turn": order[1], "gone": True}


def order_of(message: Message) -> Order:
    """Where the message stands among those about its escalation."""
    return message["revision"], message["turn"]


def comes(message: Message) -> bool:
    """True for the message with which an escalation comes to its group or its topic."""
    return tuple(message["came"]) == order_of(message)


def facts_of(message: Message) -> EscalationFacts:
    """What routes and silences ask for."""
    values = {name: message.get(name) for name in EscalationFacts._fields if name != "patterns"}
    return EscalationFacts(**values, patterns=tuple(message.get("patterns", ())))


def group_key(message: Message, fields: tuple[GroupField, ...]) -> str:
    """`kind=sla/topic=billing/channel=phone`: different values give different keys, of at most 255 characters."""
    text = "/".join(f"{name}={_escape(message.get(name))}" for name in fields) or "all"
    if len(text) <= KEY_MAX:
        return text
    mark = fingerprint("", text)
    return text[: KEY_MAX - len(mark)] + mark


def _escape(value: Label | None) -> str:
    if value is None:
        return ""
    text = str(value).lower() if isinstance(value, bool) else value
    return text.replace("%", "%25").replace("/", "%2F")
