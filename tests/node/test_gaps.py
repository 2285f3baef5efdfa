"""Channel gaps over partitions: the records of one place at their last revision, whatever crashes."""

from random import Random
from typing import Any

from schemas.gap import validate_gap
from schemas.times import DAY, HOUR, MINUTE, format_time, parse_time
from streams.aggregates.gap_desk import GRACE
from streams.gaps import RETENTION
from streams.replay import Line, Replay
from tests.node.cluster import Cluster, policy
from tests.node.test_others import Value, link, post

T0 = 20 * DAY
RULES = policy(targets=[{"first_response": "1h"}], identities={"limits": {"email": 99}, "max": 1000})


def last(records: list[Value], until: int) -> dict[tuple[str, str], Value]:
    """By channel and window the record of the highest revision, of windows that ended by `until` (ms)."""
    newest: dict[tuple[str, str], Value] = {}
    for record in sorted(records, key=lambda each: each["revision"]):
        if parse_time(record["window_end"]) <= until:
            newest[record["channel"], record["window_start"]] = record
    return newest


def measures(records: dict[tuple[str, str], Value]) -> dict[tuple[str, str], Value]:
    """Without revisions; a window of which nothing is left says so."""
    plain = {key: {name: v for name, v in record.items() if name != "revision"} for key, record in records.items()}
    return {
        key: record
        for key, record in plain.items()
        if any(record[name] for name in ("contacts", "first_responses", "breached", "resolved"))
    }


def consecutive(records: list[Value]) -> bool:
    """Revisions of each window and channel count from 1, and one has one content."""
    by: dict[tuple[str, str], list[int]] = {}
    for record in records:
        by.setdefault((record["channel"], record["window_start"]), []).append(record["revision"])
    return all(sorted(numbers) == list(range(1, len(numbers) + 1)) for numbers in by.values())


def play(cluster: Cluster, values: list[tuple[int, Value]], until: int) -> None:
    """Let the records arrive, and time pass."""
    for at, value in values:
        cluster.pass_time(at)
        topic = "identities.links" if "action" in value else f"interactions.{value['channel']}"
        key = value["id"] if "action" in value else f"email:{value['identities'][0]['value']}"
        cluster.feed(topic, key, value, at)
        cluster.run()
    cluster.pass_time(until)


def lines(values: list[tuple[int, Value]]) -> list[Line]:
    """The same for a replay."""
    return [Line(at, "identities.links" if "action" in value else "interactions", value) for at, value in values]


def test_the_records_of_one_place() -> None:
    """Late events, merges and crashes on any number of partitions: every window's last revision is that of a replay."""
    told = 0
    for seed in range(8):
        random = Random(seed)
        values = some(random)
        cluster = Cluster(random.randint(1, 4), random, RULES, crashes=25)
        until = T0 + 3 * DAY
        play(cluster, values, until)
        whole = [gap for outcome in Replay(RULES).run(lines(values), until) for gap in outcome.gaps]
        live = cluster.told("channel-gaps")
        assert measures(last(live, until - GRACE)) == measures(last(whole, until - GRACE)), seed
        assert consecutive(live), seed
        told += len(live)
        for record in live:
            validate_gap(record)
    assert told > 150


def test_a_late_event_corrects_a_window() -> None:
    """An answer that arrives an hour late makes a second revision, also where all nodes were restarted meanwhile."""
    cluster = Cluster(3, Random(1), RULES)
    play(cluster, [(T0, post(1, 1, T0))], T0 + 2 * HOUR)
    (first,) = [gap for gap in cluster.told("channel-gaps") if gap["contacts"]]
    assert (first["revision"], first["first_responses"]) == (1, 0)
    cluster.restart()
    cluster.pass_time(T0 + 3 * HOUR)
    late = post(2, 1, T0 + MINUTE, kind="reply", actor={"type": "agent"})
    play(cluster, [(T0 + 3 * HOUR, late)], T0 + 4 * HOUR)
    newest = last(cluster.told("channel-gaps"), cluster.now)["social", first["window_start"]]
    assert (newest["revision"], newest["first_responses"], newest["first_response_p50_s"]) == (2, 1, 60.0)


