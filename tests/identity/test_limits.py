"""Limits, blocked values and what is refused."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.identity import Identity
from schemas.link import Link
from streams.event import Event
from streams.identity.changes import Merged, Placed, Refused
from streams.identity.resolver import Resolver
from streams.identity.rules import IdentityRules
from tests.identity.build import Book, event, link
from tests.identity.strategies import events, links

PHONE = Identity("phone", "5550001")


def _kiosk() -> list[Event]:
    return [event(f"k{n}", f"customer_id:C{n}", "phone:5550001", thread=f"t{n}", at=n) for n in range(6)]


def test_a_kiosk_phone_leaves_six_customers() -> None:
    """A phone used with six customer ids joins none of them; it stays with the first, and each refusal is reported."""
    book = Book().take(*_kiosk())
    assert len(book.groups()) == 6
    assert book.resolver.customer_of(PHONE) == book.resolver.customer_of(Identity("customer_id", "C0"))
    assert [(r.identity, r.reason, r.record_id) for r in book.refused] == [
        (PHONE, "limit:customer_id", f"k{n}") for n in range(1, 6)
    ]
    assert [r.refused_by for r in book.refused] == [
        book.resolver.customer_of(Identity("customer_id", f"C{n}")) for n in range(1, 6)
    ]


def test_a_refused_edge_is_reported_once() -> None:
    """The same person at the same kiosk again and again is one refusal."""
    again = [event(f"again{n}", "customer_id:C1", "phone:5550001", thread=f"u{n}") for n in range(5)]
    book = Book().take(*_kiosk(), *again)
    assert len(book.refused) == 5
    assert len(book.groups()) == 6


def test_two_hundred_addresses_sharing_a_phone_stay_within_the_limit() -> None:
    """Five addresses join the phone, the others stay customers of their own."""
    book = Book().take(*(event(f"e{n}", f"email:p{n}@x", "phone:5550001", thread=f"t{n}") for n in range(200)))
    assert sorted(len(log) for log in book.groups()) == [1] * 195 + [5]
    assert len(book.refused) == 195


def test_the_customer_of_a_private_thread_wins() -> None:
    """A second customer id in a ticket is refused; the event stays with the ticket, the colleague keeps the address."""
    book = Book().take(
        event("a", "customer_id:A", thread="t1"),
        event("b", "customer_id:B", "email:b@x", thread="t1"),
        event("c", "email:b@x", thread="t2"),
    )
    assert book.groups() == {frozenset("ab"), frozenset("c")}
    assert [(r.identity, r.reason) for r in book.refused] == [(Identity("customer_id", "B"), "limit:customer_id")]
    assert book.resolver.customer_of(Identity("email", "b@x")) == book.resolver.customer_of(
        Identity("customer_id", "B")
    )


def test_a_link_that_would_break_a_limit_is_refused_on_the_weaker_identity() -> None:
    """A link between two people's identities changes nothing but the conflicts."""
    book = Book().take(
        event("a", "customer_id:A", "email:a@x", thread="t1"),
        event("b", "customer_id:B", "phone:5550001", thread="t2"),
        link("l", "phone:5550001", "email:a@x"),
    )
    assert len(book.groups()) == 2
    (refused,) = book.refused
    assert (refused.identity, refused.record_id) == (PHONE, "l")
    assert refused.refused_by == book.resolver.customer_of(Identity("email", "a@x"))


def test_a_refused_link_does_not_end_an_unlink() -> None:
    """What was unlinked stays apart when the link that should join it again is refused."""
    book = Book().take(
        event("a", "customer_id:A", "phone:5550001", thread="t1"),
        link("u", "customer_id:A", "phone:5550001", action="unlink", at=1),
        event("b", "customer_id:B", "phone:5550001", thread="t2"),
        link("l", "customer_id:A", "phone:5550001", at=2),
        event("c", "customer_id:A", "phone:5550001", thread="t3"),
    )
    assert book.groups() == {frozenset("ac"), frozenset("b")}


