"""Copies of an event that differ, which a source should not send: the first to arrive counts, whatever comes first."""

from random import Random
from typing import Any

import pytest

from schemas.times import HOUR, MINUTE, format_time
from streams.customer import Customer
from streams.facts import clock_records
from tests.node.cluster import Cluster, policy

T0 = 10 * HOUR
GRACE = 15 * MINUTE
"""What a promise may be late by, where the policy says nothing."""
WHO = {"type": "phone", "value": "+4930123456"}


def _event(id_: str, kind: str, thread: str, **more: Any) -> dict[str, Any]:
    said = {"channel": "chat", "kind": kind, "thread": thread, "identities": [WHO]}
    return {"id": id_, "occurred_at": format_time(T0), **said, **more}


def _promise(due_at: int, thread: str) -> dict[str, Any]:
    return _event("p", "promise", thread, actor={"type": "agent"}, data={"due_at": format_time(due_at)})


def _take(cluster: Cluster, value: dict[str, Any], arrived_at: int) -> None:
    cluster.now = max(cluster.now, arrived_at)
    cluster.feed(f"interactions.{value['channel']}", f"phone:{WHO['value']}", value, arrived_at)
    cluster.run()


def _customer(cluster: Cluster) -> Customer:
    (live,) = (stored.live for stored in cluster.customers().values() if stored.live is not None)
    return live


@pytest.mark.parametrize("public", [False, True])
@pytest.mark.parametrize("crashes", [0, 5])
def test_of_two_copies_the_first_to_arrive_counts(crashes: int, public: bool) -> None:
    """The clock of a promise whose second copy has overtaken the first runs to what that says; the others change nothing."""
    for seed in range(10):
        cluster = Cluster(4, Random(seed), policy(), crashes=crashes)
        more = {"channel": "social"} if public else {}
        _take(cluster, _event("c", "contact", "t", **more), T0)
        for minutes, hours in ((3, 5), (1, 2), (2, 3), (3, 5), (1, 2)):
            _take(cluster, _promise(T0 + hours * HOUR, "t") | more, T0 + minutes * MINUTE)
        clocks = clock_records(_customer(cluster), cluster.kit.policies, cluster.now)
        due_at = format_time(T0 + 2 * HOUR + GRACE)
        assert [clock["due_at"] for clock in clocks if clock["metric"] == "promise"] == [due_at]


def test_a_merge_of_two_logs_keeps_the_copy_that_arrived_first() -> None:
    """Whoever takes over whom."""
    logs = []
    for hours, arrived_at in ((2, T0 + 1), (3, T0 + 2)):
        cluster = Cluster(1, Random(1), policy())
        _take(cluster, _promise(T0 + hours * HOUR, "t"), arrived_at)
        logs.append(_customer(cluster).encode())
    for one, other in (logs, reversed(logs)):
        customer = Customer.decode(one)
        customer.absorb(Customer.decode(other))
        assert [event.data["due_at"] for event in customer.log] == [format_time(T0 + 2 * HOUR)]
