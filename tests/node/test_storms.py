"""Storms over partitions: groups that page once, hotspots of a topic, and commands on them."""

from random import Random
from typing import Any

import pytest

from schemas.codec import dumps_canonical, loads
from schemas.escalation import validate_escalation
from schemas.notification import validate_notification
from schemas.times import HOUR, MINUTE, SECOND, format_time, parse_time
from streams.aggregates import kept
from streams.door import AGGREGATE_INBOX
from streams.replay import Line, Outcome, Replay
from tests.node.cluster import Cluster, policy

T0 = 10 * HOUR


@pytest.fixture(autouse=True)
def _in_two_records(monkeypatch: pytest.MonkeyPatch) -> None:
    """All of it is stored whole now and then only, as where there is very much of it."""
    monkeypatch.setattr(kept, "SMALL", 0)
    monkeypatch.setattr(kept, "CHANGES_MAX", 10.0)


NOTIFY = {"group_wait": "30s", "group_interval": "5m", "repeat_interval": "4h"}


def contact(number: int, at: int, **more: Any) -> dict[str, Any]:
    """A first contact of a customer of their own."""
    return {
        "id": f"e{number}",
        "occurred_at": format_time(at),
        "channel": "chat",
        "kind": "contact",
        "identities": [{"type": "email", "value": f"p{number}@x"}],
        "thread": f"t{number}",
        **more,
    }


def reply(number: int, at: int) -> dict[str, Any]:
    """An agent's answer to it, which solves it."""
    data = {"status": "solved"}
    return {**contact(number, at), "id": f"r{number}", "kind": "status", "actor": {"type": "agent"}, "data": data}


def feed(cluster: Cluster, values: list[dict[str, Any]], at: int) -> None:
    """Give the records to the cluster, and have it take them in."""
    cluster.now = at
    for value in values:
        cluster.feed(f"interactions.{value['channel']}", f"email:{value['identities'][0]['value']}", value, at)
    cluster.run()


