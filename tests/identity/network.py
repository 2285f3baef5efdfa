"""A simulated network for the protocol: partitions that share nothing; messages that overtake, come twice, or are half done."""

from collections import Counter, deque
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from schemas.codec import dumps, loads
from streams.event import Event
from streams.identity.claims import carried_by
from streams.identity.history import Carried
from streams.identity.limits import Limits
from streams.identity.protocol import (
    CustomerLinks,
    IdentityRecord,
    Outgoing,
    home_of,
    keep_small,
    on_customer,
    on_identity,
)
from streams.identity.rules import IdentityRules
from streams.intervals import FOREVER

Filter = Callable[[Outgoing, Outgoing], bool]
"""Whether a message (the second) that was caused by another (the first) is sent: how a bug is planted."""
Channel = tuple[str, str, str, int]
"""Who sent, and where to: what one sends to one partition stays in order."""


@dataclass
class Log:
    """A history for the protocol: the ids of the events."""

    links: CustomerLinks | None
    events: dict[str, Event]
    ids: set[str] = field(default_factory=set)

    def has(self, event_id: str) -> bool:
        """Whether the log holds the event."""
        return event_id in self.ids

    def fold(self, event: str) -> None:
        """Takes an event in."""
        self.ids.add(event)

    def correct(self, event: str) -> None:
        """All copies are alike here."""

    def drop(self, event_id: str) -> None:
        """Lets an event go."""
        self.ids.discard(event_id)

    def carried(self) -> Iterable[Carried]:
        """The events, with what they carry."""
        return [carried_by(self.events[id_]) for id_ in sorted(self.ids)]

    def seniority(self, event_ids: Collection[str] | None = None) -> tuple[int, int]:
        """The first contact and the first event of somebody."""
        placed = self.links.placements if self.links is not None else {}
        some = [self.events[id_] for id_ in self.ids if id_ not in placed and (event_ids is None or id_ in event_ids)]
        contacts = [event.at for event in some if event.kind == "contact" and event.actor != "peer"]
        return min(contacts, default=FOREVER), min((event.at for event in some), default=FOREVER)

    def give(self) -> list[str]:
        """Everything."""
        whole, self.ids = sorted(self.ids), set()
        return whole

    def part(self, customer_id: str, event_ids: Collection[str], *, apart: bool) -> list[str]:
        """Some of it."""
        del customer_id, apart
        gone = self.ids.intersection(event_ids)
        self.ids -= gone
        return sorted(gone)

    def union(self, history: list[str], *, apart: bool) -> None:
        """Takes over what another has given."""
        del apart
        self.ids |= set(history)

    def obey(self, command: str) -> bool:
        """A command is for whoever has the event that it names."""
        return command in self.ids

    def refuse(self, command: str) -> None:
        """Nobody has it."""
        raise AssertionError(command)

    def forget(self) -> tuple[list[str], list[str]]:
        """Erases everything."""
        threads = {f"thread:{self.events[id_].thread}" for id_ in self.ids if self.events[id_].thread is not None}
        self.ids = set()
        return [], sorted(threads)


class Network:
    """All partitions. State goes through JSON at every step, as it would through a changelog."""

    def __init__(
        self,
        partitions: int,
        random: Random,
        events: Iterable[Event] = (),
        rules: IdentityRules | None = None,
        keep: Filter = lambda _cause, _message: True,
    ) -> None:
        self.partitions = partitions
        self.random = random
        self.keep = keep
        self.events = {event.id: event for event in events}
        self.limits = Limits(rules or IdentityRules(limits={}, most=10_000))
        self.identities: list[dict[str, bytes]] = [{} for _ in range(partitions)]
        self.customers: list[dict[str, tuple[bytes, bytes]]] = [{} for _ in range(partitions)]
        self.channels: dict[Channel, deque[Outgoing]] = {}
        self.conflicts: list[dict[str, Any]] = []
        self.sent: Counter[str] = Counter()
        self.steps = 0
        self._fed = 0

    def owner(self, identity: str) -> int:
        """The partition of an identity."""
        return sum(identity.encode()) % self.partitions

    def feed(self, *messages: Outgoing) -> None:
        """Records from outside: they overtake one another."""
        for message in messages:
            self._fed += 1
            self._post(("record", str(self._fed)), message)

    def run(self, duplicates: int = 0, crashes: int = 0, most: int = 50_000) -> None:
        """Delivers messages, the first of any channel, until none is left.

        A crash writes state and sends only the first of the messages; the input comes again, and what a customer has
        decided is sent again. Fails after `most` deliveries: messages that chase one another.
        """
        while self.channels:
            assert self.steps < most, self.sent.most_common(8)
            channel = self.random.choice(list(self.channels))
            message = self.channels[channel][0]
            out = [other for other in self._deliver(message) if self.keep(message, other)]
            sender = (message.to, message.key)
            fate = self.random.random()
            if crashes and fate < 0.2:
                crashes -= 1
                self._post(sender, *out[: self.random.randint(0, len(out))])
                if message.to == "customer":
                    self._post(sender, *out)
                continue
            self._post(sender, *out)
            if duplicates and fate > 0.8:
                duplicates -= 1
                continue
            self.channels[channel].popleft()
            if not self.channels[channel]:
                del self.channels[channel]

    def _post(self, sender: tuple[str, str], *messages: Outgoing) -> None:
        for message in messages:
            if message.to == "conflict":
                if message.message not in self.conflicts:
                    self.conflicts.append(message.message)
            elif message.to == "count":
                self.sent[message.key] += message.message["n"]
            elif message.to != "tombstone":
                home = self.owner(message.key) if message.to == "identity" else home_of(message.key)
                self.channels.setdefault((*sender, message.to, home), deque()).append(message)

    def _deliver(self, sent: Outgoing) -> list[Outgoing]:
        self.steps += 1
        message = loads(dumps(sent.message))
        self.sent[f"{sent.to}:{message['t']}"] += 1
        return self._at_shard(sent, message) if sent.to == "identity" else self._at_customer(sent, message)

    def _at_shard(self, sent: Outgoing, message: Any) -> list[Outgoing]:
        home = self.owner(sent.key)
        stored = self.identities[home].get(sent.key)
        record = IdentityRecord.decode(loads(stored)) if stored else None
        left, out, changed = on_identity(record, message, home)
        if left is None:
            self.identities[home].pop(sent.key, None)
        elif changed:
            self.identities[home][sent.key] = dumps(left.encode())
        else:
            assert stored is None or stored == dumps(left.encode())
        return out

    def _at_customer(self, sent: Outgoing, message: Any) -> list[Outgoing]:
        customers = self.customers[home_of(sent.key)]
        stored, ids = customers.get(sent.key, (None, b"[]"))
        known = CustomerLinks.decode(loads(stored)) if stored else None
        log = Log(known, self.events, set(loads(ids)))
        links, out = on_customer(known, message, log, self.limits)
        if links is not None:
            log.links = links
            out += keep_small(links, log.carried)
            customers[sent.key] = dumps(links.encode()), dumps(sorted(log.ids))
        return out

    def all_customers(self) -> dict[str, Log]:
        """Every customer, aliases included."""
        return {
            id_: Log(CustomerLinks.decode(loads(links)), self.events, set(loads(ids)))
            for store in self.customers
            for id_, (links, ids) in store.items()
        }

    def pointers(self) -> dict[str, str | None]:
        """The customer that each identity's record points to."""
        return {identity: loads(record)["c"] for store in self.identities for identity, record in store.items()}
