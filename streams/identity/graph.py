"""Identities and the edges between them: joins within the limits, and splits."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations, count

from schemas.identity import STRENGTH, Identity
from streams.identity.birth import birth_id
from streams.identity.changes import Merged, Refused, Split
from streams.identity.limits import TOTAL, TYPES, Limits, add, counts_of
from streams.identity.nodes import Cause, Entry, Group, Node
from streams.identity.rules import IdentityRules


class Graph:
    """The connected components. Joining costs the smaller side, splitting the whole component."""

    def __init__(self, rules: IdentityRules) -> None:
        self.nodes: dict[Identity, Node] = {}
        self.groups: dict[str, Group] = {}  # by id and by alias
        self._refused: set[tuple[Identity, Identity]] = set()
        self.limits = Limits(rules)
        self._alone = {name: counts_of(name) for name in (*TYPES, "event")}

    def node(self, identity: Identity) -> Node:
        """The node of `identity`, made where there is none."""
        node = self.nodes.get(identity)
        if node is None:
            node = self.nodes[identity] = Node(identity)
        return node

    def found(self, node: Node, cause: Cause) -> Group:
        """A new customer, born with `node`."""
        group = Group(self._new_id(cause.at, node), node)
        self.groups[group.id] = group
        self._adopt(group, node, cause)
        return group

    def connect(self, entry: Entry, cause: Cause) -> None:
        """Joins the members of `entry`, as far as the limits allow, and gives it its owner where it has none."""
        kept = entry.kept()
        group = kept[0].group
        failed = self._join_all(kept, cause) if group is None or _differ(kept, group) else {}
        owner = entry.owner or _owner(entry, kept)
        if owner.group is None:
            self.found(owner, cause)
        entry.owner = owner
        entry.groups = None
        if len(kept) > 1 and _differ(kept, owner.group):
            entry.groups = _by_group(kept)
            self._refuse(owner, entry.groups, failed, cause)

    def join(self, a: Node, b: Node, cause: Cause) -> str | None:
        """Makes `a` and `b` one customer's; the reason where a limit forbids it. A new customer is born with `a`."""
        x, y = a.group, b.group
        if x is not None and x is y:
            return None
        alone = self._alone
        reason = self.limits.over(x.counts if x else alone[a.identity.type], y.counts if y else alone[b.identity.type])
        if reason:
            return reason
        if x and y:
            self._merge(x, y, cause)
        elif x:
            self._adopt(x, b, cause)
        elif y:
            self._adopt(y, a, cause)
        else:
            self._adopt(self.found(a, cause), b, cause)
        return None

    def split(self, group: Group, cause: Cause) -> None:
        """Divides `group` where its edges no longer hold it together."""
        parts = _components(group.nodes)
        if len(parts) == 1:
            return
        aliases = group.aliases
        events: dict[str, frozenset[str]] = {}
        group.aliases = {}
        for part in parts:
            owned = _owned(part)
            if group.born_with in part:
                whole = group
            elif not owned and len(part) == 1:
                part[0].group = None  # nothing is left that speaks of it
                continue
            else:
                whole = self._part(part, owned, cause)
                events[whole.id] = frozenset(entry.id for entry in owned)
            _fill(whole, part, owned)
        for alias, born_with in aliases.items():
            home = born_with.group or group
            home.aliases[alias] = born_with
            self.groups[alias] = home
        events = {id_: ids for id_, ids in events.items() if ids}
        if events:
            cause.changes.append(Split(group.id, events, cause.arrived_at))

    def _part(self, part: Sequence[Node], owned: Iterable[Entry], cause: Cause) -> Group:
        strongest = min(part, key=lambda node: (STRENGTH.get(node.identity.type, TOTAL), node.identity.value))
        born_at = min((entry.at for entry in owned if entry.members), default=cause.at)
        group = Group(self._new_id(born_at, strongest), strongest)
        self.groups[group.id] = group
        return group

    def _join_all(self, kept: tuple[Node, ...], cause: Cause) -> dict[tuple[Node, Node], str]:
        """Joins the nodes, the strongest first; the pairs that a limit forbids, and why."""
        failed: dict[tuple[Node, Node], str] = {}
        pairs = list(combinations(kept, 2))
        apart = [pair for pair in pairs if (pair[0].identity, pair[1].identity) in self._refused]
        for a, b in pairs:
            if (a.group is None or a.group is not b.group) and not (apart and _across(a, b, apart)):
                reason = self.join(a, b, cause)
                if reason:
                    failed[a, b] = reason
                    apart.append((a, b))
        return failed

    def _refuse(
        self,
        owner: Node,
        groups: tuple[tuple[Node, ...], ...],
        failed: dict[tuple[Node, Node], str],
        cause: Cause,
    ) -> None:
        home = next(group for group in groups if owner in group)
        for other in groups:
            if other is home:
                continue
            pairs = [(a, b) for x in home for y in other for a, b in ((x, y), (y, x))]
            reason = next((failed[pair] for pair in pairs if pair in failed), None)
            if reason and owner.group and (owner.identity, other[0].identity) not in self._refused:
                by = owner.group.id
                cause.changes.append(Refused(other[0].identity, by, reason, cause.record_id, cause.arrived_at))
            self._refused.update((a.identity, b.identity) for a, b in pairs)

    def _adopt(self, group: Group, node: Node, cause: Cause) -> None:
        node.group = group
        node.joined_by = cause.record_id
        node.joined_at = cause.arrived_at
        group.nodes.append(node)
        add(group.counts, self._alone[node.identity.type])

    def _merge(self, x: Group, y: Group, cause: Cause) -> None:
        survivor, loser = (x, y) if x.seniority < y.seniority else (y, x)
        into, gone = survivor.id, loser.id
        if loser.events:  # else nobody has heard of it
            cause.changes.append(Merged(into, gone, cause.arrived_at))
        large, small = (x, y) if len(x.nodes) >= len(y.nodes) else (y, x)
        for id_ in (small.id, *small.aliases):
            self.groups[id_] = large
        for node in small.nodes:
            node.group = large
        large.nodes += small.nodes
        large.aliases.update(small.aliases)
        large.aliases[gone] = loser.born_with
        large.id, large.born_with = into, survivor.born_with
        add(large.counts, small.counts)
        large.contact_at = min(x.contact_at, y.contact_at)
        large.event_at = min(x.event_at, y.event_at)
        large.events += small.events

    def _new_id(self, at: int, node: Node) -> str:
        return next(id_ for salt in count() if (id_ := birth_id(at, node.identity, salt)) not in self.groups)


