"""A story: one problem of one customer, its threads, and the events that tell it."""

from dataclasses import dataclass, field
from typing import Any

from schemas.times import format_time
from streams.simulation.desks import PLANS, Ticket
from streams.simulation.people import Person
from streams.simulation.world import World

Who = dict[str, str]
CUSTOMER: Who = {"type": "customer"}
BOT: Who = {"type": "bot", "id": "helper"}
PEER: Who = {"type": "peer"}


@dataclass(frozen=True, slots=True)
class Happening:
    """One event of a story, as its truth is judged by. `human` marks an answer by a person of the company."""

    at: int
    kind: str
    channel: str
    thread: str | None
    public: bool
    human: bool
    by_company: bool
    data: dict[str, Any]
    identities: tuple[str, ...]


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
    in_crowd: bool = False
    threads: list[Thread] = field(default_factory=list)
    happenings: list[Happening] = field(default_factory=list)
    solved_at: int | None = None

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
    ) -> str:
        """Emit an event of this story now; its id is returned."""
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
        if identities:
            value["identities"] = identities
        if kind != "self_service_failed":
            value["thread"] = thread.id
        if thread.public:
            value["public"] = True
            reply_to = reply_to or (thread.last_contact if actor is not None and thread.last_contact else None)
        optional = {"in_reply_to": reply_to, "text": text, "data": data}
        if kind == "contact":
            optional |= {"topic": self.topic, "difficulty": self.difficulty, "tier": self.person.tier}
        value |= {name: part for name, part in optional.items() if part is not None}
        self.world.emit(value)
        self._note(value, thread, actor)
        return event_id

    def _identities(self, thread: Thread, actor: Who | None, *, signed_in: bool) -> list[dict[str, str]]:
        if actor is None or signed_in:
            return self.person.identities_on(thread.channel, signed_in=signed_in)
        return []

    def _note(self, value: dict[str, Any], thread: Thread, actor: Who | None) -> None:
        kind, data = value["kind"], value.get("data") or {}
        by = actor["type"] if actor is not None else "customer"
        machine = data.get("auto") or data.get("canned")
        self.happenings.append(
            Happening(
                at=self.world.now,
                kind=kind,
                channel=thread.channel,
                thread=value.get("thread"),
                public=thread.public,
                human=by == "agent" and (kind == "answered" or (kind == "reply" and not machine)),
                by_company=by not in ("customer", "peer"),
                data=data,
                identities=tuple(f"{one['type']}:{one['value']}" for one in value.get("identities", ())),
            )
        )

    def solve(self, thread: Thread, actor: Who) -> None:
        """The company calls it solved, on this thread."""
        self.add("status", thread, actor=actor, data={"status": "solved"})
        self.solved_at = self.world.now
        self.leave_queues()

    def leave_queues(self) -> None:
        """Nobody waits for this story any more."""
        for thread in self.threads:
            if thread.ticket is not None:
                thread.ticket.waiting = False
                thread.ticket = None
