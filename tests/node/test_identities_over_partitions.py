"""Limits, unlinks and splits over nodes: record by record the same customers, clocks and episodes as in one place."""

from random import Random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.codec import dumps
from schemas.link import Link
from schemas.times import HOUR, MINUTE, format_time
from streams.customer import Customer
from streams.event import Event
from streams.facts import clock_records, episode_records
from streams.identity.claims import claim_of_event
from streams.intake import Rejected, admit
from streams.policy import PolicyHistory
from streams.population import Population
from tests.identity.build import PUBLIC, event, link
from tests.identity.test_protocol import _input, _one_of_each
from tests.node.cluster import Cluster, interaction, policy

TIGHT = {"limits": {"customer_id": 1, "email": 1, "phone": 2}, "max": 4}
T0 = 10 * HOUR


def _feed(record: Event | Link, cluster: Cluster, population: Population) -> None:
    if isinstance(record, Event):
        value = interaction(record, PUBLIC)
        taken = admit(value, cluster.now, cluster.policy)
        assert not isinstance(taken, Rejected)
        claim = claim_of_event(record, public=record.thread in PUBLIC, blocked=frozenset())
        cluster.feed(f"interactions.{value['channel']}", claim.key, value, cluster.now)
        touched = population.place(taken, cluster.policy)
    else:
        pair = {"a": record.a.model_dump(), "b": record.b.model_dump()}
        value = {"id": record.id, "occurred_at": format_time(record.occurred_at), "action": record.action, **pair}
        cluster.feed("identities.links", record.id, value, cluster.now)
        touched = population.link(record, cluster.now, cluster.policy)
    for id_ in list(touched):
        if id_ in population.customers:
            population.customers[id_].settle(cluster.kit.policies, cluster.now)
    cluster.run()


def _facts(customers: list[Customer], policies: PolicyHistory, now: int) -> list[bytes]:
    found = []
    for customer in customers:
        records = (*clock_records(customer, policies, now), *episode_records(customer, policies, now))
        found += [dumps({name: value for name, value in record.items() if name != "customer_id"}) for record in records]
    return sorted(found)


def _said(customers: list[Customer]) -> list[tuple[str, str, str]]:
    """What stands open: subject, status and phase."""
    return sorted((s.id, s.status, s.severity) for customer in customers for s in customer.emitted.standing)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(_input(7), st.integers(0, 2**32), st.integers(1, 4), st.randoms(use_true_random=False))
def test_record_by_record_nodes_say_what_one_place_says(
    records: tuple[list[Event], list[Link]], seed: int, partitions: int, order: Random
) -> None:
    """With limits and unlinks, between crashes: the same logs, clocks, episodes and open escalations, minute by minute."""
    every: list[Event | Link] = [*_one_of_each(records[0]), *records[1]]
    order.shuffle(every)
    cluster = Cluster(partitions, Random(seed), policy(identities=TIGHT), crashes=8)
    population = Population(cluster.policy)
    cluster.now = T0
    for record in every:
        cluster.wake(cluster.now + 20 * MINUTE)
        for customer in population.customers.values():
            customer.settle(cluster.kit.policies, cluster.now)
        _feed(record, cluster, population)
        live = [stored.live for stored in cluster.customers().values() if stored.live and len(stored.live.log)]
        whole = [customer for customer in population.customers.values() if len(customer.log)]
        assert {frozenset(e.id for e in c.log) for c in live} == {frozenset(e.id for e in c.log) for c in whole}
        policies = cluster.kit.policies
        assert _facts(live, policies, cluster.now) == _facts(whole, policies, cluster.now)
    cluster.escalations()  # no revision was said twice with different content


def _breached(*records: Event | Link) -> tuple[Cluster, dict[str, list[dict[str, object]]]]:
    """A cluster after these records, an hour apart; the escalations by id, in order of their revisions."""
    cluster = Cluster(3, Random(5), policy())
    population = Population(cluster.policy)
    cluster.now = T0
    for record in records:
        _feed(record, cluster, population)
        cluster.wake(cluster.now + HOUR + MINUTE)
    said: dict[str, list[dict[str, object]]] = {}
    for (id_, _), revision in sorted(cluster.escalations().items()):
        said.setdefault(id_, []).append(revision)
    return cluster, said


def _in_order(said: dict[str, list[dict[str, object]]]) -> None:
    for revisions in said.values():
        assert [record["revision"] for record in revisions] == list(range(1, len(revisions) + 1))


def test_a_merge_pages_nobody_again() -> None:
    """Two customers with a breach each become one: both escalations stand, each was opened once."""
    some = [event("a", "email:a@x", thread="t1", at=T0), event("b", "phone:5550001", thread="t2", at=T0 + HOUR)]
    cluster, said = _breached(*some, link("l", "email:a@x", "phone:5550001", at=T0 + 3 * HOUR))
    _in_order(said)
    breaches = [r for revisions in said.values() for r in revisions if r["kind"] == "sla"]
    assert sum(record["change"] == "opened" for record in breaches) == len({r["escalation_id"] for r in breaches})
    (customer,) = [stored.live for stored in cluster.customers().values() if stored.live and len(stored.live.log)]
    assert {s.status for s in customer.emitted.standing} == {"open"}


def test_a_split_takes_escalations_along() -> None:
    """After an unlink each part keeps the escalations about its threads, under their ids; what no longer holds ends."""
    some = [
        event("a", "customer_id:A", thread="t1", at=T0),
        event("b", "email:b@x", thread="t2", at=T0 + HOUR),
        event("both", "customer_id:A", "email:b@x", thread="t3", at=T0 + 2 * HOUR),
    ]
    cluster, said = _breached(*some, link("u", "customer_id:A", "email:b@x", action="unlink", at=T0 + 4 * HOUR))
    _in_order(said)
    live = {c.id: c for s in cluster.customers().values() if (c := s.live) and len(c.log)}
    assert sorted(len(customer.log) for customer in live.values()) == [1, 2]
    for customer in live.values():
        threads = {one.thread for one in customer.log}
        assert {s.thread for s in customer.emitted.standing if s.thread} <= threads
    first = [r for revisions in said.values() for r in revisions if r["kind"] == "sla" and r["revision"] == 1]
    assert len(first) == len({(r["thread"], r["metric"]) for r in first})  # nothing was opened a second time
    assert {r["reason"] for rs in said.values() for r in rs if r["change"] == "resolved"} <= {"split", "merged"}
