"""What the customers should be: worked out from scratch from all records at once, without limits.

Slow and plain on purpose, and independent of the resolver: it knows no order of arrival.
"""

from collections.abc import Iterable, Sequence

from schemas.identity import STRENGTH, Identity, is_blocked, normalise
from schemas.link import Link
from streams.event import Event

Groups = set[frozenset[str]]


class Components:
    """Union-find over texts."""

    def __init__(self) -> None:
        self._parent: dict[str, str] = {}

    def root(self, item: str) -> str:
        """The name of the component of `item`."""
        while self._parent.setdefault(item, item) != item:
            item = self._parent[item]
        return item

    def join(self, a: str, b: str) -> None:
        """Makes one component of two."""
        self._parent[self.root(a)] = self.root(b)


class Oracle:
    """The customers of `events` (on a public thread where `public` says so) and `links`."""

    def __init__(self, events: Sequence[Event], links: Sequence[Link], public: frozenset[str]) -> None:
        self._events = {event.id: event for event in events}
        self._public = public
        self._shown = {event.thread for event in events if event.thread in public}  # others cannot be known as public
        self._parts = Components()
        newest: dict[frozenset[Identity], Link] = {}
        for record in sorted(links, key=lambda link: (link.occurred_at, link.id)):
            pair = frozenset((_of(record.a), _of(record.b)))
            if len(pair) == 2 and not any(is_blocked(i) for i in pair):
                newest[pair] = record
        self._apart = {pair for pair, record in newest.items() if record.action == "unlink"}
        for pair, record in newest.items():
            if record.action == "link":
                self._parts.join(*map(str, pair))
        for event in events:
            members = self._joined(event)
            for other in members[1:]:
                self._parts.join(str(members[0]), str(other))

    def logs(self) -> Groups:
        """The event ids, customer by customer."""
        found: dict[str, set[str]] = {}
        for event in self._events.values():
            key = self._key(event)
            if key is not None:
                found.setdefault(key, set()).add(event.id)
        return {frozenset(ids) for ids in found.values()}

    def together(self, identities: Iterable[Identity]) -> Groups:
        """The identities, customer by customer."""
        found: dict[str, set[str]] = {}
        for identity in identities:
            found.setdefault(self._parts.root(str(identity)), set()).add(str(identity))
        return {frozenset(texts) for texts in found.values()}

    def _members(self, event: Event) -> list[Identity]:
        named = [i for i in event.identities if i.type != "thread" and not is_blocked(i)]
        named.sort(key=lambda i: STRENGTH[i.type])
        elsewhere = [i for i in event.identities if i.type == "thread" and i.value not in self._shown]
        if event.thread in self._public:
            return named
        own = [] if event.thread is None else [Identity("thread", event.thread)]
        into = [Identity("thread", event.data["into"])] if event.kind == "merge" else []
        return named + list(dict.fromkeys(own + elsewhere + [i for i in into if i.value not in self._shown]))

    def _joined(self, event: Event) -> list[Identity]:
        members = self._members(event)
        return [m for i, m in enumerate(members) if not any(frozenset((m, s)) in self._apart for s in members[:i])]

    def _key(self, event: Event) -> str | None:
        members = self._joined(event)
        if members:
            return self._parts.root(str(members[0]))
        if event.thread is None:
            return f"alone:{event.id}"
        answered = self._answered(event)
        if answered is not None and not self._in_circle(event):
            key = self._key(answered)
            if key is not None:
                return key
        first = min(
            (e for e in self._events.values() if e.thread == event.thread and e.kind == "contact" and self._speaks(e)),
            key=lambda e: e.order,
            default=None,
        )
        return self._key(first) if first else None

    def _answered(self, event: Event) -> Event | None:
        return None if self._members(event) or event.thread is None else self._events.get(event.in_reply_to or "")

    def _in_circle(self, event: Event) -> bool:
        step = self._answered(event)
        for _ in self._events:
            if step is None or step is event:
                break
            step = self._answered(step)
        return step is event

    def _speaks(self, event: Event) -> bool:
        return event.actor != "peer" and bool(self._members(event))


def _of(record: object) -> Identity:
    return normalise(record.type, record.value)  # type: ignore[attr-defined]
