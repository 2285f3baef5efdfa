"""The history of a stored customer, as the protocol of identities sees it."""

from collections.abc import Callable, Collection, Iterable
from typing import Any

from schemas.identity import normalise
from streams import event as events
from streams.customer import Customer
from streams.effects import Effects
from streams.identity.claims import carried_by
from streams.identity.history import Carried
from streams.intervals import FOREVER
from streams.stored import Stored


class StoredHistory:
    """Changes `stored.customer`. `blocked`: values that join nobody.

    `obeys` and `refuses` take a command to the customer, or set it aside.
    """

    def __init__(
        self,
        stored: Stored,
        effects: Effects,
        blocked: frozenset[str],
        obeys: Callable[[Stored, dict[str, Any]], bool],
        refuses: Callable[[dict[str, Any]], None],
    ) -> None:
        self._stored = stored
        self._effects = effects
        self._blocked = blocked
        self._obeys = obeys
        self._refuses = refuses

    def has(self, event_id: str) -> bool:
        """Whether the log holds the event."""
        customer = self._stored.customer
        known = customer is not None and event_id in customer.log
        if known:
            self._effects.count("duplicates")
        return known

    def fold(self, event: list[Any]) -> None:
        """Take an event in."""
        self._effects.count("events" if self._whole().fold(events.decode(event)) else "duplicates")

    def correct(self, event: list[Any]) -> None:
        """Take the event in place of the copy that is known, where it arrived before that."""
        self._whole().correct(events.decode(event))

    def drop(self, event_id: str) -> None:
        """Let an event go, which is another's."""
        if self._stored.customer is not None:
            self._stored.customer.release(event_id)

    def carried(self) -> Iterable[Carried]:
        """What each event of the log carries."""
        customer = self._stored.customer
        return [] if customer is None else [carried_by(event, self._blocked) for event in customer.log]

    def seniority(self, event_ids: Collection[str] | None = None) -> tuple[int, int]:
        """Times (ms) of the first contact and the first event that carry an identity; `FOREVER` where there is none."""
        contact_at = event_at = FOREVER
        customer = self._stored.customer
        placed = self._stored.links.placements
        for event in customer.log if customer is not None else ():
            if event.id in placed or (event_ids is not None and event.id not in event_ids):
                continue
            event_at = min(event_at, event.at)
            if event.kind == "contact" and event.actor != "peer":
                contact_at = min(contact_at, event.at)
        return contact_at, event_at

    def give(self) -> dict[str, Any] | None:
        """The whole history, which is another's from now on."""
        customer, self._stored.customer = self._stored.customer, None
        return customer.encode() if customer is not None else None

    def part(self, customer_id: str, event_ids: Collection[str], *, apart: bool) -> dict[str, Any]:
        """The history of these events, which leaves this one for that customer."""
        return self._whole().split(customer_id, event_ids, apart=apart).encode()

    def union(self, history: dict[str, Any] | None, *, apart: bool) -> None:
        """Take over a history that another has given."""
        if history is None:
            return
        customer = self._whole()
        customer.absorb(Customer.decode(history))
        customer.cause.split |= apart
        self._effects.count("splits" if apart else "merges")

    def obey(self, command: dict[str, Any]) -> bool:
        """Obey a command; False where it names nothing that is open here."""
        return self._obeys(self._stored, command)

    def refuse(self, command: dict[str, Any]) -> None:
        """Set a command aside that names nothing that is open."""
        self._refuses(command)

    def forget(self) -> tuple[list[str], list[str]]:
        """Erase everything; the ids of the escalations that were said, and the threads, as identities."""
        customer, self._stored.customer = self._stored.customer, None
        self._effects.count("forgotten")
        if customer is None:
            return [], []
        said = [*customer.emitted.standing, *customer.emitted.closed]
        threads = {str(normalise("thread", event.thread)): None for event in customer.log if event.thread is not None}
        return [standing.id for standing in said], list(threads)

    def _whole(self) -> Customer:
        customer = self._stored.customer
        if customer is None:
            customer = self._stored.customer = Customer(self._stored.links.id)
        return customer
