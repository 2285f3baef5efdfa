"""What a partition that has come back tells of the channel gaps, and when it finds the time for it."""

from collections import Counter

from streams.aggregates.gap_feed import AT_ONCE, AT_ONCE_AGAIN, GapFeed
from streams.customer import Customer
from streams.policy import PolicyHistory
from tests.identity.build import event
from tests.node.cluster import policy

NOW = 1_000_000
POLICIES = PolicyHistory(policy())
PEOPLE = 300


class People:
    """Customers with one contact each; `seen` counts how often one was looked at."""

    def __init__(self) -> None:
        self.seen: Counter[str] = Counter()
        self.feed = GapFeed(0, {})
        self.feed.reset(str(number) for number in range(PEOPLE))

    def load(self, id_: str) -> Customer:
        self.seen[id_] += 1
        customer = Customer(id_)
        customer.fold(event(f"e{id_}", "email:a@x", thread=f"t{id_}", at=NOW))
        return customer

    def tell(self) -> int:
        """How many messages are told."""
        posts, _ = self.feed.tell(NOW, self.load, POLICIES, 1, 500)
        return len(posts)


def test_after_a_restart_a_few_at_a_time():
    """Nobody waits long for the customers to be looked at again; it is once each, and then all is told."""
    people, goes = People(), 1
    while not people.tell():
        assert people.seen.total() == goes * AT_ONCE_AGAIN
        goes += 1
    assert goes == PEOPLE // AT_ONCE_AGAIN
    assert set(people.seen.values()) == {1}
    assert len(people.seen) == PEOPLE


def test_who_changes_meanwhile_is_looked_at_once():
    """Who comes by before their turn is looked at last, as often as they may have changed; who had it, once more."""
    people = People()
    for _ in range(3):
        people.feed.touch("299", NOW)
        people.tell()
        people.feed.touch("0", NOW)
    assert people.seen["299"] == 0
    while not people.tell():
        pass
    assert people.seen["299"] == 1
    assert people.seen["0"] == 2


def test_what_has_changed_is_told_at_once():
    """Where nobody waits since a restart, what is to be told of the last minute is not spread over time."""
    people = People()
    while not people.tell():
        pass
    people.seen.clear()
    for number in range(AT_ONCE):
        people.feed.touch(str(number), NOW)
    people.tell()
    assert people.seen.total() == AT_ONCE
