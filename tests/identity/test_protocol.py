"""The protocol over partitions, as a protocol: any interleaving ends in the components that the oracle has."""

from collections.abc import Iterable
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.identity import STRENGTH, Identity, is_blocked
from schemas.link import Link
from streams.event import Event
from streams.identity.protocol import Outgoing, to_identity
from tests.identity.build import PUBLIC, event, link
from tests.identity.network import Filter, Network
from tests.identity.oracle import Oracle
from tests.identity.strategies import events, links


def _first_messages(records: Iterable[Event | Link]) -> list[Outgoing]:
    return [
        message
        for record in records
        if (message := _of_event(record) if isinstance(record, Event) else _of_link(record))
    ]


def _of_link(record: Link) -> Outgoing | None:
    a, b = Identity(record.a.type, record.a.value), Identity(record.b.type, record.b.value)
    if a == b or is_blocked(a) or is_blocked(b):
        return None
    return to_identity("link", str(a), j=str(b), at=record.occurred_at)


def _of_event(one: Event) -> Outgoing | None:
    named = sorted(
        (i for i in one.identities if not is_blocked(i) and i.type != "thread"), key=lambda i: STRENGTH[i.type]
    )
    public = one.thread in PUBLIC
    if one.thread and not public:
        named.append(Identity("thread", one.thread))
    if one.kind == "merge" and not public and one.data["into"] not in PUBLIC:
        named.append(Identity("thread", one.data["into"]))
    if not named:
        return to_identity("loose", f"thread:{one.thread}", id=one.id, e=one.id, r=one.in_reply_to) if public else None
    speaks = one.kind == "contact" and one.actor != "peer"
    first, *others = map(str, named)
    thread = f"thread:{one.thread}" if public else None
    return to_identity("event", first, n=others, s=thread, id=one.id, o=list(one.order), k=speaks, e=one.id)


def _check(network: Network, some: list[Event], assertions: list[Link]) -> None:
    """Fails where the final state is not what the oracle makes of all records at once."""
    oracle = Oracle(some, assertions, PUBLIC)
    customers = network.all_customers()
    live = {id_: c for id_, c in customers.items() if c.links.alias_of is None}
    assert {frozenset(c.log) for c in live.values() if c.log} == oracle.logs()
    placed = [id_ for c in live.values() for id_ in c.log]
    assert len(placed) == len(set(placed))
    pointers = {identity: id_ for identity, id_ in network.pointers().items() if id_}
    assert set(pointers.values()) <= set(live)
    identities = [Identity(*text.split(":", 1)) for text in pointers]
    together = {frozenset(i for i in pointers if pointers[i] == id_) for id_ in live}
    assert together - {frozenset()} == oracle.together(identities)
    for id_, customer in customers.items():
        if customer.links.alias_of is None:
            assert {i for i in pointers if pointers[i] == id_} == set(customer.links.members)
        else:
            assert not customer.log
            assert not customer.links.held
            assert any(id_ in other.links.aliases for other in live.values())


@st.composite
def _input(draw: st.DrawFn) -> tuple[list[Event], list[Link]]:
    some = [e for e in draw(events(8, ("t1", "t2", "t3", "s1"))) if _of_event(e)]
    ids = {e.id for e in some}
    plain = [e for e in some if e.in_reply_to is None or e.in_reply_to in ids]
    fixed = [_without_foreign(e, plain) for e in plain]
    private = [e for e in fixed if all(i.type != "thread" for i in e.identities) and e.data.get("into") not in PUBLIC]
    return private, draw(links(4, ("link",)))


def _without_foreign(one: Event, all_of_them: list[Event]) -> Event:
    """Answers within one thread only: the protocol looks no further."""
    near = {e.id for e in all_of_them if e.thread == one.thread}
    if one.in_reply_to is None or one.in_reply_to in near:
        return one
    names = [str(i) for i in one.identities]
    into = one.data.get("into")
    return event(one.id, *names, thread=one.thread, at=one.at, kind=one.kind, actor=one.actor, into=into)


