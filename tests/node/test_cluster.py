"""Nodes together: any batches, any crashes, the same customers and facts as in one place."""

from random import Random
from typing import Any
from unittest.mock import patch

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.codec import dumps, loads
from schemas.link import Link
from schemas.times import HOUR, format_time
from streams import decoded
from streams.customer import Customer
from streams.event import Event
from streams.facts import clock_records, episode_records
from streams.identity.claims import claim_of_event
from streams.intake import Rejected, admit
from streams.policy import PolicyHistory
from streams.population import Population
from tests.identity.build import PUBLIC, event, link
from tests.identity.strategies import events, links
from tests.node.cluster import Cluster, interaction, policy

RULES = {"limits": {"customer_id": 99, "email": 99, "phone": 99, "handle": 99}, "max": 1000}
T0 = 10 * HOUR


def _spread(some: list[Event], assertions: list[Link], cluster: Cluster) -> None:
    cluster.now = T0
    for one in some:
        claim = claim_of_event(one, public=one.thread in PUBLIC, blocked=frozenset())
        value = interaction(one, PUBLIC)
        cluster.feed(f"interactions.{value['channel']}", claim.key, value, T0)
    for record in assertions:
        pair = {"a": record.a.model_dump(), "b": record.b.model_dump()}
        value = {"id": record.id, "occurred_at": format_time(record.occurred_at), "action": record.action, **pair}
        cluster.feed("identities.links", record.id, value, T0)
    cluster.run()


def _in_one_place(some: list[Event], assertions: list[Link], cluster: Cluster) -> Population:
    population = Population(cluster.policy)
    for one in some:
        taken = admit(interaction(one, PUBLIC), T0, cluster.policy)
        assert not isinstance(taken, Rejected)
        list(population.place(taken, cluster.policy))
    for record in assertions:
        list(population.link(record, T0, cluster.policy))
    return population


def _facts(customers: list[Customer], policies: PolicyHistory, now: int) -> list[bytes]:
    found = []
    for customer in customers:
        records = (*clock_records(customer, policies, now), *episode_records(customer, policies, now))
        found += [dumps(_without_ids(record)) for record in records]
    return sorted(found)


def _without_ids(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_ids(item) for name, item in value.items() if name != "customer_id"}
    if isinstance(value, list):
        return [_without_ids(item) for item in value]
    return value


@st.composite
def _input(draw: st.DrawFn) -> tuple[list[Event], list[Link]]:
    some = draw(events(8, ("t1", "t2", "t3", "s1")))
    kept = [e for e in some if e.data.get("into") not in PUBLIC and all(i.type != "thread" for i in e.identities)]
    return [_near(e, kept) for e in kept], draw(links(4))


def _near(one: Event, others: list[Event]) -> Event:
    """Answers within one thread only: nodes look no further."""
    near = {e.id for e in others if e.thread == one.thread and e.thread is not None}
    reply_to = one.in_reply_to if one.in_reply_to in near else None
    names, into = [str(i) for i in one.identities], one.data.get("into")
    thread, kind, actor = one.thread, one.kind, one.actor
    return event(one.id, *names, thread=thread, at=one.at, kind=kind, actor=actor, reply_to=reply_to, into=into)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(_input(), st.integers(0, 2**32), st.integers(1, 4), st.sampled_from((decoded.EVENTS_KEPT, 2)))
def test_any_batches_and_crashes_end_in_the_facts_of_one_place(
    records: tuple[list[Event], list[Link]], seed: int, partitions: int, room: int
) -> None:
    """However records are batched and nodes crash: the same customers, clocks and episodes, and no revision differs.

    So it is where there is room for two events as objects, and everybody else is read from bytes each time.
    """
    cluster = Cluster(partitions, Random(seed), policy(identities=RULES), crashes=15)
    with patch.object(decoded, "EVENTS_KEPT", room):
        _spread(*records, cluster)
        cluster.wake(T0 + 6 * HOUR)
    population = _in_one_place(*records, cluster)
    policies = cluster.kit.policies
    assert cluster.logs() == {frozenset(e.id for e in c.log) for c in population.customers.values() if len(c.log)}
    live = [stored.live for stored in cluster.customers().values() if stored.live]
    whole = [c for c in population.customers.values() if len(c.log)]
    assert _facts([c for c in live if len(c.log)], policies, cluster.now) == _facts(whole, policies, cluster.now)
    _check_revisions(cluster)
    _check_pointers(cluster)