def test_a_restart_corrects_nothing() -> None:
    """Nodes that come back tell all that they have, and no record follows from that."""
    cluster = Cluster(3, Random(2), RULES)
    play(cluster, some(Random(2)), T0 + 3 * DAY)
    before = len(cluster.told("channel-gaps"))
    for _ in range(3):
        cluster.restart()
        cluster.pass_time(cluster.now + HOUR)
    again = cluster.told("channel-gaps")[before:]
    assert [gap for gap in again if parse_time(gap["window_end"]) <= T0 + 3 * DAY - GRACE] == []


def test_what_is_final_is_forgotten() -> None:
    """After the retention nothing of a window is stored, and a late event for it changes no record."""
    cluster = Cluster(2, Random(3), RULES, crashes=10)
    play(cluster, some(Random(3)), T0 + 3 * DAY)
    before = {record["window_start"] for record in cluster.told("channel-gaps")}
    count = len(cluster.told("channel-gaps"))
    later = T0 + 3 * DAY + RETENTION + 2 * HOUR
    play(cluster, [(later, post(900, 50, later))], later + 2 * HOUR)
    cluster.restart()
    play(cluster, [(later + 3 * HOUR, post(901, 51, T0 + HOUR))], later + 5 * HOUR)
    assert {record["window_start"] for record in cluster.told("channel-gaps")[count:]}.isdisjoint(before)
    kept = [key for store in cluster.stores for key in store["aggregates"] if key.startswith(b"gap/said/")]
    horizon = format_time(later - RETENTION)
    assert all(key.decode().split("/")[2] >= horizon for key in kept)


def test_who_has_not_waited_after_all_was_not_overtaken() -> None:
    """A wait that began in a final window, and that a late answer ends there: what it counted in is corrected."""
    cluster = Cluster(2, Random(4), RULES)
    now = T0 + RETENTION + 5 * HOUR
    answer: dict[str, Any] = {"kind": "reply", "actor": {"type": "agent"}}
    asked, public = post(1, 1, T0, "chat1", channel="chat"), post(2, 2, now, "social2", channel="social")
    answered = post(3, 2, now + MINUTE, "social2", channel="social", **answer)
    play(cluster, [(T0, asked), (now, public), (now + MINUTE, answered)], now + 2 * HOUR)
    window = ("social", format_time(now))
    assert last(cluster.told("channel-gaps"), cluster.now)[window]["overtaken"] == 1
    late = post(4, 1, T0 + MINUTE, "chat1", channel="chat", **answer)
    play(cluster, [(cluster.now, late)], now + 4 * HOUR)
    assert last(cluster.told("channel-gaps"), cluster.now)[window]["overtaken"] == 0


def some(random: Random) -> list[tuple[int, Value]]:
    """Contacts, answers and solves of some people in public and private, some of them late; a merge."""
    found: list[tuple[int, Value]] = []
    for number in range(30):
        who, at = random.randrange(6), T0 + random.randrange(DAY)
        channel = random.choice(("chat", "phone", "social"))
        thread = f"{channel}{number}"
        more: dict[str, Any] = {"channel": channel}
        found.append((at + late(random), post(number, who, at, thread, **more)))
        if random.random() < 0.8:
            at += random.randrange(3 * HOUR)
            found.append(
                (at + late(random), post(100 + number, who, at, thread, kind="reply", actor={"type": "agent"}, **more))
            )
        if random.random() < 0.5:
            at += random.randrange(3 * HOUR)
            solved = {"kind": "status", "actor": {"type": "agent"}, "data": {"status": "solved"}}
            found.append((at + late(random), post(200 + number, who, at, thread, **solved, **more)))
    found += [(T0 + DAY + n, link(n, n, n + 1, T0 + DAY)) for n in range(2)]
    return sorted(found, key=lambda each: each[0])


def late(random: Random) -> int:
    """How much later it arrives (ms)."""
    return random.choice((0, 0, 0, random.randrange(8 * HOUR)))