def _run(some: list[Event], assertions: list[Link], seed: int, partitions: int, keep: Filter | None = None) -> Network:
    network = Network(partitions, Random(seed), keep) if keep else Network(partitions, Random(seed))
    network.messages = _first_messages([*some, *assertions])
    network.run(duplicates=12, crashes=12)
    return network


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(_input(), st.integers(0, 2**32), st.integers(1, 5))
def test_any_interleaving_ends_in_the_components_of_the_oracle(
    records: tuple[list[Event], list[Link]], seed: int, partitions: int
) -> None:
    """Messages in any order, twice, and after crashes between writing and sending: the same customers and logs."""
    _check(_run(*records, seed, partitions), *records)


def _chain(count: int) -> list[Event]:
    alone = [event(f"a{n}", f"device:d{n}", thread=f"t{n}", at=n) for n in range(count)]
    pairs = [event(f"b{n}", f"device:d{n}", f"device:d{n + 1}", thread=f"u{n}", at=50 + n) for n in range(count - 1)]
    return alone + pairs


@pytest.mark.parametrize("seed", range(30))
def test_a_chain_of_forty_customers_becomes_one(seed: int) -> None:
    """Merges that overlap, in any order, leave one customer with every event."""
    some = _chain(40)
    network = _run(some, [], seed, 7)
    _check(network, some, [])
    assert sum(1 for c in network.all_customers().values() if c.links.alias_of is None) == 1


def _tags(*messages: Outgoing) -> set[str]:
    return {message.message["t"] for message in messages}


def _no_forward(cause: Outgoing, sent: Outgoing) -> bool:
    return not (cause.to == sent.to == "customer" and _tags(cause, sent) == {"event"})


def _no_relabel(_cause: Outgoing, sent: Outgoing) -> bool:
    return _tags(sent) != {"relabel"}


def _no_release(_cause: Outgoing, sent: Outgoing) -> bool:
    return _tags(sent) != {"release"}


def _no_merge_at_an_alias(cause: Outgoing, sent: Outgoing) -> bool:
    return _tags(cause, sent) != {"merge"}


def _no_forward_of_a_history(cause: Outgoing, sent: Outgoing) -> bool:
    return _tags(cause, sent) != {"absorb"}


@pytest.mark.parametrize(
    "bug", [_no_forward, _no_relabel, _no_release, _no_merge_at_an_alias, _no_forward_of_a_history]
)
def test_a_planted_bug_is_found(bug: Filter) -> None:
    """The property above is not true of a protocol that forgets a forward, a relabel, a release or a merge."""

    def fails(case: tuple[tuple[list[Event], list[Link]], int]) -> bool:
        records, seed = case
        try:
            _check(_run(*records, seed, 3, bug), *records)
        except AssertionError:
            return True
        return False

    late = [
        event("b", "handle:sam", thread="s1", at=5),
        event("r", thread="s1", at=6, kind="reply", actor="agent"),
        event("a", "handle:jo", thread="s1", at=1),
    ]
    assert any(fails(((case, []), seed)) for seed in range(20) for case in (_chain(12), late))


def test_known_neighbours_cost_one_look_up_and_no_message() -> None:
    """The second event of the same people in the same thread is sent to its customer, and nothing else."""
    again = [event(f"e{n}", "customer_id:A", "email:e1@x", thread="t1") for n in range(3)]
    network = Network(4, Random(1))
    for number, one in enumerate(again):
        network.sent.clear()
        network.messages = _first_messages([one])
        network.run()
        if number:
            assert network.sent == {"identity:event": 1, "customer:event": 1}


def test_an_older_customer_survives() -> None:
    """The smaller id is that of the earlier birth."""
    network = Network(3, Random(1))
    network.messages = _first_messages([event("b", "email:e2@x", thread="t2", at=9)])
    network.run()
    network.messages = _first_messages([event("a", "email:e1@x", thread="t1", at=4)])
    network.run()
    old = network.pointers()["email:e1@x"]
    network.messages = _first_messages([link("l", "email:e1@x", "email:e2@x")])
    network.run()
    assert set(network.pointers().values()) == {old}