@pytest.mark.parametrize("crashes", [0, 40])
def test_five_hundred_breaches_page_at_most_twice(crashes: int) -> None:
    """500 breaches of one group within a minute, on any partition: 500 escalations, two notifications in 5.5 minutes."""
    rules = policy(targets=[{"first_response": "1h"}], notify=NOTIFY, hotspots={"customers": 10_000})
    cluster = Cluster(4, Random(crashes), rules, crashes=crashes)
    for second in range(50):
        feed(cluster, [contact(second * 10 + n, T0 + second * SECOND) for n in range(10)], T0 + second * SECOND)
    cluster.crashes = crashes
    cluster.pass_time(T0 + HOUR + MINUTE * 11 // 2)
    breached = {r["escalation_id"] for r in cluster.told("escalations") if r.get("phase") == "breached"}
    assert len(breached) == 500
    notes = cluster.told("notifications")
    assert [note["change"] for note in notes] == ["first", "more"]
    assert notes[-1]["count"] == 500
    for note in notes:
        validate_notification(note)
    cluster.pass_time(T0 + 6 * HOUR)
    assert cluster.told("notifications")[2]["change"] == "repeat"


def test_timers_that_run_at_once_tell_a_group_in_few_messages() -> None:
    """300 breaches at one instant, on one partition: five messages, one by itself as ever, and a page of 301."""
    rules = policy(targets=[{"first_response": "1h"}], notify=NOTIFY, hotspots={"customers": 10_000})
    cluster = Cluster(1, Random(1), rules)
    feed(cluster, [*(contact(n, T0) for n in range(300)), contact(300, T0 + SECOND)], T0 + SECOND)
    told, counts = _told_pages(cluster, T0 + HOUR)
    assert [len(message["ms"]) for message in told] == [64, 64, 64, 64, 44]
    assert counts["sent_aggregate_storm"] == 300
    cluster.restart()  # what was told above has not been published
    cluster.pass_time(T0 + HOUR)
    (alone,), _ = _told_pages(cluster, T0 + HOUR + SECOND)
    assert alone["m"]["id"].startswith("esc_")
    cluster.restart()
    cluster.pass_time(T0 + HOUR + MINUTE)
    assert [note["count"] for note in cluster.told("notifications")] == [301]


def _told_pages(cluster: Cluster, now: int) -> tuple[list[dict[str, Any]], dict[str, int]]:
    """What the only node would tell groups at this time, and what it would count."""
    effects = cluster.nodes[0].wake(now)
    told = [loads(send.value or b"") for send in effects.sends if send.topic == AGGREGATE_INBOX]
    return [message for message in told if message["k"].startswith("page/")], effects.counts


def test_a_group_is_resolved_when_nobody_is_left() -> None:
    """When the last of a group is solved, on whatever partition, its group hears of it."""
    cluster = Cluster(4, Random(2), policy(targets=[{"first_response": "1h"}], notify=NOTIFY), crashes=10)
    feed(cluster, [contact(n, T0) for n in range(12)], T0)
    cluster.pass_time(T0 + 2 * HOUR)
    feed(cluster, [reply(n, T0 + 2 * HOUR) for n in range(11)], T0 + 2 * HOUR)
    cluster.pass_time(T0 + 3 * HOUR)
    assert [note["change"] for note in cluster.told("notifications")] == ["first"]
    feed(cluster, [reply(11, T0 + 3 * HOUR)], T0 + 3 * HOUR)
    cluster.pass_time(T0 + 4 * HOUR)
    assert [note["change"] for note in cluster.told("notifications")] == ["first", "resolved"]


def test_who_is_one_by_a_merge_leaves_as_one() -> None:
    """What was paged of two customers goes with them when they are one: solved, their group is resolved."""
    for seed in range(6):
        cluster = Cluster(4, Random(seed), policy(targets=[{"first_response": "1h"}], notify=NOTIFY))
        feed(cluster, [contact(n, T0 + n) for n in range(2)], T0 + 2)
        cluster.pass_time(T0 + 2 * HOUR)
        pair = {"a": {"type": "email", "value": "p0@x"}, "b": {"type": "email", "value": "p1@x"}}
        record = {"id": "l", "occurred_at": format_time(cluster.now), "action": "link", **pair}
        cluster.crashes = 10
        cluster.feed("identities.links", "l", record, cluster.now)
        cluster.run()
        feed(cluster, [reply(n, cluster.now) for n in range(2)], cluster.now)
        cluster.pass_time(T0 + 3 * HOUR)
        assert [note["change"] for note in cluster.told("notifications")] == ["first", "resolved"], seed


def hot(cluster: Cluster) -> list[dict[str, Any]]:
    """The revisions of hotspots, in order."""
    return [record for record in cluster.told("escalations") if record["kind"] == "hotspot"]


def command(cluster: Cluster, escalation_id: str, action: str, number: int, **more: Any) -> None:
    """What `mindgap ack` and its like send for a hotspot."""
    value = {
        "id": f"c{number}",
        "at": format_time(cluster.now),
        "customer_id": escalation_id,
        "escalation_id": escalation_id,
        "action": action,
        "by": "sam",
        **more,
    }
    cluster.feed("escalations.commands", escalation_id, value, cluster.now)
    cluster.run()


@pytest.mark.parametrize("crashes", [0, 40])
def test_a_hotspot_over_all_partitions(crashes: int) -> None:
    """20 customers of one topic open a hotspot; it is notified, acknowledged by its id, and ends with them."""
    rules = policy(targets=[{"first_response": "1h"}], notify=NOTIFY, ack_timeout="0s")
    cluster = Cluster(4, Random(crashes + 3), rules, crashes=crashes)
    feed(cluster, [contact(n, T0, topic="outage") for n in range(20)], T0)
    feed(cluster, [contact(n, T0, topic="billing") for n in range(20, 39)], T0)
    cluster.pass_time(T0 + HOUR + MINUTE)
    (opened,) = hot(cluster)
    assert (opened["topic"], opened["change"], len(opened["evidence"])) == ("outage", "opened", 20)
    cases = {record["escalation_id"] for record in cluster.told("escalations") if record["kind"] == "sla"}
    assert set(opened["evidence"]) <= cases
    validate_escalation(opened)
    assert any(note["group_key"].startswith("kind=hotspot") for note in cluster.told("notifications"))
    command(cluster, opened["escalation_id"], "acknowledge", 1)
    command(cluster, opened["escalation_id"], "acknowledge", 1)
    assert [record["change"] for record in hot(cluster)] == ["opened", "acknowledged"]
    feed(cluster, [reply(n, cluster.now) for n in range(3)], cluster.now)
    assert [record["change"] for record in hot(cluster)] == ["opened", "acknowledged", "resolved"]
    assert cluster.dead == []
    command(cluster, opened["escalation_id"], "resolve", 2)
    command(cluster, "esc_unknown", "resolve", 3)
    reasons = {(dead.reason, dead.record.topic) for dead in cluster.dead}
    assert reasons == {("unknown_escalation", "escalations.commands")}
    assert len({dead.record.value for dead in cluster.dead}) == 2
    assert all(len(store["aggregates"]) < 20 for store in cluster.stores)


@pytest.mark.parametrize("crashes", [0, 30])
def test_every_command_reaches_the_hotspot(crashes: int) -> None:
    """Silenced until a time it is told again then; resolved by its id it is over, and stays so while its cases last."""
    rules = policy(targets=[{"first_response": "1h"}], notify=NOTIFY, ack_timeout="0s", hotspots={"customers": 5})
    for seed in range(4):
        cluster = Cluster(4, Random(crashes + seed), rules, crashes=crashes)
        feed(cluster, [contact(n, T0, topic="outage") for n in range(5)], T0)
        cluster.pass_time(T0 + HOUR + MINUTE)
        (opened,) = hot(cluster)
        id_ = opened["escalation_id"]
        cluster.crashes = crashes
        command(cluster, id_, "acknowledge", 1)
        command(cluster, id_, "suppress", 2, until=format_time(cluster.now + HOUR))
        cluster.pass_time(cluster.now + HOUR + SECOND)
        command(cluster, id_, "suppress", 3)
        command(cluster, id_, "unsuppress", 4)
        command(cluster, id_, "resolve", 5)
        cluster.pass_time(cluster.now + HOUR)
        changes = [record["change"] for record in hot(cluster)]
        assert changes == [
            "opened",
            "acknowledged",
            "suppressed",
            "unsuppressed",
            "suppressed",
            "unsuppressed",
            "resolved",
        ], seed
        assert [record["revision"] for record in hot(cluster)] == list(range(1, 8))
        assert hot(cluster)[-1]["reason"] == "command"
        assert cluster.dead == []


def test_a_new_policy_regroups_and_stops_paging() -> None:
    """Another `group_by` moves what is open; `paging: off` stops all of it until it is on again."""
    cluster = Cluster(3, Random(5), policy(targets=[{"first_response": "1h"}], notify=NOTIFY), crashes=20)
    feed(cluster, [contact(n, T0, topic="billing") for n in range(9)], T0)
    cluster.pass_time(T0 + HOUR + MINUTE)
    document = policy(
        targets=[{"first_response": "1h"}], version="2", notify={**NOTIFY, "group_by": ["topic"]}
    ).document
    cluster.take_policy(document, cluster.now)
    cluster.pass_time(T0 + 2 * HOUR)
    notes = [(note["group_key"], note["change"]) for note in cluster.told("notifications")]
    old, new = "kind=sla/topic=billing/channel=chat", "topic=billing"
    assert sorted(notes) == [(old, "first"), (old, "resolved"), (new, "first")]
    off = {**NOTIFY, "group_by": ["topic"], "paging": False, "reason": "drill"}
    cluster.take_policy(policy(targets=[{"first_response": "1h"}], version="3", notify=off).document, cluster.now)
    feed(cluster, [contact(n, cluster.now, topic="other") for n in range(20, 22)], cluster.now)
    cluster.pass_time(T0 + 5 * HOUR)
    assert len(cluster.told("notifications")) == 3
    on = policy(targets=[{"first_response": "1h"}], version="4", notify={**NOTIFY, "group_by": ["topic"]}).document
    cluster.take_policy(on, cluster.now)
    cluster.pass_time(T0 + 6 * HOUR)
    assert [(n["group_key"], n["count"]) for n in cluster.told("notifications")[3:]] in (
        [("topic=billing", 9), ("topic=other", 2)],
        [("topic=other", 2), ("topic=billing", 9)],
    )


def test_the_same_as_in_one_place() -> None:
    """Whatever the batches and the crashes: the hotspots and groups that `mindgap replay` tells, as often."""
    for seed in range(15):
        random = Random(seed)
        values = _storm(random)
        rules = policy(targets=[{"first_response": "1h"}], notify=NOTIFY, hotspots={"customers": 4})
        cluster = Cluster(random.randint(1, 4), random, rules, crashes=20)
        for at, group in values:
            cluster.crashes = max(cluster.crashes, 1)
            cluster.pass_time(at)
            feed(cluster, group, at)
        cluster.pass_time(T0 + 12 * HOUR)
        lines = [Line(at, "interactions", value) for at, group in values for value in group]
        outcomes = list(Replay(rules).run(lines, T0 + 12 * HOUR))
        assert _summed(cluster.told("notifications")) == _summed(_all(outcomes, "notifications")), seed
        spots = [record for record in _all(outcomes, "escalations") if record["kind"] == "hotspot"]
        assert _spots(hot(cluster)) == _spots(spots), seed


def _storm(random: Random) -> list[tuple[int, list[dict[str, Any]]]]:
    found: list[tuple[int, list[dict[str, Any]]]] = []
    for number in range(40):
        at = T0 + random.randrange(4 * 60) * MINUTE + number
        more = {"topic": random.choice(("a", "b")), "channel": random.choice(("chat", "social"))}
        found.append((at, [contact(number, at, **more)]))
        if random.random() < 0.7:
            later = at + random.randrange(10, 5 * 60) * MINUTE
            found.append((later, [{**reply(number, later), **more}]))
    return sorted(found, key=lambda each: each[0])


def _all(outcomes: list[Outcome], name: str) -> list[dict[str, Any]]:
    return [record for outcome in outcomes for record in getattr(outcome, name)]


def _summed(notes: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """Without the order of names, and by the second: a timer of an aggregate runs a millisecond late."""
    return sorted(
        (
            n["group_key"],
            parse_time(n["at"]) // SECOND,
            n["change"],
            n["count"],
            n["severity"],
            sorted(n["escalation_ids"]),
        )
        for n in notes
    )


def _spots(records: list[dict[str, Any]]) -> list[str]:
    """Whole, but for when exactly it was noticed: a message later."""
    late = ("detected_at", "detection_lag_s")
    return sorted(
        f"{parse_time(r['detected_at']) // SECOND} {dumps_canonical({k: v for k, v in r.items() if k not in late})!r}"
        for r in records
    )
