"""A story: one problem of one customer, its threads, and the events that tell it."""

from dataclasses import dataclass, field
from typing import Any

from schemas.times import SECOND, format_time
from schemas.vocabulary import KINDS
from streams.simulation.desks import PLANS, Ticket
from streams.simulation.people import Person
from streams.simulation.world import World

Who = dict[str, str]
BOT: Who = {"type": "bot", "id": "helper"}
PEER: Who = {"type": "peer"}


@dataclass(frozen=True, slots=True)
class Happening:
    """One event as an observer saw it. `at` in ms; `by` is customer, agent, bot or peer."""

    id: str
    at: int
    kind: str
    channel: str
    thread: str | None
    public: bool
    by: str
    topic: str | None = None
    text: str | None = None
    data: dict[str, Any] = field(default_factory=dict)
    identities: tuple[str, ...] = ()

    @property
    def order(self) -> tuple[int, int, str]:
        """The contract's order of events: by time, then kind, then id."""
        return (self.at, KINDS.index(self.kind), self.id)

    @property
    def by_company(self) -> bool:
        """True for what the company did, or its machines."""
        return self.by in ("agent", "bot")

    @property
    def human(self) -> bool:
        """True for an answer by a person of the company, as far as its source says."""
        machine = self.data.get("auto") or self.data.get("canned")
        return self.by == "agent" and (self.kind == "answered" or (self.kind == "reply" and not machine))

    @property
    def solves(self) -> bool:
        """True for what ends a thread."""
        return self.kind == "confirmed" or (
            self.kind == "status" and self.data.get("status") in ("solved", "closed") and self.by != "peer"
        )


@dataclass(slots=True, eq=False)
class Thread:
    """One author's part in a conversation."""

    id: str
    channel: str
    public: bool
    first_contact: str
    last_contact: str
    ticket: Ticket | None = None
    answered: bool = False
    contacts: int = 0
    merged: bool = False
    kiosk: str | None = None
    """The number of the shop's telephone that the call came from."""


@dataclass(slots=True, eq=False)
class Story:
    """One problem. `turn` counts what happened, so that a plan made before is dropped when something has."""

    world: World
    person: Person
    topic: str
    difficulty: str
    blocked_until: int = 0
    anger: float = 0.0
    turn: int = 0
    tries: int = 0
    transfers: int = 0
    over: bool = False
    vip: bool = False
    threads: list[Thread] = field(default_factory=list)
    happenings: list[Happening] = field(default_factory=list)

    def add(  # an event has that many parts
        self,
        kind: str,
        thread: Thread,
        *,
        actor: Who | None = None,
        text: str | None = None,
        data: dict[str, Any] | None = None,
        signed_in: bool = False,
        reply_to: str | None = None,
        topic: str | None = None,
        helper: Person | None = None,
    ) -> str:
        """Emit an event of this story now; its id is returned. `helper` is the peer who speaks, where known."""
        event_id = self.world.next_id(PLANS[thread.channel].source.partition(":")[0])
        value: dict[str, Any] = {
            "id": event_id,
            "occurred_at": format_time(self.world.now),
            "channel": thread.channel,
            "kind": kind,
        }
        if actor is not None:
            value["actor"] = dict(actor)
        identities = self._identities(thread, actor, signed_in=signed_in)
        if helper is not None and helper.handle is not None:
            identities = helper.identities_on(thread.channel, signed_in=False)
        if identities:
            value["identities"] = identities
        if kind != "self_service_failed":
            value["thread"] = thread.id
        if thread.public:
            value["public"] = True
            reply_to = reply_to or (thread.last_contact if actor is not None and thread.last_contact else None)
        optional = {"in_reply_to": reply_to, "text": text, "data": data, "topic": topic}
        if kind == "contact":
            optional |= {"topic": self.topic, "difficulty": self.difficulty, "tier": self.person.tier}
        value |= {name: part for name, part in optional.items() if part is not None}
        at = self.world.emit(value)
        self._note(value, at, thread, "customer" if actor is None else actor["type"])
        return event_id

    def _identities(self, thread: Thread, actor: Who | None, *, signed_in: bool) -> list[dict[str, str]]:
        if actor is None or signed_in:
            return self.person.identities_on(thread.channel, signed_in=signed_in, kiosk=thread.kiosk)
        return []

    def _note(self, value: dict[str, Any], at: int, thread: Thread, by: str) -> None:
        names = [] if by == "peer" else value.get("identities", [])
        self.happenings.append(
            Happening(
                id=value["id"],
                at=at,
                kind=value["kind"],
                channel=thread.channel,
                thread=value.get("thread"),
                public=thread.public,
                by=by,
                topic=value.get("topic"),
                text=value.get("text"),
                data=value.get("data") or {},
                identities=tuple(f"{one['type']}:{one['value']}" for one in names),
            )
        )

    def solve(self, thread: Thread, actor: Who) -> None:
        """The company calls it solved, on this thread. Who waits in a queue for the same thing, hangs up."""
        self.add("status", thread, actor=actor, data={"status": "solved"})
        for other in self.threads:
            ticket = other.ticket
            if ticket is None:
                continue
            ticket.waiting, other.ticket = False, None
            if other is not thread and PLANS[other.channel].live:
                waited = (self.world.now - ticket.joined_at) // SECOND
                self.add("abandoned", other, data={"waited_s": waited})

    def duplicate_of(self, thread: Thread) -> Thread | None:
        """Another open ticket of this story in the system of `thread`, which may as well be one with it."""
        system = PLANS[thread.channel].source.partition(":")[0]
        for other in self.threads:
            if other is thread or other.merged or other.public or other.ticket is None:
                continue
            if not PLANS[other.channel].live and PLANS[other.channel].source.partition(":")[0] == system:
                return other
        return None