def _check_pointers(cluster: Cluster) -> None:
    """Every identity points to the survivor, which knows it; no alias keeps a history."""
    customers = cluster.customers()
    records = {
        key.decode(): loads(value)["c"] for store in cluster.stores for key, value in store["identities"].items()
    }
    for identity, id_ in records.items():
        if id_ is not None:
            links = customers[id_].links
            assert links.alias_of is None
            assert identity in links.members
    assert not any(s.links.todo or s.links.waiting or s.links.asking or s.links.locked for s in customers.values())


def _check_revisions(cluster: Cluster) -> None:
    revisions: dict[str, list[int]] = {}
    for id_, revision in sorted(cluster.escalations()):
        revisions.setdefault(id_, []).append(revision)
    assert all(numbers == list(range(1, len(numbers) + 1)) for numbers in revisions.values())
    stored = [dumps(s.outbox) for s in cluster.customers().values()]
    sent = {dumps(record) for record in cluster.escalations().values()}
    assert all(dumps(record) in sent for s in cluster.customers().values() for record in s.outbox), stored


def test_people_who_are_known_take_no_second_hop() -> None:
    """The next event of the same people in the same thread makes no message at all."""
    cluster = Cluster(8, Random(1))
    for number in range(3):
        _spread([event(f"e{number}", "customer_id:A", "email:a@x", thread="t1")], [], cluster)
        if number == 0:
            cluster.counts.clear()
    assert cluster.counts == {"events": 2}


def test_a_command_reaches_the_customer_through_an_alias() -> None:
    """A command for an id that was merged away is obeyed by the survivor; one for nothing open is dead-lettered."""
    cluster = Cluster(4, Random(3))
    _spread([event("a", "email:a@x", thread="t1", at=1)], [], cluster)
    _spread([event("b", "email:b@x", thread="t2", at=2)], [], cluster)
    cluster.wake(T0 + 2 * HOUR)
    late = next(record for record in cluster.escalations().values() if record["threads"][0]["thread"] == "t2")
    _spread([], [link("l", "email:a@x", "email:b@x")], cluster)
    command = {"at": format_time(cluster.now), "customer_id": late["customer_id"], "action": "acknowledge", "by": "x"}
    for number, escalation_id in enumerate((late["escalation_id"], "no-such")):
        value = {**command, "id": f"c{number}", "escalation_id": escalation_id}
        cluster.feed("escalations.commands", late["customer_id"], value, cluster.now)
    cluster.run()
    newest = max(
        (r for r in cluster.escalations().values() if r["escalation_id"] == late["escalation_id"]), key=_revision
    )
    assert newest["status"] == "acknowledged"
    assert newest["customer_id"] != late["customer_id"]
    (dead,) = cluster.dead
    assert (dead.reason, dead.record.topic) == ("unknown_escalation", "escalations.commands")


def _revision(record: dict[str, Any]) -> int:
    number: int = record["revision"]
    return number


def test_bad_records_are_set_aside() -> None:
    """What is no JSON, no interaction or nobody's customer stops nothing, and keeps its bytes."""
    cluster = Cluster(2, Random(5))
    cluster.feed("interactions.chat", "x", {"id": "no more"}, T0)
    cluster.feed("escalations.commands", "x", {"id": "c", "at": format_time(T0), "customer_id": "x"}, T0)
    _spread([event("a", "email:a@x", thread="t1")], [], cluster)
    assert sorted(dead.reason for dead in cluster.dead) == ["schema", "schema"]
    assert cluster.logs() == {frozenset("a")}


def test_a_new_policy_is_taken_up_by_wake() -> None:
    """Every customer is settled under a new policy, bit by bit, and again after a restart that missed it."""
    cluster = Cluster(3, Random(7))
    _spread([event(f"e{n}", f"email:p{n}@x", thread=f"t{n}", at=T0 - 1) for n in range(20)], [], cluster)
    document = {"version": "2", "targets": [{"first_response": "1s"}]}
    assert cluster.kit.policy(dumps(document), T0 + 1000)
    for number, node in enumerate(cluster.nodes):
        if number:
            cluster.kit.policy_changed(node, T0 + 2000)
        else:
            node.rebuild()
    cluster.wake(T0 + 2000)
    breached = {r["customer_id"] for r in cluster.escalations().values() if r.get("phase") == "breached"}
    assert len(breached) == 20
