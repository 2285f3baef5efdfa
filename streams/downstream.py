"""What follows from escalations and histories over all customers: hotspots, notifications, channel gaps."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from schemas.command import Command
from streams.customer import Customer
from streams.gaps.book import GapBook
from streams.gaps.facts import facts
from streams.hotspot_topic import Told
from streams.hotspots import Hotspots
from streams.notifications import Notifier
from streams.policy import BEGINNING, Policy, PolicyHistory
from streams.storm_addresses import TOPIC, Addresses, Envelope
from streams.storm_message import Beside, beside

Record = dict[str, Any]
Find = Callable[[str], Customer | None]


@dataclass(slots=True)
class Downstream:
    """Fed with every revision, in order, and with the customers that were looked at again.

    `notifications` and `gaps` collect what was made since the last `take`; leave `pages` or `measures` off where
    nobody reads them.
    """

    policies: PolicyHistory
    find: Find
    pages: bool = True
    measures: bool = True
    addresses: Addresses = field(default_factory=Addresses)
    hotspots: Hotspots = field(default_factory=Hotspots)
    notifier: Notifier = field(default_factory=Notifier)
    book: GapBook = field(default_factory=GapBook)
    notifications: list[Record] = field(default_factory=list)
    gaps: list[Record] = field(default_factory=list)
    _changed: dict[str, None] = field(default_factory=dict)
    _at: int = BEGINNING
    """When it was last looked whether another policy is in force."""

    def observe(self, records: Iterable[Record], now: int) -> list[Record]:
        """Take note of what is sent at `now` (ms); the hotspots' own revisions, to be sent after it."""
        policy = self.policies.at(now)
        if not self._stands:
            self._at = now
        found = self._deliver(self.addresses.follow(policy), policy, now)
        for record in records:
            found += self._deliver(self.addresses.take(record, policy, self._beside(record, now)), policy, now)
        return found

    def command(self, command: Command, now: int) -> list[Record] | None:
        """Obey a command on a hotspot at `now` (ms): its revisions; None where it names no hotspot that stands."""
        policy = self.policies.at(now)
        told = self.hotspots.command(command, policy, now)
        return None if told is None else self._told(told, policy, now)

    def _deliver(self, envelopes: Iterable[Envelope], policy: Policy, now: int) -> list[Record]:
        """To the groups and the topics; the hotspots' revisions that follow."""
        found: list[Record] = []
        for to, key, message in envelopes:
            if to == TOPIC:
                found += self._told(self.hotspots.observe(key, message, policy, now), policy, now)
            elif self.pages:
                self.notifications += self.notifier.observe(key, message, policy, now)
        return found

    def _told(self, told: Told, policy: Policy, now: int) -> list[Record]:
        self._deliver(told.pages, policy, now)
        return told.records

    def touch(self, customer_ids: Iterable[str]) -> None:
        """These customers were looked at again, or merged away."""
        if self.measures:
            self._changed.update(dict.fromkeys(customer_ids))

    @property
    def _stands(self) -> bool:
        """There is something that another policy may change."""
        return len(self.hotspots) > 0 or len(self.notifier) > 0

    @property
    def next_wake(self) -> int | None:
        """When `wake` has something to do (ms), or None."""
        wakes = [self.hotspots.next_wake]
        if self.pages:
            wakes.append(self.notifier.next_wake)
        if self._stands:
            wakes.append(self.policies.next_change(self._at))
        return min((at for at in wakes if at is not None), default=None)

    def wake(self, now: int) -> list[Record]:
        """Run the timers that are due at `now`; the hotspots' revisions."""
        policy = self.policies.at(now)
        self._at = now
        found = self._deliver(self.addresses.follow(policy), policy, now)
        found += self._told(self.hotspots.wake(now, policy), policy, now)
        if self.pages:
            self.notifications += self.notifier.wake(now, policy)
        return found

    def measure(self, now: int, *, partial: bool = False) -> None:
        """Tell the windows that have ended by `now`, and those that have changed; `partial`: the one that lasts too."""
        if not self.measures:
            return
        for id_ in self._changed:
            customer = self.find(id_)
            if customer is None or customer.id != id_:
                self.book.drop(id_)
            if customer is not None:
                self.book.replace(customer.id, facts(customer.derived(self.policies)))
        self._changed.clear()
        self.gaps += self.book.close(now, partial=partial)

    def _beside(self, record: Record, now: int) -> Beside | None:
        """What a silence or a hotspot may ask for and the record does not say."""
        customer = self.find(record["customer_id"])
        return None if customer is None else beside(customer.derived(self.policies).history, record, now)
