"""Who else spoke on a public thread: what a customer's own log cannot tell."""

from bisect import insort
from collections.abc import Callable, Iterable

from streams.event import Event
from streams.history import is_contact

Crowd = list[tuple[int, str]]
"""When (ms) which customer made contact on a thread, sorted."""
CROWD_MAX = 200
"""Contacts remembered per thread: a crowd that large has been one for long."""


class Crowds:
    """The contacts on public threads, over all customers."""

    def __init__(self) -> None:
        self._contacts: dict[str, list[tuple[int, str]]] = {}  # thread -> (at, event id), sorted
        self._owner: dict[str, str] = {}  # event id -> customer id

    def add(self, customer_id: str, event: Event) -> bool:
        """Take note of an event on a public thread; False where it adds nothing to the crowd."""
        if not is_contact(event) or event.thread is None or event.id in self._owner:
            return False
        contacts = self._contacts.setdefault(event.thread, [])
        if len(contacts) >= CROWD_MAX:
            return False
        insort(contacts, (event.at, event.id))
        self._owner[event.id] = customer_id
        return True

    def owners(self, thread: str) -> set[str]:
        """The customers who made contact on a thread, by the ids that they had then."""
        return {self._owner[id_] for _, id_ in self._contacts.get(thread, ())}

    def view(self, customer_id: str, threads: Iterable[str], resolve: Callable[[str], str]) -> dict[str, Crowd]:
        """What `customer_id` cannot see by itself on these threads."""
        crowds = {}
        for thread in threads:
            contacts = self._contacts.get(thread)
            if contacts:
                owners = ((at, resolve(self._owner[id_])) for at, id_ in contacts)
                others = [(at, owner) for at, owner in owners if owner != customer_id]
                if others:
                    crowds[thread] = others
        return crowds

    def move(self, event_ids: Iterable[str], customer_id: str) -> None:
        """These contacts belong to another customer now (a split)."""
        for id_ in event_ids:
            if id_ in self._owner:
                self._owner[id_] = customer_id
