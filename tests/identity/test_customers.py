"""Customer ids, merges and splits."""

from schemas.identity import Identity
from streams.identity.birth import birth_id
from streams.identity.changes import Merged, Placed, Split
from tests.identity.build import Book, event, link

A, B = Identity("customer_id", "A"), Identity("email", "b@x")


def test_an_id_is_stable_while_identities_are_added() -> None:
    """The id of a customer is that of its birth, whatever is learned later."""
    book = Book().take(event("a", "email:b@x", thread="t1", at=5))
    born = book.resolver.customer_of(B)
    assert born == birth_id(5, B)
    book.take(event("b", "email:b@x", "customer_id:A", thread="t1", at=1), link("l", "email:b@x", "device:d"))
    assert [book.resolver.customer_of(i) for i in (A, B, Identity("device", "d"))] == [born] * 3


def test_the_customer_with_the_earlier_first_contact_survives() -> None:
    """The merged customer keeps the id of the earlier contact, though the other arrived first; its id still resolves."""
    book = Book().take(
        event("late", "customer_id:A", thread="t1", at=9),
        event("early", "email:b@x", thread="t2", at=3),
        event("note", "customer_id:A", thread="t1", at=1, kind="note"),
    )
    young, old = book.resolver.customer_of(A), book.resolver.customer_of(B)
    assert young
    assert old
    book.take(link("l", "customer_id:A", "email:b@x", at=20))
    assert book.seen[-1] == Merged(old, young, 20)
    assert book.resolver.resolve(young) == old
    assert book.resolver.customer_of(A) == old
    (customer,) = book.resolver.customers()
    assert customer.aliases == (young,)
    assert {(str(m.identity), m.joined_by) for m in customer.members} == {
        ("customer_id:A", "late"),
        ("email:b@x", "early"),
        ("thread:t1", "late"),
        ("thread:t2", "early"),
    }


def test_a_customer_that_only_links_speak_of_is_never_reported_as_merged() -> None:
    """A link before the first event gives no change; the first event says whose it is."""
    book = Book().take(link("l", "customer_id:A", "email:b@x"), event("a", "email:b@x", thread="t1"))
    (placed,) = book.seen
    assert isinstance(placed, Placed)
    assert placed.customer_id == book.resolver.customer_of(A)


def test_merging_two_threads_joins_their_customers() -> None:
    """A ticket merged into another makes one customer of both."""
    book = Book().take(
        event("a", "email:a@x", thread="t1"),
        event("b", "email:b@x", thread="t2"),
        event("m", thread="t1", kind="merge", actor="agent", into="t2"),
    )
    assert book.groups() == {frozenset("abm")}


def test_an_unlink_splits_and_the_id_stays_with_the_identity_it_was_born_with() -> None:
    """The part without that identity gets a new id, and the aliases that were born there."""
    book = Book().take(
        event("a", "customer_id:A", thread="t1", at=1),
        event("b", "email:b@x", thread="t2", at=2),
        event("both", "customer_id:A", "email:b@x", thread="t3", at=3),
    )
    first, alias = book.resolver.customer_of(A), birth_id(2, B)
    book.take(link("u", "email:b@x", "customer_id:A", action="unlink", at=4))
    split = book.seen[-1]
    assert isinstance(split, Split)
    assert split.origin == first == book.resolver.customer_of(A)
    fresh = book.resolver.customer_of(B)
    assert split.parts == {fresh: frozenset("b")}
    assert fresh not in {first, alias}
    assert book.resolver.resolve(alias) == fresh
    assert book.groups() == {frozenset({"a", "both"}), frozenset("b")}


def test_an_event_with_both_sides_of_an_unlink_belongs_to_the_stronger() -> None:
    """Also when it comes later, in a thread that would hold the two together."""
    book = Book().take(
        link("u", "email:b@x", "customer_id:A", action="unlink"),
        event("both", "customer_id:A", "email:b@x", thread="t1"),
        event("b", "email:b@x", thread="t2"),
        event("t", thread="t1", actor="agent", kind="reply"),
    )
    assert book.groups() == {frozenset({"both", "t"}), frozenset("b")}


def test_other_edges_hold_across_an_unlink() -> None:
    """Two identities that were unlinked are still one customer's where a third joins them."""
    book = Book().take(
        event("a", "customer_id:A", "phone:5550001", thread="t1"),
        event("b", "email:b@x", "phone:5550001", thread="t2"),
        event("both", "customer_id:A", "email:b@x", thread="t3"),
        link("u", "email:b@x", "customer_id:A", action="unlink"),
    )
    assert len(book.groups()) == 1


def test_an_older_link_record_does_not_undo_a_newer_unlink() -> None:
    """Of the records of a pair the newest holds, whenever they arrive, in either order of the pair."""
    book = Book().take(
        event("a", "customer_id:A", thread="t1"),
        event("b", "email:b@x", thread="t2"),
        link("new", "email:b@x", "customer_id:A", action="unlink", at=5),
        link("old", "customer_id:A", "email:b@x", at=4),
    )
    assert len(book.groups()) == 2


def test_unlink_a_ticket_from_the_wrong_customer() -> None:
    """A ticket unlinked from a customer leaves with what nobody else claims."""
    book = Book().take(
        event("a", "customer_id:A", thread="t1"),
        event("wrong", "customer_id:A", thread="t2"),
        event("more", thread="t2", kind="reply", actor="agent"),
        link("u", "thread:t2", "customer_id:A", action="unlink"),
    )
    assert book.groups() == {frozenset({"a", "wrong"}), frozenset({"more"})}
