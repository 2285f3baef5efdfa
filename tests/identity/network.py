"""A simulated network for the protocol: partitions that share nothing, messages in any order, twice, or half done."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from schemas.codec import dumps, loads
from streams.identity.protocol import (
    Clear,
    CustomerLinks,
    Drop,
    Fold,
    IdentityRecord,
    Outgoing,
    Union,
    home_of,
    on_customer,
    on_identity,
)

Filter = Callable[[Outgoing, Outgoing], bool]
"""Whether a message (the second) that was caused by another (the first) is sent: how a bug is planted."""


@dataclass
class Customer:
    """A customer's state, as a partition stores it; the history is the set of its events' ids."""

    links: CustomerLinks
    log: set[str] = field(default_factory=set)


class Network:
    """All partitions. State goes through JSON at every step, as it would through a changelog."""

    def __init__(self, partitions: int, random: Random, keep: Filter = lambda _cause, _message: True) -> None:
        self.partitions = partitions
        self.random = random
        self.keep = keep
        self.identities: list[dict[str, Any]] = [{} for _ in range(partitions)]
        self.customers: list[dict[str, Any]] = [{} for _ in range(partitions)]
        self.messages: list[Outgoing] = []
        self.sent: Counter[str] = Counter()
        self.steps = 0

    def owner(self, identity: str) -> int:
        """The partition of an identity."""
        return sum(identity.encode()) % self.partitions

    def run(self, duplicates: int = 0, crashes: int = 0) -> None:
        """Delivers messages, any next one, until none is left. A crash loses what was sent, and delivers again."""
        while self.messages:
            index = self.random.randrange(len(self.messages))
            message = self.messages[index]
            out = self._deliver(message)
            fate = self.random.random()
            if crashes and fate < 0.2:
                crashes -= 1
                continue  # the state was written, nothing was sent, the input comes again
            self.messages += [other for other in out if self.keep(message, other)]
            if duplicates and fate > 0.8:
                duplicates -= 1
                continue
            self.messages[index] = self.messages[-1]
            self.messages.pop()

    def _deliver(self, sent: Outgoing) -> list[Outgoing]:
        self.steps += 1
        message = loads(dumps(sent.message))
        self.sent[f"{sent.to}:{message['t']}"] += 1
        if sent.to == "identity":
            home = self.owner(sent.key)
            stored = self.identities[home].get(sent.key)
            record = IdentityRecord.decode(loads(stored)) if stored else None
            record, out, changed = on_identity(record, message, home)
            if changed:
                self.identities[home][sent.key] = dumps(record.encode())
            else:
                assert stored is None or stored == dumps(record.encode())
            return out
        customers = self.customers[home_of(sent.key)]
        links, log = customers.get(sent.key, (None, b"[]"))
        customer = Customer(CustomerLinks.decode(loads(links)) if links else CustomerLinks(sent.key), set(loads(log)))
        customer.links, out, effects = on_customer(customer.links, message, lambda: sorted(customer.log))
        for effect in effects:
            match effect:
                case Fold(event):
                    customer.log.add(event)
                case Union(history):
                    customer.log |= set(history)
                case Drop(event_id):
                    customer.log.discard(event_id)
                case Clear():
                    customer.log.clear()
        customers[sent.key] = dumps(customer.links.encode()), dumps(sorted(customer.log))
        return out

    def all_customers(self) -> dict[str, Customer]:
        """Every customer, aliases included."""
        return {
            id_: Customer(CustomerLinks.decode(loads(links)), set(loads(log)))
            for store in self.customers
            for id_, (links, log) in store.items()
        }

    def pointers(self) -> dict[str, str | None]:
        """The customer that each identity's record points to."""
        return {identity: loads(record)["c"] for store in self.identities for identity, record in store.items()}
