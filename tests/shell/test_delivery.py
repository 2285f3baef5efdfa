"""What is promised about delivery, on a real broker with real processes."""

import asyncio
import json
import signal
import time

import pytest

from agents.settings import Settings
from agents.topic_admin import create_topics
from tests.shell.conftest import eventually
from tests.shell.traffic import assert_exact, changes, event, everything, outputs, send, state
from topics.dead_letter import original

pytestmark = pytest.mark.timeout(80)
CUSTOMERS = 60


@pytest.fixture(autouse=True)
def _topics(settings: Settings) -> None:
    asyncio.run(create_topics(settings))


def _count(settings: Settings) -> int:
    return sum(len(ids) for ids in state(settings).values())


def test_killed_in_the_middle(settings, start_worker):
    """A worker killed mid-stream and started again counts every event once; outputs repeat only identically."""
    first = start_worker().wait_until_ready()
    send(settings, "interactions.email", [event(number, CUSTOMERS) for number in range(3000)])
    eventually(lambda: len(everything(settings, "escalations")) > 300, 20, "the first outputs")
    first.kill()
    at_kill = len(everything(settings, "escalations"))
    send(settings, "interactions.chat", [event(number, CUSTOMERS) for number in range(3000, 4000)])
    second = start_worker().wait_until_ready()
    eventually(lambda: _count(settings) == 4000, 30, "all events counted")
    eventually(lambda: len(outputs(settings)) == 4000, 20, "all outputs sent")
    assert_exact(settings, range(4000), CUSTOMERS)
    assert at_kill < 4000, "the worker was killed too late to prove anything"
    assert second.terminate() == 0


def test_end_and_restart_repeat_nothing(settings, start_worker):
    """After SIGTERM everything done is committed: the next worker repeats no event and no output but the outbox."""
    send(settings, "interactions.email", [event(number, CUSTOMERS) for number in range(500)])
    first = start_worker()
    eventually(lambda: len(outputs(settings)) == 500, 40, "all outputs sent")
    before = len(changes(settings))
    assert first.terminate() == 0
    assert not first.events("lane_crashed")
    second = start_worker().wait_until_ready()
    send(settings, "interactions.email", [event(500, CUSTOMERS)])
    eventually(lambda: len(outputs(settings)) == 501, 20, "the event after the restart")
    assert len(changes(settings)) == before + 1
    assert second.terminate() == 0
    assert_exact(settings, range(501), CUSTOMERS)


def test_poison_does_not_stop_the_partition(settings, start_worker):
    """A record that makes the core raise, and one that is no JSON, are dead-lettered whole; the others count."""
    worker = start_worker().wait_until_ready()
    poison = (b"customer-1", b'{"id":"p","customer":"customer-1","poison":true}')
    garbage = (b"\xff\x00", b"\xfe not json \xff")
    good = [event(number, CUSTOMERS) for number in range(40)]
    send(settings, "interactions.phone", [*good[:20], poison, garbage, *good[20:]])
    eventually(lambda: _count(settings) == 40, 20, "the good events counted")
    eventually(lambda: len(everything(settings, "interactions.dead")) == 2, 20, "the dead letters")
    letters = {json.loads(r.value)["reason"]: r.value for r in everything(settings, "interactions.dead")}
    assert original(letters["internal_error"])[:2] == poison
    assert original(letters["not_json"])[:2] == garbage
    assert_exact(settings, range(40), CUSTOMERS)
    assert worker.get("/readyz")[0] == 200
    metrics = worker.get("/metrics")[1]
    assert 'mindgap_dead_letters_total{reason="internal_error",topic="interactions.phone"} 1.0' in metrics
    assert len(worker.events("record_failed")) == 1
    assert "customer-1" not in worker.log.read_text(), "a log line holds what a record said"


def test_policies_reach_every_partition(settings, start_worker):
    """Policies on the topic are read before the first event; a new version settles every customer again."""
    send(settings, "policies", [(b"1", b'{"version":"1"}'), (b"x", b"not a policy")])
    send(settings, "interactions.web", [event(number, 20) for number in range(20)])
    worker = start_worker().wait_until_ready()
    eventually(lambda: _count(settings) == 20, 20, "the events counted")
    assert not everything(settings, "notifications")
    send(settings, "policies", [(b"2", b'{"version":"2"}'), (b"1", b'{"version":"1"}')])
    eventually(lambda: len(everything(settings, "notifications")) == 20, 20, "all customers settled")
    assert {json.loads(r.value)["policy"] for r in everything(settings, "notifications")} == {"2"}
    assert len(worker.events("policy_refused")) == 1


@pytest.mark.slow
def test_partitions_move_and_an_oversleeper_writes_nothing(settings, start_worker):
    """Partitions move between workers without loss; one that slept past its session is fenced when it wakes."""
    first = start_worker().wait_until_ready()
    send(settings, "interactions.email", [event(number, CUSTOMERS) for number in range(1000)])
    second = start_worker()
    eventually(lambda: len(second.events("partitions_recovered")) > 0, 30, "the second worker has partitions")
    send(settings, "interactions.email", [event(number, CUSTOMERS) for number in range(1000, 2000)])
    eventually(lambda: _count(settings) == 2000, 30, "all events counted")
    send(settings, "interactions.email", [event(number, CUSTOMERS) for number in range(2000, 3000)])
    first.signal(signal.SIGSTOP)
    slept = time.monotonic()
    eventually(lambda: _count(settings) == 3000, 40, "the other worker has taken over")
    eventually(lambda: time.monotonic() - slept > settings.session_timeout_s + 1, 20, "the session is over")
    first.signal(signal.SIGCONT)
    send(settings, "interactions.chat", [event(number, CUSTOMERS) for number in range(3000, 3500)])
    eventually(lambda: _count(settings) == 3500, 40, "the events after it woke")
    eventually(lambda: len(outputs(settings)) == 3500, 20, "all outputs sent")
    assert_exact(settings, range(3500), CUSTOMERS)
    assert second.terminate() == 0