def test_a_refused_edge_stays_refused_when_an_unlink_makes_room() -> None:
    """Room made later brings no refused edge back, a new link record does."""
    book = Book().take(
        event("a", "customer_id:A", "phone:5550001", thread="t1"),
        event("b", "customer_id:B", "phone:5550001", thread="t2"),
        link("u", "customer_id:A", "phone:5550001", action="unlink", at=1),
        event("b2", "customer_id:B", "phone:5550001", thread="t3"),
    )
    assert book.groups() == {frozenset("a"), frozenset({"b", "b2"})}
    assert book.resolver.customer_of(PHONE) is None
    book.take(link("l", "customer_id:B", "phone:5550001", at=2))
    assert book.resolver.customer_of(PHONE) == book.resolver.customer_of(Identity("customer_id", "B"))


def test_at_most_so_many_identities_that_are_not_threads() -> None:
    """The limit on all identities counts devices, and does not count threads."""
    rules = IdentityRules(most=3)
    book = Book(Resolver(rules)).take(
        *(event(f"e{n}", "customer_id:A", f"device:d{n}", thread=f"t{n}") for n in range(5)),
    )
    assert len(book.groups()) == 1
    assert [r.reason for r in book.refused] == ["limit:identities"] * 3
    (customer,) = book.resolver.customers()
    assert Counter(i.type for i in customer.identities) == {"customer_id": 1, "device": 2, "thread": 5}


@pytest.mark.parametrize("value", ["anonymous", "000000", "unknown", "0", "5550100"])
def test_blocked_values_join_nobody(value: str) -> None:
    """Two people with the same placeholder are two customers."""
    rules = IdentityRules(blocked=frozenset({"5550100"}))
    book = Book(Resolver(rules)).take(
        event("a", f"phone:{value}", "email:a@x", thread="t1"),
        event("b", f"phone:{value}", "email:b@x", thread="t2"),
        link("l", f"phone:{value}", "email:a@x"),
    )
    assert len(book.groups()) == 2
    assert book.resolver.customer_of(Identity("phone", value)) is None
    assert not book.refused


def test_an_event_with_nothing_but_a_blocked_value_is_a_customer_of_its_own() -> None:
    """A failed search by an unknown person is kept, and joined with nobody."""
    book = Book().take(*(event(f"e{n}", "email:unknown", kind="self_service_failed") for n in range(2)))
    assert book.groups() == {frozenset({"e0"}), frozenset({"e1"})}
    assert all(customer.identities == () for customer in book.resolver.customers())


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_no_customer_ever_exceeds_a_limit(data: st.DataObject) -> None:
    """After each record each customer is within the limits, and each event that was placed is in one log."""
    rules = IdentityRules(limits={"customer_id": 1, "email": 1}, most=3)
    records: list[Event | Link] = data.draw(st.permutations([*data.draw(events(8)), *data.draw(links(6))]))
    book = Book(Resolver(rules))
    for record in records:
        book.take(record)
        for customer in book.resolver.customers():
            types = Counter(identity.type for identity in customer.identities)
            assert types["customer_id"] <= 1
            assert types["email"] <= 1
            assert types.total() - types["thread"] <= 3
    placed = Counter(id_ for log in book.logs.values() for id_ in log)
    assert placed.total() + book.resolver.waiting == sum(isinstance(record, Event) for record in records)
    assert not placed or max(placed.values()) == 1


def test_one_refusal_and_then_the_placement() -> None:
    """The changes come in the order in which they are to be applied."""
    book = Book().take(event("a", "email:e1@x", thread="t1"), event("b", "phone:5550001", thread="t2"))
    book.take(event("c", "email:e1@x", "phone:5550001", thread="t3"))
    assert [type(change) for change in book.seen] == [Placed, Placed, Merged, Placed]
    book.take(event("d", "customer_id:A", "email:e1@x", thread="t1"), event("e", "customer_id:B", "email:e1@x"))
    assert [type(change) for change in book.seen[4:]] == [Placed, Refused, Placed]
