"""One interaction as the core keeps it: normalised, and small enough to be stored by the thousand."""

from dataclasses import dataclass, field
from typing import Any

from schemas.identity import Identity, normalise
from schemas.interaction import Interaction
from schemas.vocabulary import BY_CUSTOMER, KINDS
from streams.digest import digest

EXCERPT_MAX = 200
"""Longest excerpt of a text that is kept, in characters (contract, section 2)."""

RANK: dict[str, int] = {kind: rank for rank, kind in enumerate(KINDS)}
"""Order of the kinds within one instant."""

_DATA_KEPT = {
    "contact": ("reach", "queued"),
    "answered": ("waited_s",),
    "reply": ("auto", "canned", "waited_s"),
    "abandoned": ("waited_s",),
    "deflect": ("to",),
    "transfer": ("to_team",),
    "status": ("status",),
    "promise": ("due_at", "what"),
    "merge": ("into",),
    "feedback": ("score",),
}
"""The parts of `data` that something is derived from; the rest is not kept."""


@dataclass(frozen=True, slots=True)
class Event:
    """What happened. Times in ms since the epoch; `order` is the contract's order of events."""

    id: str
    at: int
    kind: str
    channel: str
    actor: str
    thread: str | None
    identities: tuple[Identity, ...]
    arrived_at: int
    actor_id: str | None = None
    team: str | None = None
    in_reply_to: str | None = None
    issue: str | None = None
    topic: str | None = None
    public: bool | None = None
    priority: str | None = None
    difficulty: str | None = None
    tier: str | None = None
    excerpt: str | None = None
    digest: str | None = None
    """Of an agent's reply: a hash of its normalised text, by which a canned one is recognised."""
    data: dict[str, Any] = field(default_factory=dict)

    @property
    def order(self) -> tuple[int, int, str]:
        """Sort key: event time, then kind, then id."""
        return (self.at, RANK[self.kind], self.id)

    @property
    def by_company(self) -> bool:
        """Done by the company: an agent, a bot or a system."""
        return self.actor in ("agent", "bot", "system")


def from_interaction(record: Interaction, arrived_at: int, *, excerpts: bool = True) -> Event:
    """The event of a valid interaction that arrived at `arrived_at` (ms).

    A time a little ahead of the arrival (a source's clock that runs fast) is taken as the arrival;
    how much is a little has been checked before.
    """
    actor = record.actor
    data = record.data or {}
    text = record.text if excerpts else None
    by = actor.type if actor else "customer" if record.kind in BY_CUSTOMER else "agent"
    return Event(
        id=record.id,
        at=min(record.occurred_at, arrived_at),
        kind=record.kind,
        channel=record.channel,
        actor=by,
        thread=record.thread,
        identities=tuple(dict.fromkeys(normalise(i.type, i.value) for i in record.identities)),
        arrived_at=arrived_at,
        actor_id=actor.id if actor else None,
        team=actor.team if actor else None,
        in_reply_to=record.in_reply_to,
        issue=record.issue,
        topic=record.topic,
        public=record.public,
        priority=record.priority,
        difficulty=record.difficulty,
        tier=record.tier,
        excerpt=text[:EXCERPT_MAX] if text else None,
        digest=digest(record.text) if record.text and record.kind == "reply" and by == "agent" else None,
        data={name: data[name] for name in _DATA_KEPT.get(record.kind, ()) if data.get(name) is not None},
    )


_OPTIONAL = (
    "actor_id",
    "team",
    "in_reply_to",
    "issue",
    "topic",
    "public",
    "priority",
    "difficulty",
    "tier",
    "excerpt",
    "digest",
    "data",
)


def encode(event: Event) -> list[Any]:
    """The event as a JSON list: the required fields by position, the others as an object of those present."""
    extra = {name: value for name in _OPTIONAL if (value := getattr(event, name)) not in (None, {})}
    identities = [str(identity) for identity in event.identities]
    return [
        event.id,
        event.at,
        event.kind,
        event.channel,
        event.actor,
        event.thread,
        identities,
        event.arrived_at,
        extra,
    ]


def decode(stored: list[Any]) -> Event:
    """The event that `encode` stored."""
    id_, at, kind, channel, actor, thread, identities, arrived_at, extra, *_ = stored
    known = {name: extra[name] for name in _OPTIONAL if name in extra}
    return Event(id_, at, kind, channel, actor, thread, tuple(_identity(i) for i in identities), arrived_at, **known)


def _identity(text: str) -> Identity:
    kind, _, value = text.partition(":")
    return Identity(kind, value)
