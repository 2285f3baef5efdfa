"""What a partition that has come back tells of the channel gaps, and when it finds the time for it."""

from collections import Counter

from streams.aggregates.gap_feed import AT_ONCE, AT_ONCE_BUSY, GapFeed
from streams.customer import Customer
from streams.policy import PolicyHistory
from tests.identity.build import event
from tests.node.cluster import policy

NOW = 1_000_000
POLICIES = PolicyHistory(policy())
PEOPLE = 3 * AT_ONCE


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

    def tell(self, *, busy: bool) -> int:
        """How many messages are told."""
        posts, _ = self.feed.tell(NOW, self.load, POLICIES, 1, 500, busy=busy)
        return len(posts)


def test_after_a_restart_records_come_first():
    """While records come in a few customers are looked at in one go; all in the end, once each, and then all is told."""
    people = People()
    assert not people.tell(busy=True)
    assert people.seen.total() == AT_ONCE_BUSY
    assert not people.tell(busy=False)
    assert people.seen.total() == AT_ONCE_BUSY + AT_ONCE
    goes = 0
    while not people.tell(busy=True):
        goes += 1
    assert goes == (PEOPLE - AT_ONCE) // AT_ONCE_BUSY - 2
    assert set(people.seen.values()) == {1}
    assert len(people.seen) == PEOPLE


def test_who_changes_meanwhile_is_looked_at_once():
    """Who has come by before their turn is looked at last, as often as they may have changed."""
    people = People()
    for _ in range(3):
        people.feed.touch("299", NOW)
        people.tell(busy=False)
        people.feed.touch("0", NOW)
    assert people.seen["299"] == 0
    while not people.tell(busy=False):
        pass
    assert people.seen["299"] == 1
    assert people.seen["0"] == 2


def test_what_has_changed_is_told_however_busy():
    """Where nobody waits since a restart, records do not hold up what is to be told of the last minute."""
    people = People()
    while not people.tell(busy=False):
        pass
    people.seen.clear()
    for number in range(AT_ONCE):
        people.feed.touch(str(number), NOW)
    people.tell(busy=True)
    assert people.seen.total() == AT_ONCE
