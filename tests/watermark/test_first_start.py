"""A first start over an old backlog, on a real broker with real processes and the real core."""

import json
import time

import pytest

from schemas.times import HOUR, format_time
from tests.shell.conftest import eventually
from tests.shell.traffic import changes, everything
from tests.watermark.conftest import contact, customer, reply, said, send

pytestmark = pytest.mark.timeout(100)


def now() -> int:
    return time.time_ns() // 1_000_000


def notified(settings) -> set[str]:
    """The escalations that any notification names."""
    records = (json.loads(record.value) for record in everything(settings, "notifications"))
    return {id_ for record in records for id_ in record["escalation_ids"]}


def fed(settings, begun: int) -> None:
    """On both partitions: somebody who was answered too late long ago, and somebody who still waits."""
    for number in (0, 1):
        late, waiting = customer(number, "L"), customer(number, "W")
        send(settings, [contact(late, f"late{number}", begun - 5 * HOUR)])
        send(settings, [contact(waiting, f"waiting{number}", begun - 3 * HOUR)])
        send(settings, [reply(f"late{number}", begun - 2 * HOUR)])


def checked(settings, begun: int) -> dict[str, str]:
    """The one escalation of each thread, by thread; fails where it was not said as it should be."""
    by_thread: dict[str, list[dict]] = {}
    for record in said(settings):
        by_thread.setdefault(record["thread"], []).append(record)
    assert set(by_thread) == {"late0", "late1", "waiting0", "waiting1"}
    for thread, records in by_thread.items():
        told = [(record["change"], record["backfilled"]) for record in records]
        over = thread.startswith("late")
        assert told == ([("opened", True), ("resolved", True)] if over else [("opened", False)]), thread
        assert records[0]["breached_at"] == format_time(begun - (4 if over else 2) * HOUR)
        assert not any(record["provisional"] for record in records)
    return {thread: records[0]["escalation_id"] for thread, records in by_thread.items()}


def test_a_first_start_that_is_killed_in_the_midst(settings, start):
    """Killed while one partition is not read yet, started again: only then, and once, what is over and what stands."""
    begun = now()
    fed(settings, begun)
    worker = start("1h")
    held = worker.hold / "interactions.chat-1"
    held.touch()
    worker.wait_until_ready()
    eventually(lambda: len(changes(settings)) >= 2, 20, "a part of the backlog taken in")
    eventually(lambda: json.loads(worker.get("/readyz")[1] or "{}").get("first_start") == [0, 1], 10, "it says so")
    assert said(settings) == []
    worker.kill()
    marks = {event["partition"]: event["until"] for event in worker.events("backlog_begun")}
    assert set(marks) == {0, 1}
    held.unlink()
    second = start("1h").wait_until_ready()
    eventually(lambda: len({record["thread"] for record in said(settings)}) == 4, 30, "what is to be said")
    eventually(lambda: len(second.events("backlog_done")) == 2, 10, "the end of the backlog")
    assert {event["partition"]: event["until"] for event in second.events("backlog_goes_on")} == marks
    assert second.events("backlog_begun") == []
    checked(settings, begun)
    assert json.loads(second.get("/readyz")[1])["first_start"] == []
    eventually(lambda: second.metric("mindgap_first_start", partition="0") == 0, 5, "the gauge")
    late = now()
    send(settings, [contact(customer(0, "N"), "new", late - 2 * HOUR)])
    eventually(lambda: any(record["thread"] == "new" for record in said(settings)), 20, "live from then on")
    third = [record for record in said(settings) if record["thread"] == "new"]
    assert [(record["change"], record["backfilled"]) for record in third] == [("opened", False)]


@pytest.mark.slow
def test_a_first_start_of_two_workers(settings, start):
    """Shared out anew in the midst; then nobody is paged for what was over, and for what stands somebody is."""
    begun = now()
    fed(settings, begun)
    first = start("1h")
    held = first.hold / "interactions.chat-1"
    held.touch()
    first.wait_until_ready()
    eventually(lambda: len(changes(settings)) >= 2, 20, "a part of the backlog taken in")
    second = start("1h")
    eventually(
        lambda: (first.metric("mindgap_partitions"), second.metric("mindgap_partitions")) == (1, 1), 40, "shared"
    )
    assert said(settings) == []
    held.unlink()
    eventually(lambda: len({record["thread"] for record in said(settings)}) == 4, 40, "what is to be said")
    ids = checked(settings, begun)
    waiting = {ids["waiting0"], ids["waiting1"]}
    eventually(lambda: notified(settings) == waiting, 60, "who waits is paged for")


@pytest.mark.slow
def test_a_start_over_empty_topics_is_live(settings, start):
    """Where nothing waits there is no backlog: the first record is live."""
    worker = start("1s").wait_until_ready()
    assert json.loads(worker.get("/readyz")[1])["first_start"] == []
    send(settings, [contact(customer(0), "new", now())])
    eventually(lambda: said(settings), 20, "the breach")
    assert worker.events("backlog_begun") == []


@pytest.mark.slow
def test_a_first_start_that_goes_live(settings, start):
    """MINDGAP_FIRST_START=live: the same backlog begins without the mark."""
    fed(settings, now())
    worker = start("1h", MINDGAP_FIRST_START="live").wait_until_ready()
    eventually(lambda: len({record["thread"] for record in said(settings)}) == 4, 30, "what is to be said")
    assert worker.events("backlog_begun") == []
