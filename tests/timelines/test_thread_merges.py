"""Threads merged into one another: which clocks end, and from where the others run."""

from tests.timelines.timeline import chat, email, iso, phone, policy, tell

HOUR = policy(targets=[{"first_response": "1h", "next_response": "1h", "resolution": "4h"}], warn_at="100%")


def test_the_merged_threads_clocks_are_cancelled():
    """After the merge only the target's clocks run, and nothing escalates twice (Zammad #904)."""
    told = tell(
        HOUR,
        phone("10:00", "contact"),
        email("10:10", "contact"),
        phone("10:20", "merge", into="email:1"),
        until="12:00",
    )
    assert told.clock("first_response", "phone:1")["state"] == "cancelled"
    assert told.clock("resolution", "phone:1")["state"] == "cancelled"
    assert told.sla("first_response") == ["11:00 opened error"]
    assert told.find()[0]["thread"] == "email:1"
    assert told.clock("first_response", "email:1")["started_at"] == iso("10:00")


def test_a_merge_that_makes_a_clock_due_in_the_past_breaches_it_at_the_merge():
    """The target had until 12:00; the merged contact of 10:00 was due at 11:00; merged at 11:30 it breaches at 11:30."""
    long_ago = policy(
        targets=[{"when": {"channel": "phone"}, "first_response": "4h"}, {"first_response": "1h"}], warn_at="100%"
    )
    told = tell(
        long_ago,
        phone("10:00", "contact"),
        email("11:00", "contact"),
        phone("11:30", "merge", into="email:1"),
        until="12:30",
    )
    assert told.sla("first_response") == ["11:30 opened error"]
    assert told.records[0]["breached_at"] == iso("11:30")
    assert told.clock("first_response", "email:1")["breaches"] == [{"at": iso("11:30"), "policy_version": "1"}]


def test_an_answered_clock_of_the_target_stays_as_it_was():
    """The target's first response was met; the merged thread's open question starts a next response."""
    told = tell(
        HOUR,
        email("10:00", "contact"),
        email("10:10", "reply"),
        phone("10:05", "contact"),
        phone("10:30", "merge", into="email:1"),
        until="12:00",
    )
    clock = told.clock("first_response", "email:1")
    assert (clock["state"], clock["started_at"]) == ("met", iso("10:00"))
    assert told.clock("next_response", "email:1")["started_at"] == iso("10:05")
    assert told.sla("next_response") == ["11:05 opened error"]


def test_a_merge_without_an_open_question_starts_nothing():
    """Both threads were answered: no response clock runs."""
    told = tell(
        HOUR,
        email("10:00", "contact"),
        email("10:10", "reply"),
        phone("10:05", "contact"),
        phone("10:15", "answered"),
        phone("10:30", "merge", into="email:1"),
        until="12:00",
    )
    assert told.sla("first_response") + told.sla("next_response") == []


def test_what_happens_on_the_merged_thread_happens_on_the_target():
    """A reply on the old thread's id answers the target's question, and a solve solves it."""
    told = tell(
        HOUR,
        phone("10:00", "contact"),
        email("10:10", "contact"),
        phone("10:20", "merge", into="email:1"),
        phone("10:30", "reply"),
        phone("10:40", "status", status="solved"),
        until="20:00",
    )
    assert told.clock("first_response", "email:1")["stopped_at"] == iso("10:30")
    assert told.clock("resolution", "email:1")["state"] == "met"
    assert told.issues()[0]["status"] == "resolved"
    assert told.records == []


def test_a_merge_into_a_thread_nobody_has_seen():
    """The unseen target takes the clocks over, from the question's own time."""
    told = tell(HOUR, phone("10:00", "contact"), phone("10:20", "merge", into="ticket:9"), until="11:30")
    assert told.clock("first_response", "ticket:9")["started_at"] == iso("10:00")
    assert told.sla("first_response") == ["11:00 opened error"]


def test_a_circle_of_merges_ends():
    """Merged into one another, the threads are one, and its clocks run."""
    told = tell(
        HOUR,
        phone("10:00", "contact"),
        email("10:01", "contact"),
        phone("10:10", "merge", into="email:1"),
        email("10:20", "merge", into="phone:1"),
        email("10:25", "merge", into="email:1"),
        until="11:30",
    )
    assert len(told.issues()) == 1
    assert told.sla("first_response") == ["11:00 opened error"]