def _across(a: Node, b: Node, apart: Iterable[tuple[Node, Node]]) -> bool:
    """Whether joining `a` and `b` would join two that are to stay apart."""
    return any((_together(a, x) and _together(b, y)) or (_together(a, y) and _together(b, x)) for x, y in apart)


def _together(a: Node, b: Node) -> bool:
    return a is b or (a.group is not None and a.group is b.group)


def _owner(entry: Entry, kept: tuple[Node, ...]) -> Node:
    """The strongest identity, unless the event's private thread is known to be somebody else's."""
    thread = entry.thread_node
    if thread is not None and thread.group is not None and thread.group is not kept[0].group and thread in kept:
        return thread
    return kept[0]


def _differ(nodes: tuple[Node, ...], group: Group | None) -> bool:
    for node in nodes:  # noqa: SIM110  every event with several identities comes here, and any() takes twice as long
        if node.group is not group:
            return True
    return False


def _by_group(nodes: tuple[Node, ...]) -> tuple[tuple[Node, ...], ...]:
    found: dict[int, list[Node]] = {}
    for node in nodes:
        found.setdefault(id(node.group or node), []).append(node)
    return tuple(tuple(group) for group in found.values())


def _components(nodes: Sequence[Node]) -> list[list[Node]]:
    """The nodes, divided into those that events and links still hold together, in the order given."""
    parent: dict[Node, Node] = {node: node for node in nodes}

    def root(node: Node) -> Node:
        while parent[node] is not node:
            parent[node] = node = parent[parent[node]]
        return node

    for first, second in _edges(nodes):
        parent[root(second)] = root(first)
    parts: dict[Node, list[Node]] = {}
    for node in nodes:
        parts.setdefault(root(node), []).append(node)
    return list(parts.values())


def _edges(nodes: Sequence[Node]) -> Iterator[tuple[Node, Node]]:
    for node in nodes:
        for other in node.links:
            yield node, other
        for entry in node.entries:
            for joined in entry.joined():
                if joined and joined[0] is node:
                    for other in joined[1:]:
                        yield node, other


def _owned(nodes: Iterable[Node]) -> list[Entry]:
    return list({entry.id: entry for node in nodes for entry in node.entries if entry.owner is node}.values())


def _fill(group: Group, nodes: list[Node], owned: Iterable[Entry]) -> None:
    fresh = Group(group.id, group.born_with)
    for name in ("counts", "contact_at", "event_at", "events"):
        setattr(group, name, getattr(fresh, name))
    group.nodes = nodes
    for node in nodes:
        node.group = group
        add(group.counts, counts_of(node.identity.type))
    for entry in owned:
        group.count(entry)
