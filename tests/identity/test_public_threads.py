"""Public threads: each author is a customer; who names nobody belongs to somebody who does."""

from schemas.identity import Identity
from streams.identity.changes import Moved, Placed
from tests.identity.build import Book, event, link


def test_each_author_on_a_public_thread_is_a_customer() -> None:
    """A thread that everyone sees joins nobody."""
    book = Book().take(event("a", "handle:jo", thread="s1"), event("b", "handle:sam", thread="s1"))
    assert book.groups() == {frozenset("a"), frozenset("b")}


def test_an_answer_belongs_to_the_author_of_what_it_answers() -> None:
    """A reply that names nobody goes where `in_reply_to` points, also by way of another reply."""
    book = Book().take(
        event("a", "handle:jo", thread="s1", at=1),
        event("b", "handle:sam", thread="s1", at=2),
        event("r", thread="s1", at=3, kind="reply", actor="agent", reply_to="b"),
        event("rr", thread="s1", at=4, kind="note", actor="agent", reply_to="r"),
        event("first", thread="s1", at=5, kind="reply", actor="agent"),
    )
    assert book.groups() == {frozenset({"a", "first"}), frozenset({"b", "r", "rr"})}


def test_an_agent_who_names_a_customer_answers_that_customer() -> None:
    """Identities on an agent's event say whose it is."""
    book = Book().take(
        event("a", "handle:jo", thread="s1", at=1),
        event("b", "handle:sam", thread="s1", at=2),
        event("r", "handle:sam", thread="s1", at=3, kind="reply", actor="agent"),
    )
    assert book.groups() == {frozenset("a"), frozenset({"b", "r"})}


def test_a_reply_before_its_thread_waits() -> None:
    """An event whose author is not known yet is placed when the first contact comes."""
    book = Book().take(event("r", thread="s1", at=3, kind="reply", actor="agent"))
    assert (book.resolver.waiting, book.seen) == (1, [])
    book.take(event("a", "handle:jo", thread="s1", at=1))
    assert book.resolver.waiting == 0
    assert book.groups() == {frozenset({"a", "r"})}
    assert [type(change) for change in book.seen] == [Placed, Placed]


def test_an_earlier_first_contact_takes_the_replies_over() -> None:
    """A first contact that arrives late moves the events that name nobody, and nothing else."""
    book = Book().take(
        event("b", "handle:sam", thread="s1", at=5),
        event("r", thread="s1", at=6, kind="reply", actor="agent"),
        event("to-b", thread="s1", at=7, kind="reply", actor="agent", reply_to="b"),
        event("a", "handle:jo", thread="s1", at=1),
    )
    sam, jo = (book.resolver.customer_of(Identity("handle", name)) for name in ("sam", "jo"))
    assert book.seen[-1] == Moved("r", sam or "", jo or "", 1)
    assert book.groups() == {frozenset({"a", "r"}), frozenset({"b", "to-b"})}


def test_a_peer_is_not_the_author_of_the_first_contact() -> None:
    """Another customer who helps does not take the thread over."""
    book = Book().take(
        event("p", "handle:peer", thread="s1", at=1, actor="peer"),
        event("a", "handle:jo", thread="s1", at=2),
        event("r", thread="s1", at=3, kind="reply", actor="agent"),
    )
    assert book.groups() == {frozenset("p"), frozenset({"a", "r"})}


def test_a_named_event_that_arrives_late_takes_its_answer_over() -> None:
    """Until the event that is answered is known, the thread's first contact stands in."""
    book = Book().take(
        event("a", "handle:jo", thread="s1", at=1),
        event("r", thread="s1", at=6, kind="reply", actor="agent", reply_to="b"),
        event("rr", thread="s1", at=7, kind="reply", actor="agent", reply_to="r"),
        event("b", "handle:sam", thread="s1", at=5),
    )
    assert book.groups() == {frozenset("a"), frozenset({"b", "r", "rr"})}


def test_a_split_takes_the_replies_along() -> None:
    """A reply that names nobody stays with the author it answers."""
    book = Book().take(
        event("c", "customer_id:A", thread="t1"),
        event("a", "handle:jo", thread="s1"),
        event("r", thread="s1", at=1, kind="reply", actor="agent"),
        link("l", "customer_id:A", "handle:jo"),
        link("u", "customer_id:A", "handle:jo", action="unlink", at=1),
    )
    assert book.groups() == {frozenset("c"), frozenset({"a", "r"})}


def test_a_merge_into_a_public_thread_joins_nobody() -> None:
    """Two private threads merged into a public one stay two customers, whenever the public one is first seen."""
    book = Book().take(
        event("m1", "email:a@x", thread="t1", kind="merge", actor="agent", into="s1"),
        event("m2", "email:b@x", thread="t2", kind="merge", actor="agent", into="s1"),
        event("a", "handle:jo", thread="s1"),
    )
    assert book.groups() == {frozenset({"m1"}), frozenset({"m2"}), frozenset("a")}
