"""One escalation as the notifications of its group know it."""

from typing import Any, NamedTuple

from streams.policy import EscalationFacts, Policy
from streams.severity import RANKS
from streams.storm_message import Message, Order, facts_of, order_of


class Member:
    """An escalation that is not resolved. Times in ms."""

    __slots__ = ("came", "facts", "held", "id", "lead", "open", "order", "ring", "rung", "severity", "since", "told")

    def __init__(self, id_: str) -> None:
        self.id = id_
        self.order: Order = (0, -1)
        self.came: Order = (0, -1)
        """The order of the message with which it came here."""
        self.open = False
        """Nobody has acknowledged or suppressed it."""
        self.severity = ""
        self.ring = 0
        """How often it has called, by its sender,"""
        self.rung = 0
        """and up to which of these calls it has been paged."""
        self.told = False
        """It has been in a page."""
        self.since = 0
        """Since when it waits to be paged."""
        self.held = 0
        """Until when a silence covers it, as far as has been looked; 0: none does."""
        self.facts = EscalationFacts()
        """What a silence is matched by."""
        self.lead = ""
        """Start of its summary, until it has been paged; empty where enough others have theirs kept."""

    def take(self, message: Message) -> None:
        """Take over what the message says."""
        self.order, self.came = order_of(message), tuple(message["came"])
        self.open = message["status"] == "open"
        self.severity, self.ring = message["severity"], message["ring"]
        self.facts = facts_of(message)

    @property
    def calls(self) -> bool:
        """True where it is to be paged."""
        return self.open and self.ring > self.rung

    @property
    def rank(self) -> tuple[int, int, str]:
        """The most severe first, then the one that has waited longest."""
        return -RANKS[self.severity], self.since, self.id

    def silenced(self, policy: Policy, now: int) -> int | None:
        """Until when the silence lasts that covers it at `now`; None where none does."""
        silence = policy.silence(self.facts, now)
        return None if silence is None else silence.until


class Calling:
    """The members that are to be paged, and since when the oldest has waited: known without looking at all of them."""

    def __init__(self) -> None:
        self.members: dict[str, Member] = {}
        self._joined_at: int | None = None
        self._held_until: int | None = None
        self._known = True

    def __len__(self) -> int:
        return len(self.members)

    def __contains__(self, id_: str) -> bool:
        return id_ in self.members

    def add(self, member: Member) -> None:
        """It is to be paged; or: it waits since another instant, or has been silenced, or no longer is."""
        if member.id in self.members:
            self._known = False
        self.members[member.id] = member
        if member.held:
            self._held_until = _least(self._held_until, member.held)
        else:
            self._joined_at = _least(self._joined_at, member.since)

    def discard(self, id_: str) -> None:
        """It is not to be paged, or has been."""
        member = self.members.pop(id_, None)
        if member is not None and (member.held or member.since) in (self._joined_at, self._held_until):
            self._known = False

    @property
    def joined_at(self) -> int | None:
        """Since when the oldest has waited that no silence covers."""
        self._look()
        return self._joined_at

    @property
    def held_until(self) -> int | None:
        """When the first silence ends that covers one of them."""
        self._look()
        return self._held_until

    def _look(self) -> None:
        if not self._known:
            self._joined_at = min((m.since for m in self.members.values() if not m.held), default=None)
            self._held_until = min((m.held for m in self.members.values() if m.held), default=None)
            self._known = True


def _least(first: int | None, second: int) -> int:
    return second if first is None else min(first, second)


class _Row(NamedTuple):
    """A member as it is stored: short, for there may be many."""

    id: str
    revision: int
    turn: int
    came_revision: int
    came_turn: int
    open: bool
    severity: str
    ring: int
    rung: int
    told: bool
    since: int
    held: int
    facts: int
    """Its place in the list of facts: in a storm many share theirs."""
    lead: str


def encode_members(members: dict[str, Member]) -> dict[str, Any]:
    """As a JSON object."""
    facts: dict[EscalationFacts, int] = {}
    rows = []
    for m in members.values():
        place = facts.setdefault(m.facts, len(facts))
        state = (m.open, m.severity, m.ring, m.rung, m.told, m.since, m.held)
        rows.append([m.id, *m.order, *m.came, *state, place, m.lead])  # as a _Row
    shared = [{name: value for name, value in each._asdict().items() if value not in (None, ())} for each in facts]
    return {"facts": shared, "rows": rows}


def decode_members(stored: dict[str, Any]) -> dict[str, Member]:
    """What `encode_members` stored."""
    facts = [EscalationFacts(**{**each, "patterns": tuple(each.get("patterns", ()))}) for each in stored["facts"]]
    members: dict[str, Member] = {}
    for values in stored["rows"]:
        row = _Row(*values)
        member = members[row.id] = Member(row.id)
        member.order, member.came = (row.revision, row.turn), (row.came_revision, row.came_turn)
        member.open, member.severity = row.open, row.severity
        member.ring, member.rung, member.told, member.since = row.ring, row.rung, row.told, row.since
        member.held, member.facts, member.lead = row.held, facts[row.facts], row.lead
    return members
