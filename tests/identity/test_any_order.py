"""Where no edge is refused, the order of arrival changes nothing."""

from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.identity import parse_identity
from schemas.link import Link
from streams.event import Event
from streams.identity.resolver import Resolver
from streams.identity.rules import IdentityRules
from tests.identity.build import PUBLIC, Book, event
from tests.identity.oracle import Oracle
from tests.identity.strategies import IDENTITIES, events, links

NO_LIMITS = IdentityRules(limits={}, most=1_000_000)
ALL = [parse_identity(text) for text in (*IDENTITIES, "thread:t1", "thread:t2", "thread:t3")]


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_any_order_of_any_records_gives_the_components_of_the_oracle(data: st.DataObject) -> None:
    """Events and links in any order, some twice, end in the customers and logs that all of them together imply."""
    some, assertions = data.draw(events(8)), data.draw(links(6))
    records: list[Event | Link] = data.draw(st.permutations([*some, *assertions]))
    again = data.draw(st.lists(st.sampled_from(records), max_size=4))
    book = Book(Resolver(NO_LIMITS)).take(*records, *again)
    oracle = Oracle(some, assertions, PUBLIC)
    assert book.groups() == oracle.logs()
    assert book.together(ALL) == oracle.together(ALL)
    assert not book.refused
    placed = sum(map(len, book.logs.values()))
    assert placed + book.resolver.waiting == len(some)


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_the_customers_report_agrees_with_the_logs(data: st.DataObject) -> None:
    """The customers that the resolver names are those that its changes made, with as many events."""
    records: list[Event | Link] = data.draw(st.permutations([*data.draw(events(8)), *data.draw(links(5))]))
    book = Book(Resolver(NO_LIMITS)).take(*records)
    customers = {c.customer_id: c for c in book.resolver.customers()}
    assert {id_: c.events for id_, c in customers.items() if c.events} == {i: len(e) for i, e in book.logs.items() if e}
    for customer in customers.values():
        for identity in customer.identities:
            assert book.resolver.customer_of(identity) == customer.customer_id
        for alias in customer.aliases:
            assert book.resolver.resolve(alias) == customer.customer_id


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_replaying_everything_changes_nothing(data: st.DataObject) -> None:
    """A record that was taken before has no effect, a merge, an unlink and a refusal included."""
    records: list[Event | Link] = data.draw(st.permutations([*data.draw(events(8)), *data.draw(links(5))]))
    book = Book().take(*records)
    before = list(book.seen)
    book.take(*records)
    assert book.seen == before


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_the_same_input_gives_the_same_ids(data: st.DataObject) -> None:
    """Two resolvers that read the same records report the same changes."""
    records: list[Event | Link] = data.draw(st.permutations([*data.draw(events(8)), *data.draw(links(5))]))
    assert Book().take(*records).seen == Book().take(*records).seen


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_unlink_then_link_again_is_as_if_never_unlinked(data: st.DataObject) -> None:
    """A pair that was unlinked and linked again, at any moments, is as if it had only been linked."""
    some = data.draw(events(8))
    assertions = data.draw(links(4, ("unlink",)))
    relinked = [r.model_copy(update={"id": f"again-{r.id}", "occurred_at": 10, "action": "link"}) for r in assertions]
    records: list[Event | Link] = data.draw(st.permutations([*some, *assertions, *relinked]))
    others: list[Event | Link] = data.draw(st.permutations([*some, *relinked]))
    both, never = Book(Resolver(NO_LIMITS)).take(*records), Book(Resolver(NO_LIMITS)).take(*others)
    assert both.groups() == never.groups()
    assert both.together(ALL) == never.together(ALL)


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_three_events_are_one_customer_in_all_six_orders(order: tuple[int, ...]) -> None:
    """{e1,p1}, {e1}, {p1} give one customer whatever comes first."""
    three = [
        event("a", "email:e1@x", "phone:5550001", thread="t1"),
        event("b", "email:e1@x", thread="t2"),
        event("c", "phone:5550001", thread="t3"),
    ]
    book = Book().take(*(three[index] for index in order))
    assert book.groups() == {frozenset("abc")}
    assert sum(1 for customer in book.resolver.customers() if customer.events) == 1
