"""The log of one customer: events in the contract's order, each id once."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from typing import Any

from schemas.identity import Identity
from streams.event import Event, decode, encode


class Log:
    """Events sorted by `Event.order`. Adding one that is there already is a no-op; see also `later_copy`."""

    __slots__ = ("_events", "_ids", "_orders")

    def __init__(self, events: Iterable[Event] = ()) -> None:
        self._events: list[Event] = []
        self._orders: list[tuple[int, int, str]] = []
        self._ids: set[str] = set()
        for event in events:
            self.add(event)

    def add(self, event: Event) -> bool:
        """Insert in event-time order; False where the id was known."""
        if event.id in self._ids:
            return False
        self._ids.add(event.id)
        order = event.order
        if not self._orders or order > self._orders[-1]:
            self._events.append(event)
            self._orders.append(order)
        else:
            place = bisect_left(self._orders, order)
            self._events.insert(place, event)
            self._orders.insert(place, order)
        return True

    def later_copy(self, event: Event) -> Event | None:
        """The copy of this event that is here, where it arrived after this one: its way may be shorter."""
        if event.id not in self._ids:
            return None
        known = next(each for each in self._events if each.id == event.id)
        return known if known.arrived_at > event.arrived_at else None

    def take(self, ids: Iterable[str]) -> list[Event]:
        """Remove the events with these ids and return them, in order."""
        gone = self._ids.intersection(ids)
        if not gone:
            return []
        taken = [event for event in self._events if event.id in gone]
        self._events = [event for event in self._events if event.id not in gone]
        self._orders = [event.order for event in self._events]
        self._ids -= gone
        return taken

    def __iter__(self) -> Iterator[Event]:
        return iter(self._events)

    def __len__(self) -> int:
        return len(self._events)

    def __contains__(self, id_: object) -> bool:
        return id_ in self._ids

    def threads(self) -> set[str]:
        """The threads that it tells of, with those that it only merges others into."""
        found = {event.thread for event in self._events if event.thread is not None}
        return found | {str(event.data["into"]) for event in self._events if event.kind == "merge"}

    def identities(self) -> dict[Identity, None]:
        """Whom it names, in order."""
        return {identity: None for event in self._events for identity in event.identities}

    @property
    def last_at(self) -> int | None:
        """Event time of the newest event (ms), or None."""
        return self._events[-1].at if self._events else None

    def encode(self) -> list[list[Any]]:
        """As JSON lists, in order."""
        return [encode(event) for event in self._events]

    @classmethod
    def decode(cls, stored: Iterable[list[Any]]) -> "Log":
        """The log that `encode` stored."""
        return cls(decode(item) for item in stored)
