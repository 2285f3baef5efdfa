"""All customers in one place, as `mindgap replay` has them: who is who, and every customer's history."""

from collections.abc import Iterable, Iterator

from schemas.link import Link
from streams.canned import CannedReplies
from streams.crowds import Crowds
from streams.customer import Customer
from streams.event import Event
from streams.identity.changes import Change, Merged, Moved, Placed, Refused, Split
from streams.identity.resolver import Customer as Known
from streams.identity.resolver import Resolver
from streams.identity.rules import IdentityRules
from streams.patterns import Outside
from streams.policy import Policy


class Population:
    """Applies events and links; tells which customers changed."""

    def __init__(self, policy: Policy) -> None:
        self.resolver = Resolver(_rules(policy))
        self._ruled_by = policy
        self.customers: dict[str, Customer] = {}
        self.refused: list[Refused] = []
        self._crowds = Crowds()
        self._canned = CannedReplies()
        self._canned_customers = policy.canned_customers
        self._public: set[str] = set()

    def place(self, event: Event, policy: Policy) -> Iterator[str]:
        """Take an event in; the ids of the customers whose history changed."""
        self._rule(policy)
        public = policy.is_public(event.channel) if event.public is None else event.public
        if event.thread is not None:
            if public:
                self._public.add(event.thread)
            public = event.thread in self._public
        self._canned_customers = policy.canned_customers
        return self._apply(self.resolver.place(event, public=public))

    def link(self, record: Link, arrived_at: int, policy: Policy) -> Iterator[str]:
        """Take a link or unlink in; the ids of the customers whose history changed."""
        self._rule(policy)
        return self._apply(self.resolver.link(record, arrived_at))

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

    def _apply(self, changes: Iterable[Change]) -> Iterator[str]:
        touched: dict[str, None] = {}
        again: set[str] = set()
        threads: set[str] = set()
        judge = (self._canned_customers, self.resolver.resolve)
        for change in changes:
            match change:
                case Placed(customer_id, event):
                    self._customer(customer_id).fold(event)
                    touched[customer_id] = None
                    if event.thread in self._public and self._crowds.add(customer_id, event):
                        threads.add(event.thread)
                    again |= self._canned.add(customer_id, event, *judge)
                case Merged(into, loser, _):
                    self._customer(into).absorb(self.customers.pop(loser, Customer(loser)))
                    touched[loser] = touched[into] = None
                    again |= {into, *self._canned.merge(into, loser, *judge)}
                case Split(origin, parts, _):
                    for part, ids in parts.items():
                        self.customers[part] = self._customer(origin).split(part, ids)
                        self._crowds.move(ids, part)
                        again |= self._canned.move(ids, part, origin, *judge)
                    touched.update(dict.fromkeys((origin, *parts)))
                    again.update((origin, *parts))
                case Moved(event_id, origin, target, _):
                    moved = self._customer(origin).split(target, (event_id,), apart=False)
                    self._customer(target).absorb(moved)
                    self._crowds.move((event_id,), target)
                    again |= self._canned.move((event_id,), target, origin, *judge)
                    touched[origin] = touched[target] = None
                    again.update((origin, target))
                case Refused():
                    self.refused.append(change)
        self._look_around(again, threads, touched)
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

    def _look_around(self, again: set[str], threads: set[str], touched: dict[str, None]) -> None:
        """Show the customers `again`, and all who spoke on public `threads` or on theirs, the crowd as it is now."""
        again &= self.customers.keys()
        for customer_id in again:
            threads |= self._spoken(self.customers[customer_id])
        for thread in threads:
            owners = {self.resolver.resolve(owner) for owner in self._crowds.owners(thread)}
            if len(owners) > 1:
                again |= owners & self.customers.keys()
        for customer_id in sorted(again):
            customer = self.customers[customer_id]
            crowds = self._crowds.view(customer_id, sorted(self._spoken(customer)), self.resolver.resolve)
            canned = self._canned.among(event.id for event in customer.log if event.digest is not None)
            outside = Outside(crowds, canned)
            if outside != customer.outside:
                customer.look_around(outside)
                touched[customer_id] = None

    def _spoken(self, customer: Customer) -> set[str]:
        """The public threads in a customer's log."""
        return {event.thread for event in customer.log if event.thread is not None} & self._public


def _rules(policy: Policy) -> IdentityRules:
    return IdentityRules(policy.blocked, policy.identity_limits, policy.identity_max)
