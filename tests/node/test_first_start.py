"""A first start over a backlog: what was over pages nobody, what stands is said once, and the facts are replay's."""

from random import Random
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.codec import loads
from schemas.times import DAY, HOUR, MINUTE, SECOND, format_time, parse_time
from streams.backlog import MARK
from streams.compare import compare
from streams.replay import Line
from tests.compare.replayed import POLICY, replayed, simulated
from tests.node.cluster import Cluster, policy
from tests.node.first_start import append, begin, end, live, paged, run_of
from tests.node.test_storms import contact, reply

T0 = 10 * HOUR
NOTIFY = {"group_wait": "30s", "group_interval": "5m", "repeat_interval": "4h"}


def over_and_standing(cluster: Cluster, start: int) -> None:
    """Two contacts wait since T0, both long overdue; one was answered 3 h later. The first start is at `start`."""
    cluster.now = T0
    begin(cluster, start)
    append(cluster, [Line(T0, "interactions", contact(n, T0)) for n in (1, 2)])
    cluster.run()
    cluster.pass_time(T0 + 2 * HOUR)  # where time follows the records, it passes the deadlines before the answer
    append(cluster, [Line(T0 + 3 * HOUR, "interactions", reply(1, T0 + 3 * HOUR))])
    cluster.run()
    cluster.pass_time(start)


def by_thread(cluster: Cluster) -> dict[str, list[tuple[str, bool]]]:
    """Change and `backlog` flag of the revisions about first responses, by thread."""
    found: dict[str, list[tuple[str, bool]]] = {}
    for _, record in sorted(cluster.escalations().items(), key=lambda item: item[0][1]):
        if record.get("metric") == "first_response":
            found.setdefault(record["thread"], []).append((record["change"], record["backfilled"]))
    return found


@pytest.mark.parametrize("crashes", [0, 30])
def test_what_is_over_is_on_record_and_pages_nobody(crashes: int) -> None:
    """Of two overdue contacts the answered one is opened and resolved together; the other is opened once, and paged."""
    start = T0 + 4 * HOUR
    rules = policy(targets=[{"first_response": "1h"}], patterns={"ignored": "off"}, notify=NOTIFY)
    cluster = Cluster(3, Random(7), rules, crashes=crashes)
    over_and_standing(cluster, start)
    assert not cluster.escalations(), "something was said before the backlog was over"
    end(cluster, start + SECOND)
    cluster.pass_time(start + HOUR)
    assert by_thread(cluster) == {"t1": [("opened", True), ("resolved", True)], "t2": [("opened", False)]}
    ids = {record["thread"]: id_ for (id_, _), record in cluster.escalations().items()}
    assert paged(cluster) == {ids["t2"]}
    (standing,) = [r for r in cluster.escalations().values() if r["thread"] == "t2"]
    assert standing["breached_at"] == format_time(T0 + HOUR)
    assert standing["detection_lag_s"] == 3 * 3600 + 1


def test_without_a_backlog_both_are_paged() -> None:
    """The same records at their own times: each deadline is said when it passes."""
    rules = policy(targets=[{"first_response": "1h"}], patterns={"ignored": "off"}, notify=NOTIFY)
    cluster = Cluster(3, Random(7), rules)
    values = [(T0, contact(1, T0)), (T0, contact(2, T0)), (T0 + 3 * HOUR, reply(1, T0 + 3 * HOUR))]
    live(cluster, [Line(at, "interactions", value) for at, value in values], T0 + 5 * HOUR)
    assert len(paged(cluster)) == 2


def test_a_restart_goes_on_in_the_backlog_and_behind_it() -> None:
    """Nodes made anew say nothing before the end; made anew right after it, they settle everybody."""
    start = T0 + 4 * HOUR
    rules = policy(targets=[{"first_response": "1h"}], patterns={"ignored": "off"})
    cluster = Cluster(2, Random(3), rules)
    over_and_standing(cluster, start)
    cluster.restart()
    assert [node.backlog for node in cluster.nodes] == [start, start]
    cluster.pass_time(start)
    assert not cluster.escalations()
    for number, node in enumerate(cluster.nodes):
        cluster._publish(number, node.end_backlog())
    cluster.restart()
    assert [node.backlog for node in cluster.nodes] == [None, None]
    cluster.pass_time(start + SECOND)
    assert set(by_thread(cluster)) == {"t1", "t2"}
    assert all(loads(store["aggregates"][MARK])["s"] is None for store in cluster.stores), "kept: it was the only one"


