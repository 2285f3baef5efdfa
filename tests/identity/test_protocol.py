"""The protocol over partitions, as a protocol: any interleaving ends in the components that the oracle has."""

from collections import Counter
from collections.abc import Iterable
from itertools import permutations
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.identity import Identity
from schemas.link import Link
from streams.event import Event
from streams.identity.claims import claim_of_event, claim_of_link
from streams.identity.protocol import CustomerLinks, Outgoing, to_customer, to_identity
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
    """With limits the order of arrival counts: in one order the customers and their logs are the same."""
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


def _chain(count: int) -> list[Event]:
    alone = [event(f"a{n}", f"device:d{n}", thread=f"t{n}", at=n) for n in range(count)]
    pairs = [event(f"b{n}", f"device:d{n}", f"device:d{n + 1}", thread=f"u{n}", at=50 + n) for n in range(count - 1)]
    return alone + pairs


@pytest.mark.parametrize("seed", range(20))
def test_a_chain_of_forty_customers_becomes_one(seed: int) -> None:
    """Merges that overlap, in any order, leave one customer with every event."""
    some = _chain(40)
    network = _run(some, [], seed, 7)
    _check(network, some, [])
    assert len(_live(network)) == 1


@pytest.mark.parametrize("seed", range(10))
def test_a_chain_falls_apart_and_grows_together_again(seed: int) -> None:
    """Unlinks and links of the same pairs, all at once: the newest of each pair counts."""
    some = _chain(12)
    cuts = [link(f"c{n}", f"device:d{n}", f"device:d{n + 1}", action="unlink", at=n) for n in range(0, 11, 2)]
    again = [link(f"l{n}", f"device:d{n}", f"device:d{n + 1}", at=n + n % 4 - 1) for n in range(0, 11, 2)]
    _check(_run(some, [*cuts, *again], seed, 5), some, [*cuts, *again])


def test_a_private_word_on_a_public_thread_is_its_authors() -> None:
    """A post that became a ticket: what an agent writes there by mail belongs to the author of the post."""
    post = event("post", "handle:jo", thread="s1", at=1)
    answer = event("answer", thread="s1", at=2, kind="reply", actor="agent")
    network = Network(3, Random(1), [post, answer])
    network.feed(*_first_messages([post]))
    network.run()
    network.feed(claim := claim_of_event(answer, public=False, blocked=frozenset()))
    claim.message["e"] = "answer"
    network.run()
    assert {frozenset(customer.ids) for customer in _live(network).values()} == {frozenset({"post", "answer"})}


@pytest.mark.parametrize("order", [(0, 1, 2), (1, 0, 2), (2, 1, 0)])
def test_refusals_are_told_as_in_one_place(order: tuple[int, ...]) -> None:
    """A kiosk's phone, a colleague in a ticket, a link that may not be: who was refused, by whom, and why."""
    some: Records = [
        event("a", "customer_id:A", "phone:5550001", thread="t1", at=1),
        event("b", "customer_id:B", "phone:5550001", thread="t2", at=2),
        event("c", "customer_id:C", "email:c@x", thread="t1", at=3),
    ]
    every = [*(some[n] for n in order), link("l", "email:c@x", "customer_id:B", at=4)]
    network, book = Network(3, Random(1), [e for e in some if isinstance(e, Event)], IdentityRules()), Book()
    for record in every:
        network.feed(*_first_messages([record]))
        network.run()
        book.take(record)
    told = {(c["identity"], c["reason"], c["record_id"], c["seen_at"]) for c in network.conflicts}
    assert told == {(str(r.identity), r.reason, r.record_id, r.seen_at) for r in book.refused}
    assert len(told) == 3


@pytest.mark.parametrize("seed", range(5))
def test_two_hundred_addresses_sharing_one_phone(seed: int) -> None:
    """A hub at its limits, all at once: five addresses are its customer's, and each of the others is one of its own."""
    some = [event(f"e{n}", f"email:p{n}@x", "phone:5550001", thread=f"t{n}", at=n) for n in range(200)]
    network = Network(5, Random(seed), some, IdentityRules())
    network.feed(*_first_messages(some))
    network.run(duplicates=30, crashes=30, most=20_000)
    _check_whole(network)
    assert sorted(len(customer.ids) for customer in _live(network).values()) == [1] * 195 + [5]
    assert len({c["record_id"] for c in network.conflicts}) == 195


