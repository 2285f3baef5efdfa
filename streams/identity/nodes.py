"""The parts of the graph: identities, the customers they make up, and the events that they carry."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import inf

from schemas.identity import Identity
from streams.identity.changes import Change
from streams.identity.limits import TOTAL


class Node:
    """One identity. `entries` carry or carried it, or belong to it; `cuts` are those it was unlinked from.

    `barred`: a thread that proved to be public, so that events of other threads which name it do not join it.
    """

    __slots__ = ("barred", "cuts", "entries", "group", "identity", "joined_at", "joined_by", "links")

    def __init__(self, identity: Identity) -> None:
        self.identity = identity
        self.group: Group | None = None
        self.entries: list[Entry] = []
        self.links: frozenset[Node] = _NOBODY
        self.cuts: frozenset[Node] = _NOBODY
        self.barred = False
        self.joined_by = ""
        self.joined_at = 0


_NOBODY: frozenset[Node] = frozenset()


class Group:
    """One customer: a connected component. Times in ms; `inf` where there is no such event yet."""

    __slots__ = ("aliases", "born_with", "contact_at", "counts", "event_at", "events", "id", "nodes")

    def __init__(self, id_: str, born_with: Node) -> None:
        self.id = id_
        self.born_with = born_with
        self.aliases: dict[str, Node] = {}  # each with the identity that it was born with
        self.nodes: list[Node] = []
        self.counts = [0] * (TOTAL + 1)
        self.contact_at: float = inf
        self.event_at: float = inf
        self.events = 0

    @property
    def seniority(self) -> tuple[float, float, str]:
        """Of two customers that merge, the one with the smaller seniority survives."""
        return (self.contact_at, self.event_at, self.id)

    def count(self, entry: "Entry") -> None:
        """Takes one more event into account."""
        self.events += 1
        if entry.members:
            self.event_at = min(self.event_at, entry.at)
            if entry.contact:
                self.contact_at = min(self.contact_at, entry.at)


class Entry:
    """What is kept of an event. `members`: its identities, strongest first, those it lost by an unlink included.

    `groups` divides the members where an edge was refused; `owner` is whose customer the event belongs to, None
    while it waits. `thread_node` is the private thread. `order` is the contract's order of events.
    """

    __slots__ = ("at", "contact", "groups", "id", "members", "order", "owner", "reply_to", "thread", "thread_node")

    def __init__(self, id_: str, order: tuple[int, int, str], *, contact: bool) -> None:
        self.id = id_
        self.at = order[0]
        self.order = order
        self.contact = contact
        self.members: tuple[Node, ...] = ()
        self.groups: tuple[tuple[Node, ...], ...] | None = None
        self.owner: Node | None = None
        self.thread_node: Node | None = None
        self.thread: str | None = None
        self.reply_to: str | None = None

    def kept(self) -> tuple[Node, ...]:
        """The members that the event joins: none that has been unlinked from a stronger one, or is barred."""
        members = self.members
        for node in members:
            if node.cuts or node.barred:
                break
        else:
            return members
        return tuple(n for rank, n in enumerate(members) if not n.barred and n.cuts.isdisjoint(members[:rank]))

    def joined(self) -> Iterator[tuple[Node, ...]]:
        """The members that are one another's neighbours by this event, set by set."""
        kept = self.kept()
        if self.groups is None:
            yield kept
            return
        for group in self.groups:
            rest = tuple(node for node in group if node in kept)
            if rest:
                yield rest


@dataclass(slots=True)
class Cause:
    """The record that changes something: when it happened and arrived (ms), and what it has changed so far."""

    record_id: str
    at: int
    arrived_at: int
    changes: list[Change]
