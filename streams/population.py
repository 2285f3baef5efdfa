"""All customers in one place, as `mindgap replay` has them: who is who, and every customer's history."""

from collections.abc import Iterable, Iterator

from schemas.link import Link
from streams.canned import canned_views
from streams.crowds import crowd_views
from streams.customer import Customer
from streams.event import Event
from streams.gathering import Gathering, Item
from streams.identity.changes import Change, Merged, Moved, Placed, Refused, Split
from streams.identity.resolver import Customer as Known
from streams.identity.resolver import Resolver
from streams.identity.rules import IdentityRules
from streams.policy import Policy, PolicyHistory
from streams.shares import CROWD, holds, is_old, learned, shares


class Population:
    """Applies events and links; tells which customers changed."""

    def __init__(self, policy: Policy, policies: PolicyHistory | None = None) -> None:
        """`policy` is in force now. `policies` are all that are known; others may be added to them."""
        self.resolver = Resolver(_rules(policy))
        self._ruled_by = policy
        self.customers: dict[str, Customer] = {}
        self.refused: list[Refused] = []
        self._policies = policies or PolicyHistory(policy)
        self._gatherings: dict[str, Gathering] = {}
        self._shares: dict[str, dict[str, tuple[Item, ...]]] = {}
        """What has been gathered, by customer."""
        self._number = 0
        self._public: set[str] = set()

    def place(self, event: Event, policy: Policy) -> Iterator[str]:
        """Take an event in; the ids of the customers whose history changed."""
        self._rule(policy)
        public = policy.is_public(event.channel) if event.public is None else event.public
        if event.thread is not None:
            if public:
                self._public.add(event.thread)
            public = event.thread in self._public
        return self._apply(self.resolver.place(event, public=public), event.arrived_at)

    def link(self, record: Link, arrived_at: int, policy: Policy) -> Iterator[str]:
        """Take a link or unlink in; the ids of the customers whose history changed."""
        self._rule(policy)
        return self._apply(self.resolver.link(record, arrived_at), arrived_at)

    def find(self, customer_id: str) -> Customer | None:
        """The customer of an id or alias."""
        return self.customers.get(self.resolver.resolve(customer_id))

    def known(self) -> Iterator[tuple[Known, Customer]]:
        """The customers to whom something happened, in order of their ids, with what joined them.

        Identities that only links speak of, or that an unlink left without an event, are nobody's history yet.
        """
        for known in self.resolver.customers():
            customer = self.find(known.customer_id)
            if customer is not None and len(customer.log):
                yield known, customer

    def follow(self, policy: Policy, now: int) -> Iterator[str]:
        """Another policy is known; the ids of the customers to whom others matter in another way by it."""
        self._rule(policy)
        touched: dict[str, None] = {}
        self._gather(self.customers, touched, now)
        for key in list(self._gatherings):
            self._answer(key, touched, now)
        return iter(touched)

    def _apply(self, changes: Iterable[Change], now: int) -> Iterator[str]:
        touched: dict[str, None] = {}
        again: dict[str, None] = {}
        for change in changes:
            match change:
                case Placed(customer_id, event):
                    self._customer(customer_id).fold(event)
                    touched[customer_id] = None
                    if event.digest is not None or event.thread in self._public:
                        again[customer_id] = None
                case Merged(into, loser, _):
                    self._customer(into).absorb(self.customers.pop(loser, Customer(loser)))
                    touched[loser] = touched[into] = again[loser] = again[into] = None
                case Split(origin, parts, _):
                    for part, ids in parts.items():
                        self.customers[part] = self._customer(origin).split(part, ids)
                    touched.update(dict.fromkeys((origin, *parts)))
                    again.update(dict.fromkeys((origin, *parts)))
                case Moved(event_id, origin, target, _):
                    moved = self._customer(origin).split(target, (event_id,), apart=False)
                    self._customer(target).absorb(moved)
                    touched[origin] = touched[target] = again[origin] = again[target] = None
                case Refused():
                    self.refused.append(change)
        self._gather(again, touched, now)
        return iter(touched)

    def _rule(self, policy: Policy) -> None:
        """Limits and blocked values are those of the policy in force."""
        if policy is not self._ruled_by:
            self._ruled_by = policy
            self.resolver.use(_rules(policy))

    def _customer(self, id_: str) -> Customer:
        customer = self.customers.get(id_)
        if customer is None:
            customer = self.customers[id_] = Customer(id_)
        return customer

    def _gather(self, ids: Iterable[str], touched: dict[str, None], now: int) -> None:
        """Take what these customers tell of themselves to where it is gathered, and tell those whom it matters to."""
        keys: dict[str, None] = {}
        for id_ in ids:
            customer, old = self.customers.get(id_), self._shares.pop(id_, {})
            new = shares(customer.log, self._ruled_by, now) if customer is not None else {}
            if new:
                self._shares[id_] = new
            for key in dict.fromkeys((*old, *new)):
                items = new.get(key, ())
                if items == old.get(key) or (not items and customer is not None and is_old(old[key], now)):
                    continue
                self._number += 1
                known = customer is not None and holds(customer.outside, key, items)
                self._gatherings.setdefault(key, Gathering()).take(id_, self._number, items, holds=known)
                keys[key] = None
        for key in keys:
            self._answer(key, touched, now)

    def _answer(self, key: str, touched: dict[str, None], now: int) -> None:
        gathering = self._gatherings[key]
        if key.startswith(f"{CROWD}/"):
            views = crowd_views(gathering, self._policies)
        else:
            views = canned_views(gathering, self._ruled_by.canned_customers)
        for id_, _, _, view in gathering.answers(views):
            customer = self.customers.get(id_)
            if customer is not None:
                outside = learned(customer.outside, key, self._shares.get(id_, {}).get(key, ()), view, now)
                if outside != customer.outside:
                    customer.look_around(outside)
                    touched[id_] = None


def _rules(policy: Policy) -> IdentityRules:
    return IdentityRules(policy.blocked, policy.identity_limits, policy.identity_max)