@pytest.mark.parametrize(("most", "expected"), [(500, [500, 500, 100]), (125, [*8 * [125], 100])])
def test_customers_are_settled_some_at_a_time(most: int, expected: list[int]) -> None:
    """Behind the backlog of many customers a turn looks at as many of them as it is told, and none is left out."""
    cluster = Cluster(1, Random(1), policy(targets=[{"first_response": "1h"}], patterns={"ignored": "off"}))
    cluster.now = T0
    begin(cluster, T0 + 4 * HOUR)
    append(cluster, [Line(T0, "interactions", contact(n, T0)) for n in range(1_100)])
    cluster.run()
    (node,) = cluster.nodes
    counts = node.end_backlog()
    assert counts.counts == {"backlog_customers": 1_100}
    cluster._publish(0, counts)
    turns = []
    cluster.now = T0 + 4 * HOUR
    while node.next_wake is not None and node.next_wake <= cluster.now:
        effects = node.wake(cluster.now, most=most)
        turns.append(sum(1 for table, _, _ in effects.writes if table == "customers"))
        cluster._publish(0, effects)
    assert [turn for turn in turns if turn] == expected
    assert len(by_thread(cluster)) == 1_100


def test_a_history_too_long_is_put_on_record_before_it_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody with more events than a history holds: what was over in the part that goes is backfilled all the same."""
    monkeypatch.setattr("streams.batch.EVENTS_MAX", 80)
    cluster = Cluster(1, Random(2), policy(targets=[{"first_response": "1m"}], patterns={"ignored": "off"}))
    person = [{"type": "email", "value": "p@x"}]
    begin(cluster, T0 + 200 * HOUR)
    for number in range(100):
        at = T0 + number * HOUR
        cluster.now = at
        for value in (contact(number, at), reply(number, at + 2 * MINUTE)):
            append(cluster, [Line(at + 2 * MINUTE, "interactions", {**value, "identities": person})])
        if number % 10 == 9:
            cluster.run()
    assert cluster.counts["events_let_go"] > 0
    end(cluster, T0 + 200 * HOUR)
    found = by_thread(cluster)
    assert set(found) == {f"t{n}" for n in range(100)}
    assert set(map(tuple, found.values())) == {(("opened", True), ("resolved", True))}


def settled(cluster: Cluster) -> list[int]:
    """End the backlog of the one node, and settle all; the sizes (bytes) of the customers' values that it wrote."""
    (node,) = cluster.nodes
    cluster._publish(0, node.end_backlog())
    sizes = []
    while node.next_wake is not None and node.next_wake <= cluster.now:
        effects = node.wake(cluster.now)
        sizes += [len(value) for table, _, value in effects.writes if table == "customers" and value is not None]
        cluster._publish(0, effects)
        cluster.now += 1
    return sizes


def test_much_is_said_a_part_at_a_time() -> None:
    """Somebody with hundreds of episodes behind them: all is said, in records of state that a broker takes."""
    cluster = Cluster(1, Random(2), policy(targets=[{"first_response": "1m"}], patterns={"ignored": "off"}))
    person = [{"type": "email", "value": "p@x"}]
    begin(cluster, T0 + 200 * HOUR)
    for number in range(150):
        at = T0 + number * HOUR
        for value in (contact(number, at), reply(number, at + 2 * MINUTE)):
            append(cluster, [Line(at + 2 * MINUTE, "interactions", {**value, "identities": person})])
    cluster.now = T0
    cluster.run()
    cluster.now = T0 + 200 * HOUR
    sizes = settled(cluster)
    assert len(sizes) > 2
    assert max(sizes) < 1024 * 1024
    found = by_thread(cluster)
    assert set(found) == {f"t{n}" for n in range(150)}
    assert set(map(tuple, found.values())) == {(("opened", True), ("resolved", True))}


def command(number: int, at: int, record: dict[str, Any], action: str) -> Line:
    """A command on the escalation that a record tells of."""
    value = {"id": f"c{number}", "at": format_time(at), "by": "kim", "action": action}
    names = {name: record[name] for name in ("customer_id", "escalation_id")}
    return Line(at, "escalations.commands", {**value, **names})


