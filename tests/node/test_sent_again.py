"""What was written and perhaps not sent: it goes out before anything else is decided, however often that fails."""

from random import Random
from typing import Any

from schemas.times import HOUR, MINUTE, SECOND
from streams.effects import Effects
from tests.node.cluster import Cluster, policy
from tests.node.test_storms import NOTIFY, T0, contact, feed


def _cluster(**more: Any) -> Cluster:
    """One partition, to which a customer has come."""
    cluster = Cluster(1, Random(1), policy(targets=[{"first_response": "1h", "resolution": "4h"}], **more))
    feed(cluster, [contact(1, T0)], T0)
    return cluster


def _held_up(cluster: Cluster, now: int) -> Effects:
    """The timers run at `now`, and a crash comes between the state and the outputs."""
    cluster.now = now
    effects = cluster.nodes[0].wake(now)
    for table, key, value in effects.writes:
        assert value is not None
        cluster.stores[0][table][key] = value
    cluster.restart()
    return effects


def test_a_second_crash_loses_nothing_that_the_first_one_held_up() -> None:
    """A worker that comes back when the next deadline has passed, and dies again there, leaves no revision out."""
    cluster = _cluster()
    assert _held_up(cluster, T0 + 50 * MINUTE).sends
    _held_up(cluster, T0 + 2 * HOUR)
    cluster.pass_time(T0 + 3 * HOUR)
    (last,) = {id_ for id_, _ in cluster.escalations()}
    assert sorted(revision for _, revision in cluster.escalations()) == [1, 2], last


def test_a_second_crash_loses_no_page() -> None:
    """Neither does a group's notification get lost when the next one is due."""
    cluster = _cluster(notify=NOTIFY)
    cluster.pass_time(T0 + HOUR)
    assert any(send.topic == "notifications" for send in _held_up(cluster, T0 + HOUR + 31 * SECOND).sends)
    _held_up(cluster, T0 + 9 * HOUR)
    cluster.pass_time(T0 + 9 * HOUR)
    assert cluster.told("notifications")[0]["change"] == "first"


def test_the_end_of_a_backlog_hides_nothing_that_was_held_up() -> None:
    """A worker that dies, comes back, writes that its backlog is over, and dies again, still sends what it decided."""
    cluster = _cluster()
    held = _held_up(cluster, T0 + 50 * MINUTE)
    for table, key, value in cluster.nodes[0].end_backlog().writes:
        assert value is not None
        cluster.stores[0][table][key] = value
    cluster.restart()
    assert _kept(cluster.nodes[0].wake(T0 + 50 * MINUTE)) == _kept(held)


def test_what_may_not_have_been_sent_goes_out_by_itself() -> None:
    """Nothing is written with it: written anew, a state would no longer hold it."""
    cluster = _cluster(notify=NOTIFY)
    held = _held_up(cluster, T0 + 50 * MINUTE)
    again = cluster.nodes[0].wake(T0 + 9 * HOUR)
    assert again.writes == []
    assert _kept(again) == _kept(held)
    assert cluster.nodes[0].wake(T0 + 9 * HOUR).writes, "and then what is due"


def _kept(effects: Effects) -> set[tuple[str, bytes, bytes | None]]:
    """The outputs that states keep; shares of the channel gaps are made anew."""
    return {(send.topic, send.key, send.value) for send in effects.sends if not send.key.startswith(b"gap/")}
