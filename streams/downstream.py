"""What follows from escalations and histories over all customers: hotspots, notifications, channel gaps."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from streams.customer import Customer
from streams.gaps.book import GapBook
from streams.gaps.facts import facts
from streams.hotspots import Hotspots
from streams.notifications import Notifier
from streams.policy import PolicyHistory, TargetFacts

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
    hotspots: Hotspots = field(default_factory=Hotspots)
    notifier: Notifier = field(default_factory=Notifier)
    book: GapBook = field(default_factory=GapBook)
    notifications: list[Record] = field(default_factory=list)
    gaps: list[Record] = field(default_factory=list)
    _changed: dict[str, None] = field(default_factory=dict)

    def observe(self, records: Iterable[Record], now: int) -> list[Record]:
        """Take note of what is sent at `now` (ms); the hotspots' own revisions, to be sent after it."""
        policy = self.policies.at(now)
        found: list[Record] = []
        for record in records:
            hot = self.hotspots.observe(record, policy, now)
            found += hot
            if self.pages:
                for each in (record, *hot):
                    self.notifications += self.notifier.observe(each, policy, now, self._beside(each))
        return found

    def touch(self, customer_ids: Iterable[str]) -> None:
        """These customers were looked at again, or merged away."""
        if self.measures:
            self._changed.update(dict.fromkeys(customer_ids))

    @property
    def next_wake(self) -> int | None:
        """When `wake` has something to do (ms), or None."""
        wakes = [self.hotspots.next_wake]
        if self.pages:
            wakes.append(self.notifier.next_wake)
        return min((at for at in wakes if at is not None), default=None)

    def wake(self, now: int) -> list[Record]:
        """Run the timers that are due at `now`; the hotspots' revisions."""
        policy = self.policies.at(now)
        found = self.hotspots.wake(now, policy)
        if self.pages:
            for record in found:
                self.notifications += self.notifier.observe(record, policy, now)
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

    def _beside(self, record: Record) -> TargetFacts | None:
        """What a silence may ask for and the record does not say."""
        if not self.policies.entries[-1].policy.silences or "customer_id" not in record:
            return None
        customer = self.find(record["customer_id"])
        if customer is None:
            return None
        history = customer.derived(self.policies).history
        name = record.get("thread") or (record["threads"][-1]["thread"] if record.get("threads") else None)
        thread = history.threads.get(name) if name else None
        return thread.facts(history.tier) if thread is not None else None
