"""Short ways to write events, links and the customers that come out of a resolver."""

from collections.abc import Iterable

from schemas.identity import Identity, parse_identity
from schemas.link import Link
from schemas.times import format_time
from streams.event import Event
from streams.identity.changes import Change, Merged, Moved, Placed, Refused, Split
from streams.identity.resolver import Resolver

PUBLIC = frozenset({"s1", "s2", "s3"})
"""The public threads of these tests; all others are private."""


def event(
    id_: str,
    *identities: str,
    thread: str | None = None,
    at: int = 0,
    kind: str = "contact",
    actor: str = "customer",
    reply_to: str | None = None,
    into: str | None = None,
) -> Event:
    """An event at `at` ms that arrives at once."""
    named = tuple(dict.fromkeys(parse_identity(text) for text in identities))
    data = {"into": into} if into else {}
    return Event(id_, at, kind, "chat", actor, thread, named, at, in_reply_to=reply_to, data=data)


def link(id_: str, a: str, b: str, *, at: int = 0, action: str = "link") -> Link:
    """A link record at `at` ms."""
    pair = [dict(zip(("type", "value"), text.split(":", 1), strict=True)) for text in (a, b)]
    return Link.model_validate(
        {"id": id_, "occurred_at": format_time(at), "action": action, "a": pair[0], "b": pair[1]}
    )


class Book:
    """A resolver, and the logs that its caller keeps by the changes it reports."""

    def __init__(self, resolver: Resolver | None = None) -> None:
        self.resolver = resolver or Resolver()
        self.logs: dict[str, list[str]] = {}
        self.refused: list[Refused] = []
        self.seen: list[Change] = []

    def take(self, *records: Event | Link) -> "Book":
        """Takes the records in the order given."""
        for record in records:
            if isinstance(record, Event):
                changes = self.resolver.place(record, public=record.thread in PUBLIC)
            else:
                changes = self.resolver.link(record, record.occurred_at)
            for change in changes:
                self._apply(change)
            self.seen += changes
        return self

    def _apply(self, change: Change) -> None:
        logs = self.logs
        match change:
            case Placed(customer_id, placed):
                logs.setdefault(customer_id, []).append(placed.id)
            case Merged(into, loser):
                logs[into] += logs.pop(loser)
            case Moved(event_id, origin, target):
                logs[origin].remove(event_id)
                logs.setdefault(target, []).append(event_id)
            case Split(origin, parts):
                for customer_id, ids in parts.items():
                    assert customer_id not in logs
                    assert ids <= set(logs[origin])
                    logs[customer_id] = [id_ for id_ in logs[origin] if id_ in ids]
                    logs[origin] = [id_ for id_ in logs[origin] if id_ not in ids]
            case Refused():
                self.refused.append(change)

    def groups(self) -> set[frozenset[str]]:
        """The logs without the names of their customers; fails where an event is in one twice."""
        assert all(len(set(ids)) == len(ids) for ids in self.logs.values())
        return {frozenset(ids) for ids in self.logs.values() if ids}

    def together(self, identities: Iterable[Identity]) -> set[frozenset[str]]:
        """The identities, customer by customer; one that nobody has is alone."""
        found: dict[str, set[str]] = {}
        for identity in identities:
            key = self.resolver.customer_of(identity) or str(identity)
            found.setdefault(key, set()).add(str(identity))
        return {frozenset(texts) for texts in found.values()}