def test_known_people_cost_one_look_up_and_no_message() -> None:
    """The second event of the same people in the same thread is sent to its customer, and nothing else."""
    again = [event(f"e{n}", "customer_id:A", "email:e1@x", thread="t1") for n in range(3)]
    network = Network(4, Random(1), again)
    for number, one in enumerate(again):
        network.sent.clear()
        network.feed(*_first_messages([one]))
        network.run()
        if number:
            assert network.sent == {"identity:event": 1, "customer:event": 1}


def test_somebody_refused_costs_no_more_messages() -> None:
    """The same person at the same kiosk again is known to be refused."""
    rules = IdentityRules()
    some = [event(f"e{n}", f"customer_id:{'AB'[n > 0]}", "phone:5550001", at=n) for n in range(4)]
    network = Network(4, Random(1), some, rules)
    for number, one in enumerate(some):
        network.sent.clear()
        network.feed(*_first_messages([one]))
        network.run()
        if number > 1:
            assert network.sent == {"identity:event": 1, "customer:event": 1}
    assert len(network.conflicts) == 1


def test_the_customer_of_the_earlier_first_contact_survives() -> None:
    """Also where its first contact came late, and its id is the younger one."""
    some = [
        event("a", "email:a@x", thread="t1", at=4),
        event("b", "email:b@x", thread="t2", at=9),
        event("late", "email:b@x", thread="t2", at=1),
    ]
    network = Network(3, Random(1), some)
    for one in some:
        network.feed(*_first_messages([one]))
        network.run()
    young = network.pointers()["email:b@x"]
    network.feed(*_first_messages([link("l", "email:a@x", "email:b@x")]))
    network.run()
    assert set(network.pointers().values()) == {young}


def test_an_alias_resolves_to_the_part_it_was_born_in() -> None:
    """After a split a command for the old id reaches the customer that holds the identity of that id's birth."""
    some = [
        event("a", "customer_id:A", thread="t1", at=1),
        event("b", "email:b@x", thread="t2", at=2),
        event("both", "customer_id:A", "email:b@x", thread="t3", at=3),
    ]
    network = Network(3, Random(1), some)
    network.feed(*_first_messages(some[:2]))
    network.run()
    alias = network.pointers()["email:b@x"]
    assert alias is not None
    for record in (some[2], link("u", "customer_id:A", "email:b@x", action="unlink", at=4)):
        network.feed(*_first_messages([record]))
        network.run()
    fresh = network.pointers()["email:b@x"]
    assert fresh not in {alias, network.pointers()["customer_id:A"]}
    first = network.pointers()["customer_id:A"]
    assert first is not None
    for id_, command in ((alias, "b"), (first, "b"), (first, "a"), (first, "both")):  # and nobody refuses it
        network.feed(to_customer("command", id_, v=command))
    network.run()
    links = network.all_customers()[alias].links
    assert links is not None
    assert links.alias_of == fresh


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(_input(), st.integers(0, 2**32), st.integers(1, 4))
def test_who_is_forgotten_leaves_nothing(records: tuple[list[Event], list[Link]], seed: int, partitions: int) -> None:
    """All that was known of a customer is gone, nobody waits for it, and its identities begin anew."""
    network = _run(*records, seed, partitions)
    live = {id_: customer for id_, customer in _live(network).items() if customer.links and customer.links.members}
    if not live:
        return
    id_ = sorted(live)[seed % len(live)]
    links = live[id_].links
    assert links is not None
    names = set(links.members)
    network.feed(to_identity("forget", min(names)))
    network.run(duplicates=5, crashes=5)
    _check_whole(network)
    assert not names & set(network.pointers())
    for one in (id_, *links.aliases):
        kept = network.all_customers()[one]
        assert kept.links is not None
        assert kept.links == CustomerLinks(one, forgotten=True)
        assert not kept.ids


def _tags(*messages: Outgoing) -> set[str]:
    return {message.message.get("t", "") for message in messages}


def _no_forward(cause: Outgoing, sent: Outgoing) -> bool:
    return not (cause.to == sent.to == "customer" and _tags(cause, sent) == {"event"})


def _none_back(cause: Outgoing, sent: Outgoing) -> bool:
    return not (cause.to == "customer" and sent.to == "identity" and _tags(cause, sent) == {"event"})


def _none_handed_on(cause: Outgoing, sent: Outgoing) -> bool:
    return not (cause.message.get("t") == "release" and sent.message.get("t") == "event")


def _without(tag: str) -> Filter:
    return lambda _cause, sent: sent.message.get("t") != tag


