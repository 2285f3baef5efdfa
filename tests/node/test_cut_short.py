"""More to say of a customer than is said at a time: the rest is said the next time, for the same reasons."""

from random import Random
from typing import Any

import pytest

from schemas.times import HOUR, MINUTE, format_time
from tests.node.cluster import Cluster, policy

T0 = 500_000 * HOUR
PERSON = [{"type": "email", "value": "p@x"}]
RULES: dict[str, Any] = {"targets": [{"first_response": "1h"}], "patterns": {"ignored": "off"}}
THREADS = 4


def contact(number: int) -> dict[str, Any]:
    at = format_time(T0 + number * MINUTE)
    thread = {"thread": f"t{number}", "occurred_at": at, "channel": "chat"}
    return {"id": f"c{number}", "kind": "contact", "identities": PERSON, **thread}


def reply(number: int) -> dict[str, Any]:
    """In time, and known of hours later."""
    thread = {"thread": f"t{number}", "occurred_at": format_time(T0 + 30 * MINUTE), "channel": "chat"}
    return {"id": f"r{number}", "kind": "reply", "actor": {"type": "agent", "id": "agent-1"}, **thread}


def standing() -> Cluster:
    """A customer with a breach on each of some threads, all of them said."""
    cluster = Cluster(1, Random(1), policy(**RULES))
    cluster.now = T0
    for number in range(THREADS):
        cluster.feed("interactions.chat", "email:p@x", contact(number), T0 + number * MINUTE)
    cluster.run()
    cluster.pass_time(T0 + 3 * HOUR)
    said = [record for record in cluster.escalations().values() if record.get("phase") == "breached"]
    assert len(said) == THREADS
    return cluster


def turn_by_turn(cluster: Cluster, *, restarted: bool) -> list[tuple[str, bool]]:
    """Let the rest be said, with a restart before that or without; reasons, and what was taken back."""
    if restarted:
        cluster.restart()
    (node,) = cluster.nodes
    turns = 0
    while node.next_wake is not None and node.next_wake <= cluster.now + 1:
        cluster.now += 1
        assert turns < 50, "it ends"
        assert cluster._publish(0, node.wake(cluster.now))
        turns += 1
    assert turns >= THREADS - 2, "it was said in parts"
    said = [
        record for record in cluster.escalations().values() if (record["kind"], record["change"]) == ("sla", "resolved")
    ]
    return sorted((record["reason"], record.get("retracted", False)) for record in said)


@pytest.mark.parametrize("restarted", [False, True])
def test_evidence_that_came_late_takes_all_back(monkeypatch: pytest.MonkeyPatch, restarted: bool) -> None:
    """Answers that were in time, and were known late: every escalation is taken back, those that are told later too."""
    monkeypatch.setattr("streams.reconcile.AT_ONCE_BYTES", 1)
    cluster = standing()
    for number in range(THREADS):
        cluster.feed("interactions.chat", f"thread:t{number}", reply(number), cluster.now)
    records = [record for topic in cluster.queues[0].values() for record in topic]
    assert cluster._publish(0, cluster.nodes[0].handle(records, cluster.now))
    assert turn_by_turn(cluster, restarted=restarted) == [("late_evidence", True)] * THREADS
