"""How many customers and public threads a node keeps as objects."""

import pytest

from streams import decoded
from streams.customer import Customer
from streams.decoded import Decoded, Threads
from streams.identity.protocol import CustomerLinks, IdentityRecord
from streams.identity.speakers import Speakers
from streams.stored import Stored
from tests.identity.build import event


def stored(id_: str, events: int) -> Stored:
    """A customer with so many events."""
    customer = Customer(id_)
    for number in range(events):
        customer.fold(event(f"{id_}{number}", "email:a@x", thread="t", at=number))
    return Stored(CustomerLinks(id_), customer)


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    monkeypatch.setattr(decoded, "EVENTS_KEPT", 10)
    monkeypatch.setattr(decoded, "CUSTOMERS_KEPT", 4)


def test_who_was_looked_at_longest_ago_makes_room_for_events():
    """Not more events are kept than there is room for, whoever they belong to."""
    kept = Decoded()
    for id_ in "abc":
        kept.keep(id_, stored(id_, 4))
    assert [kept.get(id_) is not None for id_ in "abc"] == [False, True, True]
    kept.keep("b", stored("b", 6))
    assert [kept.get(id_) is not None for id_ in "bc"] == [True, True]
    kept.keep("d", stored("d", 5))
    assert [kept.get(id_) is not None for id_ in "bcd"] == [False, False, True]


def test_a_history_that_takes_all_the_room_is_kept_alone():
    """The customer that is looked at is kept, however long its history is; then there is room again."""
    kept = Decoded()
    kept.keep("a", stored("a", 3))
    kept.keep("b", stored("b", 50))
    assert (len(kept), kept.get("b") is not None) == (1, True)
    kept.keep("c", stored("c", 3))
    assert (len(kept), kept.get("c") is not None) == (1, True)
    kept.keep("d", stored("d", 7))
    assert len(kept) == 2


def test_customers_without_events_are_bounded_by_their_number():
    """Aliases and people of whom nothing is known but a link take little room, but some."""
    kept = Decoded()
    for number in range(9):
        kept.keep(str(number), Stored(CustomerLinks(str(number)), None))
    assert len(kept) == 4


def test_threads_are_bounded_by_their_number(monkeypatch):
    """Those that changed last are kept; an identity that is no public thread is not, nor one that is erased."""
    monkeypatch.setattr(decoded, "THREADS_KEPT", 2)
    kept, threads = Threads(), {id_: IdentityRecord(speakers=Speakers()) for id_ in "abc"}
    for id_ in "aba":
        kept.keep(id_, threads[id_])
    kept.keep("c", threads["c"])
    assert [kept.get(id_) is threads[id_] for id_ in "abc"] == [True, False, True]
    kept.keep("a", None)
    kept.keep("d", IdentityRecord("cus_1.0", 1))
    assert [kept.get(id_) for id_ in "ad"] == [None, None]
    assert kept.get("c") is threads["c"]