def test_merged_threads_are_one_issue_from_the_start():
    """A merge learned later joins the issues of both, whatever their topics."""
    told = tell(
        HOUR,
        phone("10:00", "contact", topic="billing"),
        email("10:01", "contact", topic="shipping"),
        phone("10:02", "merge", into="email:1"),
    )
    assert len(told.issues()) == 1


def test_a_queue_left_by_a_merge_is_left():
    """A queued chat that was merged and then answered has not waited on."""
    document = policy(patterns={"long_hold": {"after": "30m"}})
    told = tell(
        document,
        chat("10:00", "contact", "chat:1", queued=True),
        chat("10:05", "merge", "chat:1", into="chat:2"),
        chat("10:10", "answered", "chat:2"),
        until="12:00",
    )
    assert told.history() == []
    told = tell(
        document,
        chat("10:00", "contact", "chat:1", queued=True),
        chat("10:05", "merge", "chat:1", into="chat:2"),
        until="12:00",
    )
    assert told.history() == ["10:30 opened warning long_hold"]
    told = tell(
        document,
        chat("10:00", "contact", queued=True),
        chat("10:05", "merge", into="email:1"),
        email("10:40", "answered"),
        until="12:00",
    )
    assert told.history() == ["10:30 opened warning long_hold"]


def test_a_letter_on_a_calls_thread_holds_no_line():
    """Only waits on phone and chat are holds, whatever else the thread carries."""
    document = policy(patterns={"long_hold": {"after": "30m"}})
    story = (
        phone("10:00", "contact", "t"),
        phone("10:01", "answered", "t"),
        email("10:02", "contact", "t"),
        email("11:00", "reply", "t"),
    )
    assert tell(document, *story).history() == []


def test_an_open_question_that_came_after_the_solve_reopens_the_target():
    """Asked at 10:30 on a thread that is merged into one solved at 10:20: the question keeps a clock."""
    told = tell(
        HOUR,
        email("10:00", "contact"),
        email("10:20", "status", status="solved"),
        phone("10:30", "contact"),
        phone("10:40", "merge", into="email:1"),
        until="12:00",
    )
    assert told.clock("next_response", "email:1")["started_at"] == iso("10:30")
    assert told.sla("next_response") == ["11:30 opened error"]
    assert told.clock("resolution", "email:1")["state"] == "running"
    assert told.issues()[0]["status"] == "open"


def test_a_question_from_before_the_solve_leaves_the_target_solved():
    """What was asked before the target was solved was covered by that."""
    told = tell(
        HOUR,
        phone("10:00", "contact"),
        email("10:10", "contact"),
        email("10:20", "status", status="solved"),
        phone("10:40", "merge", into="email:1"),
        until="12:00",
    )
    assert told.clock("resolution", "email:1")["state"] == "met"
    assert told.issues()[0]["status"] == "resolved"


def test_threads_that_were_merged_are_one_for_repeat_contact():
    """Three threads are too many; two of them merged are two, and the pattern ends at the merge."""
    told = tell(
        policy(patterns={"repeat_contact": {}}),
        email("10:00", "contact", "t1"),
        email("10:10", "contact", "t2"),
        email("10:20", "contact", "t3"),
        email("10:30", "merge", "t1", into="t2"),
        until="12:00",
    )
    assert told.history() == ["10:20 opened warning repeat_contact", "10:30 resolved no_longer_holds"]


def test_a_waiting_thread_ends_the_pause_of_the_one_it_is_merged_into():
    """The target waits for the customer; who is merged into it has asked since: the company's clock runs again."""
    told = tell(
        policy(targets=[{"resolution": "4h"}]),
        phone("10:00", "contact"),
        email("10:20", "contact"),
        email("10:30", "status", status="pending"),
        phone("10:40", "contact"),
        phone("11:20", "merge", into="email:1"),
        until="11:30",
    )
    clock = told.clock("resolution", "email:1")
    assert (clock["state"], clock["paused"]) == ("running", [[iso("10:30"), iso("11:20")]])