BUGS = {
    "an alias forgets to forward": _no_forward,
    "who has left is not sent back": _none_back,
    "an event is let go and not handed on": _none_handed_on,
    **{
        f"no {tag}": _without(tag)
        for tag in ("relabel", "release", "absorb", "later", "free", "give", "again", "part", "cut", "moved")
    },
}


def _fails(some: list[Event], assertions: list[Link], seed: int, bug: Filter, rules: IdentityRules | None) -> bool:
    network = Network(3, Random(seed), some, rules, bug)
    network.feed(*_first_messages([*some, *assertions]))
    try:
        network.run(duplicates=12, crashes=12, most=5_000)
        if rules is None:
            _check(network, some, assertions)
        else:
            _check_whole(network)
            assert {id_ for customer in _live(network).values() for id_ in customer.ids} == {e.id for e in some}
    except AssertionError:
        return True
    return False


_LATE = [
    event("b", "handle:sam", thread="s1", at=5),
    event("r", thread="s1", at=6, kind="reply", actor="agent"),
    event("a", "handle:jo", thread="s1", at=1),
]
_RING = [
    *(event(f"a{n}", f"device:d{n}", thread=f"t{n}", at=n) for n in range(3)),
    *(event(f"b{n}", f"device:d{n}", f"device:d{(n + 1) % 3}", at=9) for n in (2, 0, 1)),
]
_KIOSK = [
    event(f"k{n}", f"customer_id:C{n}", "phone:5550001", f"device:d{n % 3}", thread=f"t{n % 2}", at=n) for n in range(8)
]
_HANDED_ON = [
    event("e4", "customer_id:B", "phone:5550001", thread="t2", at=1),
    event("e5", "phone:5550001", "email:e1@x", thread="t2", at=8),
]
_JOINED = [link("l1", "phone:5550001", "device:d1", at=2), link("l3", "thread:t2", "customer_id:B", at=3)]
_CUT = [link(f"c{n}", f"device:d{n}", f"device:d{n + 1}", action="unlink", at=n) for n in range(0, 11, 2)]
_CASES: list[tuple[list[Event], list[Link], IdentityRules | None]] = [
    (_LATE, [], None),
    (_RING, [], None),
    (_chain(12), [], None),
    (_chain(12), _CUT, None),
    (_HANDED_ON, _JOINED, None),
    (_KIOSK, [], IdentityRules()),
]


@pytest.mark.parametrize("bug", BUGS.values(), ids=BUGS)
def test_a_planted_bug_is_found(bug: Filter) -> None:
    """The properties above are not true of a protocol that forgets one of its messages."""
    assert any(_fails(some, cuts, seed, bug, rules) for seed in range(200) for some, cuts, rules in _CASES)


def test_without_a_planted_bug_nothing_is_found() -> None:
    """The cases of the planted bugs pass as they are."""
    for seed in range(30):
        for some, cuts, rules in _CASES:
            assert not _fails(some, cuts, seed, lambda _cause, _sent: True, rules)


def _in_any_order(some: list[Event], *said: Link) -> None:
    """In whatever order the records come, the protocol does what one place does."""
    for number, every in enumerate(permutations([*some, *said])):
        network, book = Network(2, Random(number), some, RULES), Book(Resolver(RULES))
        for record in every:
            network.feed(*_first_messages([record]))
            network.run(duplicates=3, crashes=3)
            book.take(record)
            assert {frozenset(customer.ids) for customer in _live(network).values() if customer.ids} == book.groups()
        assert len(network.conflicts) == len(book.refused), [record.id for record in every]


def test_an_unlink_keeps_an_event_from_its_thread_though_others_know_of_it() -> None:
    """The customer who has its strongest identity may not have the thread, and does not know of the unlink."""
    some = [
        event("e0", "email:e1@x", "customer_id:A", thread="t2"),
        event("e1", "email:e2@x", "phone:5550001", thread="t2"),
        event("e2", "email:e2@x", thread="t1", kind="merge", into="t2"),
    ]
    unlinked = link("l1", "phone:5550001", "thread:t2", action="unlink")
    _in_any_order(some, link("l0", "customer_id:A", "phone:5550001"), unlinked)


def test_an_event_that_was_here_for_its_thread_goes_with_an_unlink() -> None:
    """Also where the thread that it is merged into is ours, too."""
    some = [
        event("e1", "customer_id:B", thread="t2"),
        event("e2", "customer_id:A", thread="t1", kind="merge", into="t2"),
        event("e5", "customer_id:B", thread="t1"),
    ]
    _in_any_order(some, link("l0", "customer_id:A", "thread:t1", action="unlink"))
