"""The customers of the whole input in one place: the resolver of `mindgap replay`, and the oracle of the protocol.

Decisions where the contract leaves room:

- A cut by an unlink takes the weaker identity out of every event that carries both: the event's other identities
  join the stronger one only. So an unlink also separates what a ticket would hold together.
- Of several link records about one pair the newest (`occurred_at`, then id) holds, whatever the order of arrival.
- A limit refuses edges in order of strength, and a refused edge stays refused: room that an unlink makes later does
  not bring it back, only a new link record does. A link that a limit refuses does not end an unlink.
- "The earlier first contact" of a customer counts the contacts that carry identities; a customer without any counts
  by its first event, after all customers that have one.
- After a split each alias resolves to the part that holds the identity that the alias was born with. New parts get
  new ids, never an id that was used before.
- The author of a public thread's first contact is the author of its earliest `contact` that carries identities and is
  not a peer's. What an event answers counts on any thread; an answer to an answer goes the whole way.
- An event on a public thread is joined by what says who speaks, not by identities of type thread.
- A thread is public for all of its events or for none; the caller says which. One that others name (`data.into`, an
  identity of type thread) and that proves to be public joins nobody, earlier events included.
- An event that names nobody at all (every identity blocked, and no thread) is a customer of its own.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from schemas.identity import STRENGTH, Identity, is_blocked, normalise
from schemas.link import Link
from streams.event import Event
from streams.identity.changes import Change, Moved, Placed, Refused
from streams.identity.graph import Graph
from streams.identity.limits import Limits
from streams.identity.nodes import Cause, Entry, Node
from streams.identity.rules import IdentityRules
from streams.identity.threads import PublicThreads

Pair = tuple[Identity, Identity]


@dataclass(frozen=True, slots=True)
class Member:
    """An identity of a customer, and the record (event or link id) that first joined it to one, and when (ms)."""

    identity: Identity
    joined_by: str
    joined_at: int


@dataclass(frozen=True, slots=True)
class Customer:
    """A connected component: `aliases` sorted, `members` strongest first, `events` the size of its log."""

    customer_id: str
    aliases: tuple[str, ...]
    members: tuple[Member, ...]
    events: int

    @property
    def identities(self) -> tuple[Identity, ...]:
        """The identities, strongest first, threads last."""
        return tuple(member.identity for member in self.members)


class Resolver:
    """Places each event with its customer, as events and links arrive. Every record is taken once, by its id."""

    def __init__(self, rules: IdentityRules | None = None) -> None:
        self._rules = rules or IdentityRules()
        self._graph = Graph(self._rules)
        self._entries: dict[str, Entry] = {}
        self._threads = PublicThreads(self._entries)
        self._waiting: dict[str, Event] = {}
        self._public: set[Identity] = set()
        self._links: dict[Pair, tuple[int, str]] = {}  # the newest record of each pair: when and which

    def use(self, rules: IdentityRules) -> None:
        """From now on these rules hold; what they would have refused or blocked before stays as it is."""
        self._rules = rules
        self._graph.limits = Limits(rules)

    @property
    def waiting(self) -> int:
        """How many events wait until it is known whose they are."""
        return len(self._waiting)

    def place(self, event: Event, *, public: bool) -> list[Change]:
        """Takes an event, on a public thread or not. No change where its id has been seen."""
        if event.id in self._entries:
            return []
        cause = Cause(event.id, event.at, event.arrived_at, [])
        contact = event.kind == "contact" and event.actor != "peer"
        entry = self._entries[event.id] = Entry(event.id, event.order, contact=contact)
        entry.reply_to = event.in_reply_to
        if public and event.thread is not None:
            entry.thread = event.thread
            self._bar(normalise("thread", event.thread), cause)
        entry.members = self._members(event, entry)
        if not entry.members and entry.thread is not None:
            return self._hold(entry, event, cause)
        self._graph.connect(entry, cause)
        for node in entry.members:
            node.entries.append(entry)
        if entry.owner and entry.owner.group:
            entry.owner.group.count(entry)
            cause.changes.append(Placed(entry.owner.group.id, event))
        if entry.thread is not None:
            for other in self._threads.note(entry):
                self._settle(other, cause)
        for other in self._threads.answers(event.id):
            self._settle(other, cause)
        return cause.changes

    def link(self, record: Link, arrived_at: int) -> list[Change]:
        """Takes a link or unlink record that arrived at `arrived_at` (ms)."""
        pair = _ordered(normalise(record.a.type, record.a.value), normalise(record.b.type, record.b.value))
        stamp = (record.occurred_at, record.id)
        if pair[0] == pair[1] or any(is_blocked(i, self._rules.blocked) for i in pair):
            return []
        if pair in self._links and self._links[pair] >= stamp:
            return []
        self._links[pair] = stamp
        cause = Cause(record.id, record.occurred_at, arrived_at, [])
        stronger, weaker = self._graph.node(pair[0]), self._graph.node(pair[1])
        if record.action == "link":
            self._join(stronger, weaker, cause)
        else:
            self._cut(stronger, weaker, cause)
        return cause.changes

    def customer_of(self, identity: Identity) -> str | None:
        """The id of the customer that `identity`, in its normal form, belongs to."""
        node = self._graph.nodes.get(identity)
        return node.group.id if node and node.group else None

    def resolve(self, customer_id: str) -> str:
        """The id that `customer_id` has become; itself where it is unknown."""
        group = self._graph.groups.get(customer_id)
        return group.id if group else customer_id

    def customers(self) -> Iterator[Customer]:
        """All customers, in order of their ids; those that only links speak of have no events."""
        for customer_id, group in sorted(self._graph.groups.items()):
            if customer_id == group.id:
                nodes = [n for n in group.nodes if n.identity.type in STRENGTH]
                members = [Member(n.identity, n.joined_by, n.joined_at) for n in nodes]
                members.sort(key=lambda member: (STRENGTH[member.identity.type], member.identity.value))
                yield Customer(customer_id, tuple(sorted(group.aliases)), tuple(members), group.events)

    def _members(self, event: Event, entry: Entry) -> tuple[Node, ...]:
        """The nodes of the identities that the event joins, strongest first."""
        found = [i for i in event.identities if i.type != "thread"]
        if len(found) > 1:
            found.sort(key=lambda identity: STRENGTH[identity.type])
        nodes = [node for identity in found if (node := self._known(identity))]
        if entry.thread is not None:
            return tuple(nodes)
        others = [i for i in event.identities if i.type == "thread"]
        if event.thread is not None:
            entry.thread_node = self._known(normalise("thread", event.thread))
            if entry.thread_node:
                nodes.append(entry.thread_node)
            if event.kind == "merge" and "into" in event.data:
                others.append(normalise("thread", event.data["into"]))
        alone = not nodes
        for identity in others:
            node = None if identity in self._public else self._known(identity)
            if node and node not in nodes:
                nodes.append(node)
        if alone:
            nodes.append(self._graph.node(Identity("event", event.id)))
        return tuple(nodes)

    def _known(self, identity: Identity) -> Node | None:
        """The node of `identity`; None where its value is blocked."""
        node = self._graph.nodes.get(identity)
        if node is None and not is_blocked(identity, self._rules.blocked):
            node = self._graph.node(identity)
        return node

    def _hold(self, entry: Entry, event: Event, cause: Cause) -> list[Change]:
        self._threads.hold(entry)
        self._waiting[event.id] = event
        for other in self._threads.following(entry):
            self._settle(other, cause)
        return cause.changes

    def _settle(self, entry: Entry, cause: Cause) -> None:
        """Gives an event without an author to whom it belongs by now, and the events that depend on it."""
        steps = [entry]
        while steps:
            step = steps.pop()
            owner = self._threads.owner(step)
            if owner is not None and owner is not step.owner and not step.members:
                self._give(step, owner, cause)
                steps.extend(self._threads.dependents(step))

    def _give(self, entry: Entry, owner: Node, cause: Cause) -> None:
        origin = entry.owner.group if entry.owner else None
        target = owner.group or self._graph.found(owner, cause)
        entry.owner = owner
        owner.entries.append(entry)
        if origin is target:
            return
        target.count(entry)
        if origin is None:
            cause.changes.append(Placed(target.id, self._waiting.pop(entry.id)))
        else:
            origin.events -= 1
            cause.changes.append(Moved(entry.id, origin.id, target.id, cause.arrived_at))

    def _join(self, stronger: Node, weaker: Node, cause: Cause) -> None:
        reason = self._graph.join(stronger, weaker, cause)
        if reason:
            by = stronger.group or self._graph.found(stronger, cause)
            cause.changes.append(Refused(weaker.identity, by.id, reason, cause.record_id, cause.arrived_at))
            return
        stronger.links |= {weaker}
        if weaker not in stronger.cuts:
            return
        stronger.cuts -= {weaker}
        weaker.cuts -= {stronger}
        for entry in _carrying_both(stronger, weaker):
            self._graph.connect(entry, cause)

    def _cut(self, stronger: Node, weaker: Node, cause: Cause) -> None:
        stronger.links -= {weaker}
        weaker.links -= {stronger}
        stronger.cuts |= {weaker}
        weaker.cuts |= {stronger}
        self._release(_carrying_both(stronger, weaker), cause)
        for group in dict.fromkeys(node.group for node in (stronger, weaker)):
            if group is not None:
                self._graph.split(group, cause)

    def _bar(self, thread: Identity, cause: Cause) -> None:
        """Takes a thread that proves to be public out of the events that name it."""
        if thread in self._public:
            return
        self._public.add(thread)
        node = self._graph.nodes.get(thread)
        if node is None or any(entry.thread_node is node for entry in node.entries):
            return
        node.barred = True
        self._release(node.entries, cause)
        if node.group is not None:
            self._graph.split(node.group, cause)

    def _release(self, entries: Iterable[Entry], cause: Cause) -> None:
        """Gives those of the events that no longer join their owner to the strongest identity that they do join."""
        for entry in tuple(entries):
            kept = entry.kept()
            if kept and entry.owner not in kept:
                self._give(entry, kept[0], cause)
                for other in self._threads.dependents(entry):
                    self._settle(other, cause)


def _ordered(a: Identity, b: Identity) -> Pair:
    """The two, the stronger first."""
    first, second = sorted((a, b), key=lambda identity: (STRENGTH[identity.type], identity.value))
    return first, second


def _carrying_both(a: Node, b: Node) -> list[Entry]:
    one, other = (a, b) if len(a.entries) <= len(b.entries) else (b, a)
    return [entry for entry in one.entries if other in entry.members]
