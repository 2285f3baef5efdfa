"""The protocol over partitions, as a protocol: any interleaving ends in the components that the oracle has."""

from collections import Counter
from collections.abc import Iterable
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.identity import Identity
from schemas.link import Link
from streams.event import Event
from streams.identity.claims import claim_of_event, claim_of_link
from streams.identity.protocol import Outgoing
from streams.identity.resolver import Resolver
from streams.identity.rules import IdentityRules
from tests.identity.build import PUBLIC, Book, event, link
from tests.identity.network import Filter, Log, Network
from tests.identity.oracle import Oracle
from tests.identity.strategies import events, links

Records = list[Event | Link]


def _first_messages(records: Iterable[Event | Link]) -> list[Outgoing]:
    found = []
    for record in records:
        message = (
            _claim(record) if isinstance(record, Event) else claim_of_link(record, record.occurred_at, frozenset())
        )
        found += [message] if message is not None else []
    return found


def _claim(one: Event) -> Outgoing:
    claim = claim_of_event(one, public=one.thread in PUBLIC, blocked=frozenset())
    claim.message["e"] = one.id
    return claim


def _live(network: Network) -> dict[str, Log]:
    found = {}
    for id_, customer in network.all_customers().items():
        assert customer.links is not None
        if customer.links.alias_of is None and not customer.links.forgotten:
            found[id_] = customer
    return found


def _check_whole(network: Network) -> None:
    """Fails where the state contradicts itself: an event in two logs, a pointer to an alias, work that was left."""
    customers, live = network.all_customers(), _live(network)
    placed = Counter(id_ for customer in customers.values() for id_ in customer.ids)
    assert not placed or max(placed.values()) == 1
    pointers = {identity: id_ for identity, id_ in network.pointers().items() if id_}
    assert set(pointers.values()) <= set(live)
    for id_, customer in customers.items():
        links = customer.links
        assert links is not None
        assert not links.todo
        assert not links.waiting
        assert links.asking is None
        assert links.locked is None
        if id_ in live:
            assert {i for i in pointers if pointers[i] == id_} == set(links.members)
        else:
            assert not customer.ids
            assert sum(id_ in other.links.aliases for other in live.values() if other.links) == 1 or links.forgotten


def _check(network: Network, some: list[Event], assertions: list[Link]) -> None:
    """Fails where the final state is not what the oracle makes of all records at once."""
    _check_whole(network)
    oracle = Oracle(some, assertions, PUBLIC)
    assert {frozenset(customer.ids) for customer in _live(network).values() if customer.ids} == oracle.logs()
    pointers = {identity: id_ for identity, id_ in network.pointers().items() if id_}
    identities = [Identity(*text.split(":", 1)) for text in pointers]
    together = {frozenset(i for i in pointers if pointers[i] == id_) for id_ in set(pointers.values())}
    assert together == oracle.together(identities)


@st.composite
def _input(draw: st.DrawFn, count: int = 8) -> tuple[list[Event], list[Link]]:
    some = draw(events(count, ("t1", "t2", "t3", "s1")))
    ids = {e.id for e in some}
    fixed = [_without_foreign(e, some) if e.in_reply_to in ids or e.in_reply_to is None else e for e in some]
    private = [e for e in fixed if all(i.type != "thread" for i in e.identities) and e.data.get("into") not in PUBLIC]
    return [_without_foreign(e, private) for e in private], draw(links(5))


def _without_foreign(one: Event, all_of_them: list[Event]) -> Event:
    """Answers within one thread only: the protocol looks no further."""
    near = {e.id for e in all_of_them if e.thread == one.thread}
    if one.in_reply_to is None or one.in_reply_to in near:
        return one
    names = [str(i) for i in one.identities]
    into = one.data.get("into")
    return event(one.id, *names, thread=one.thread, at=one.at, kind=one.kind, actor=one.actor, into=into)


def _run(some: list[Event], assertions: list[Link], seed: int, partitions: int, keep: Filter | None = None) -> Network:
    network = Network(partitions, Random(seed), some)
    network.keep = keep or network.keep
    network.feed(*_first_messages([*some, *assertions]))
    network.run(duplicates=12, crashes=12)
    return network


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(_input(), st.integers(0, 2**32), st.integers(1, 5))
def test_any_interleaving_ends_in_the_components_of_the_oracle(
    records: tuple[list[Event], list[Link]], seed: int, partitions: int
) -> None:
    """Messages in any order, twice, and after crashes between writing and sending: the same customers and logs."""
    _check(_run(*records, seed, partitions), *records)


RULES = IdentityRules(limits={"customer_id": 1, "email": 1, "phone": 2}, most=4)


def _one_of_each(some: list[Event]) -> list[Event]:
    """Each event names one identity of a type: of several strangers in one event, who ends up with whom is not promised."""
    found = []
    for one in some:
        names = [str(i) for i in {i.type: i for i in one.identities}.values()]
        into = one.data.get("into")
        found.append(
            event(
                one.id,
                *names,
                thread=one.thread,
                at=one.at,
                kind=one.kind,
                actor=one.actor,
                reply_to=one.in_reply_to,
                into=into,
            )
        )
    return found


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(_input(), st.integers(0, 2**32), st.integers(1, 4), st.randoms(use_true_random=False))
def test_record_by_record_the_protocol_does_what_one_place_does(
    records: tuple[list[Event], list[Link]], seed: int, partitions: int, order: Random
) -> None:
    """With limits the order of arrival counts: in one order the customers, their logs and the refusals are the same."""
    some = _one_of_each(records[0])
    every: Records = [*some, *records[1]]
    order.shuffle(every)
    network, book = Network(partitions, Random(seed), some, RULES), Book(Resolver(RULES))
    for record in every:
        network.feed(*_first_messages([record]))
        network.run(duplicates=3, crashes=3)
        book.take(record)
        _check_whole(network)
        assert {frozenset(customer.ids) for customer in _live(network).values() if customer.ids} == book.groups()
    pointers = [Identity(*text.split(":", 1)) for text, id_ in network.pointers().items() if id_]
    together = book.together(pointers)
    found: dict[str, set[str]] = {}
    for text, id_ in network.pointers().items():
        if id_:
            found.setdefault(id_, set()).add(text)
    assert {frozenset(texts) for texts in found.values()} == together
    # Of the identities that one record could not join, the protocol may name others as well.
    assert {c["record_id"] for c in network.conflicts} >= {r.record_id for r in book.refused}


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(_input(10), st.integers(0, 2**32), st.integers(1, 5))
def test_no_interleaving_exceeds_a_limit_or_loses_an_event(
    records: tuple[list[Event], list[Link]], seed: int, partitions: int
) -> None:
    """With limits, all at once: every event with an author is in one log, and no customer has more than it may."""
    network = Network(partitions, Random(seed), records[0], RULES)
    network.feed(*_first_messages([*records[0], *records[1]]))
    network.run(duplicates=12, crashes=12)
    _check_whole(network)
    for customer in _live(network).values():
        assert customer.links is not None
        types = Counter(identity.partition(":")[0] for identity in customer.links.members)
        assert types["customer_id"] <= 1
        assert types["email"] <= 1
        assert types["phone"] <= 2
        assert types.total() - types["thread"] - types["event"] <= 4
    placed = {id_ for customer in _live(network).values() for id_ in customer.ids}
    oracle = Oracle(records[0], records[1], PUBLIC)
    assert placed == {id_ for log in oracle.logs() for id_ in log}