@pytest.mark.parametrize("crashes", [0, 30])
def test_commands_wait_for_the_end(crashes: int) -> None:
    """An acknowledgement stops what still stands; one of what is over by now is neither obeyed nor set aside."""
    rules = policy(targets=[{"first_response": "1h"}], patterns={"ignored": "off"}, notify=NOTIFY)
    values = [(T0, contact(1, T0)), (T0, contact(2, T0)), (T0 + 3 * HOUR, reply(1, T0 + 3 * HOUR))]
    lines = [Line(at, "interactions", value) for at, value in values]
    elsewhere = Cluster(3, Random(5), rules)
    live(elsewhere, lines, T0 + 3 * HOUR)
    said = [r for r in elsewhere.escalations().values() if r.get("phase") == "breached" and r["status"] == "open"]
    orders = [command(n, T0 + 2 * HOUR, record, "acknowledge") for n, record in enumerate(said)]
    unknown = {"customer_id": said[0]["customer_id"], "escalation_id": "esc_unknown"}
    orders.append(command(9, T0 + 2 * HOUR, unknown, "acknowledge"))
    cluster = Cluster(3, Random(6), rules, crashes=crashes)
    cluster.now = T0
    begin(cluster, T0 + 4 * HOUR)
    append(cluster, lines[:2])
    cluster.run()
    append(cluster, orders + lines[2:])
    cluster.run()
    assert not cluster.dead
    end(cluster, T0 + 4 * HOUR)
    cluster.pass_time(T0 + 4 * HOUR + 10 * MINUTE)
    found = by_thread(cluster)
    assert found["t1"] == [("opened", True), ("resolved", True)]
    assert found["t2"] == [("opened", False), ("acknowledged", False)]
    assert {dead.reason for dead in cluster.dead} == {"unknown_escalation"}
    assert len({dead.record.value for dead in cluster.dead}) == 1
    assert not paged(cluster), "what was taken over in the backlog pages nobody"
    assert not any(key.startswith(MARK + b"/") for store in cluster.stores for key in store["aggregates"])


def test_commands_wait_until_all_is_said_that_they_may_be_about() -> None:
    """Of somebody with hundreds of episodes what stands is said last: it is acknowledged, in records a broker takes."""
    rules = policy(targets=[{"first_response": "1m"}], patterns={"ignored": "off"}, notify=NOTIFY)
    last = T0 + 150 * HOUR
    lines = [Line(at, "interactions", contact(number, at)) for number, at in enumerate(range(T0, last + 1, HOUR))]
    lines += [
        Line(line.arrived_at + 2 * MINUTE, "interactions", reply(n, line.arrived_at + 2 * MINUTE))
        for n, line in enumerate(lines[:-1])
    ]
    for line in lines:
        line.value["identities"] = [{"type": "email", "value": "p@x"}]

    def begun() -> Cluster:
        cluster = Cluster(1, Random(2), rules)
        begin(cluster, last + HOUR)
        append(cluster, lines)
        cluster.run()
        return cluster

    elsewhere = begun()
    end(elsewhere, last + HOUR)
    elsewhere.pass_time(last + HOUR + MINUTE)
    (stands,) = (r for r in elsewhere.escalations().values() if r["kind"] == "sla" and not r["backfilled"])
    named = [*({**stands, "escalation_id": f"esc_unknown{n}"} for n in range(8)), stands]
    cluster = begun()
    append(cluster, [command(n, last + n * MINUTE, record, "acknowledge") for n, record in enumerate(named)])
    cluster.run()
    cluster.now = last + HOUR
    sizes = settled(cluster)
    assert max(sizes) < 1024 * 1024
    assert by_thread(cluster)["t150"] == [("opened", False), ("acknowledged", False)]
    assert {dead.reason for dead in cluster.dead} == {"unknown_escalation"}
    assert len(cluster.dead) == 8


