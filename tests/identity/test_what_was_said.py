"""What was said of an event goes where the event goes: one page, one number, one content."""

from collections import defaultdict
from random import Random
from typing import Any

import pytest

from schemas.times import HOUR, MINUTE
from streams.event import Event
from streams.identity.claims import claim_of_event
from streams.identity.limits import Limits
from streams.identity.links import HEARD_MAX, CustomerLinks
from streams.identity.member import on_customer
from streams.identity.rules import IdentityRules
from tests.identity.build import PUBLIC, event
from tests.identity.network import Log
from tests.node.cluster import Cluster, interaction, policy

T0 = 10 * HOUR
Said = dict[str, list[dict[str, Any]]]


def _feed(cluster: Cluster, one: Event, now: int) -> None:
    cluster.wake(now)
    value = interaction(one, PUBLIC)
    claim = claim_of_event(one, public=one.thread in PUBLIC, blocked=frozenset())
    cluster.feed(f"interactions.{value['channel']}", claim.key, value, now)
    cluster.run()


def _said(cluster: Cluster) -> Said:
    """The escalations by id, in order of their revisions, which are consecutive; one is sent twice only as it was."""
    said: Said = defaultdict(list)
    for (id_, _), record in sorted(cluster.escalations().items()):
        said[id_].append(record)
    for revisions in said.values():
        assert [record["revision"] for record in revisions] == list(range(1, len(revisions) + 1))
    return said


@pytest.mark.parametrize("crashes", [0, 8])
@pytest.mark.parametrize("seed", range(8))
def test_an_event_takes_its_escalation_along_to_its_author(seed: int, crashes: int) -> None:
    """A follow-up by nobody named breaches, and then proves to be another's: the same escalation, nobody paged again."""
    cluster = Cluster(3, Random(seed), policy(), crashes=crashes)
    for one, now in (
        (event("a", "handle:jo", thread="s1", at=T0), T0),
        (event("ra", thread="s1", at=T0 + 5 * MINUTE, kind="reply", actor="agent", reply_to="a"), T0 + 5 * MINUTE),
        (event("rb", thread="s1", at=T0 - 5 * MINUTE, kind="reply", actor="agent", reply_to="b"), T0 + 5 * MINUTE),
        (event("more", thread="s1", at=T0 + 10 * MINUTE), T0 + 10 * MINUTE),
    ):
        _feed(cluster, one, now)
    cluster.wake(T0 + 2 * HOUR)
    jo = [s.live for s in cluster.customers().values() if s.live and "a" in s.live.log]
    assert [customer.id for customer in jo if "more" in customer.log]
    _feed(cluster, event("b", "handle:sam", thread="s1", at=T0 - 10 * MINUTE), T0 + 3 * HOUR)
    cluster.wake(T0 + 3 * HOUR + MINUTE)
    cluster.run()
    (sam,) = [s.live for s in cluster.customers().values() if s.live and "b" in s.live.log]
    assert "more" in sam.log
    waits = [records for records in _said(cluster).values() if records[0]["metric"] == "next_response"]
    assert [record["change"] for record in waits[0]] == ["opened", *["updated"] * (len(waits[0]) - 1)]
    assert len(waits) == 1
    assert waits[0][0]["customer_id"] == jo[0].id
    assert waits[0][-1]["customer_id"] == sam.id


@pytest.mark.parametrize("seed", range(40))
def test_a_history_that_comes_twice_is_taken_once(seed: int) -> None:
    """An event moves to its thread's customer with a breach; crashes deliver it again, and nothing is said twice."""
    cluster = Cluster(3, Random(seed), policy(), crashes=8)
    _feed(cluster, event("a", "customer_id:A", thread="t1", at=T0), T0)
    _feed(cluster, event("ra", thread="t1", kind="reply", actor="agent", at=T0 + MINUTE), T0 + MINUTE)
    _feed(cluster, event("late", "customer_id:B", thread="t1", at=T0 + 10 * MINUTE), T0 + 2 * HOUR)
    cluster.wake(T0 + 3 * HOUR)
    (owner,) = [s.live for s in cluster.customers().values() if s.live and "late" in s.live.log]
    assert {"a", "ra", "late"} == {one.id for one in owner.log}
    said = _said(cluster)
    assert {id_ for id_, records in said.items() if records[-1]["status"] == "open"} == {
        standing.id for standing in owner.emitted.standing
    }
    assert all(record["status"] != "resolved" for records in said.values() for record in records[:-1])


def test_what_has_come_is_not_remembered_without_end() -> None:
    """Customers that become one forget the oldest of what each had heard, and keep the newest."""
    links = CustomerLinks("cus_1.0", "email:a@x")
    for giver in range(4):
        other = CustomerLinks(f"cus_{giver + 2}.0", f"email:{giver}@x")
        other.note_heard(f"{giver}/{number}" for number in range(HEARD_MAX))
        message = {"t": "absorb", "c": links.id, "from": other.id, "b": other.born_with, "l": other.encode(), "h": []}
        on_customer(links, message, Log(links, {}), Limits(IdentityRules()))
        assert len(links.heard) == HEARD_MAX
        assert not links.first_time(f"{giver}/{HEARD_MAX - 1}")