def test_an_issue_that_a_command_closed_was_closed_then() -> None:
    """A lapsed issue resolved by a command in the backlog, and taken up again later: the episodes of replay."""
    rules = policy(targets=[], issues={"quiet_after": "48h"})
    first = [Line(T0, "interactions", contact(1, T0))]
    elsewhere = Cluster(2, Random(5), rules)
    live(elsewhere, first, T0 + 3 * DAY)
    (said,) = [r for (_, n), r in elsewhere.escalations().items() if n == 1]
    closed = command(1, T0 + 3 * DAY, said, "resolve")
    later = T0 + 4 * DAY
    again = {**contact(1, later), "id": "again"}
    lines = [
        *first,
        closed,
        Line(later, "interactions", again),
        Line(later + HOUR, "interactions", reply(1, later + HOUR)),
    ]
    live(elsewhere, lines[1:], later + 2 * HOUR)
    cluster = Cluster(2, Random(6), rules)
    begin(cluster, later + 2 * HOUR)
    cluster.now = T0
    append(cluster, lines)
    cluster.run()
    end(cluster, later + 2 * HOUR)
    verdict = compare(run_of(elsewhere), run_of(cluster))
    assert verdict.agree, verdict.as_record()
    (fact, *_) = run_of(cluster).episodes()
    assert fact["ended_by"] == "command", fact
    assert not cluster.dead


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 2**32), st.floats(0.1, 1), st.integers(1, 4))
def test_any_split_into_backlog_and_live_gives_the_facts_of_replay(seed: int, share: float, partitions: int) -> None:
    """Whatever part of a simulated week was there before the first start, and whatever crashes: replay's facts.

    Of the backlog everything is said at the end, once: what is over is backfilled and in no notification, what stands
    is open.
    """
    random = Random(seed)
    lines = simulated(seed % 1000, customers=8, days=3)
    cut = max(1, int(len(lines) * share))
    start = lines[cut - 1].arrived_at + random.randrange(6 * HOUR) + 1
    later = [line for line in lines[cut:] if line.arrived_at > start]
    backlog = lines[: len(lines) - len(later)]
    until = max(start, lines[-1].arrived_at) + DAY
    cluster = Cluster(partitions, random, POLICY, crashes=10)
    begin(cluster, start)
    for line in backlog:
        cluster.now = line.arrived_at  # time follows the backlog, or has not begun
        append(cluster, [line])
        if random.random() < 0.1:
            cluster.run()
    cluster.run()
    assert not cluster.escalations()
    end(cluster, start)
    verdict = compare(replayed(backlog, start), run_of(cluster))
    assert verdict.agree, verdict.as_record()
    said = cluster.escalations()
    over = {id_ for (id_, _), record in said.items() if record["status"] == "resolved"}
    assert over == {id_ for (id_, _), record in said.items() if record["backfilled"]}
    assert {parse_time(record["detected_at"]) for record in said.values()} <= {start}
    before = [record for record in replayed(backlog, start).episodes() if record["end"] is not None]
    assert not before or over
    live(cluster, later, until)
    verdict = compare(replayed([*backlog, *later], until), run_of(cluster))
    assert verdict.agree, verdict.as_record()
    assert not over & paged(cluster)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 2**32), st.integers(2, 4))
def test_partitions_that_begin_and_end_at_times_of_their_own(seed: int, partitions: int) -> None:
    """Some partitions are live while others are in their backlog, and histories go to and fro: replay's facts.

    Two workers, a rebalance in the midst, a partition that was new to a deployment that runs: each is a case of this.
    """
    _at_times_of_their_own(Random(seed), simulated(seed % 1000, customers=8, days=3), partitions)


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 2**32), st.integers(1, 4))
def test_however_little_is_said_at_a_time(seed: int, partitions: int) -> None:
    """One revision, or a few, at a time, and crashes between them: replay's facts."""
    with patch("streams.reconcile.AT_ONCE_BYTES", 1 + seed % 10_000):
        _at_times_of_their_own(Random(seed), simulated(seed % 1000, customers=8, days=3), partitions)


def _at_times_of_their_own(random: Random, lines: list[Line], partitions: int) -> None:
    cluster = Cluster(partitions, random, POLICY, crashes=10)
    cluster.now = lines[0].arrived_at
    ends = {number: random.choice(lines).arrived_at for number in range(partitions) if random.random() < 0.7}
    for number, at in ends.items():
        while cluster.nodes[number].backlog is None:
            cluster._publish(number, cluster.nodes[number].begin_backlog(at))
    for line in lines:
        for number in [number for number, at in ends.items() if at <= line.arrived_at]:
            del ends[number]
            end(cluster, line.arrived_at, [number])
        live(cluster, [line], line.arrived_at)
    cluster.pass_time(lines[-1].arrived_at + DAY)
    verdict = compare(replayed(lines, cluster.now), run_of(cluster))
    assert verdict.agree, verdict.as_record()
    for (id_, number), record in cluster.escalations().items():
        assert number == 1 or (id_, number - 1) in cluster.escalations(), record
