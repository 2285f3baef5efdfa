"""Promise clocks, and the pattern of a broken promise."""

import pytest

from tests.timelines.timeline import chat, email, iso, phone, policy, tell

BROKEN = policy(patterns={"broken_promise": {}})
PROMISE = (phone("10:00", "contact"), phone("10:05", "promise", due_at="11:00", what="call back"))


def test_a_promise_breaks_after_the_grace():
    """Due at 11:00 with 15 minutes' grace: broken at 11:15, not before."""
    told = tell(BROKEN, *PROMISE, until="11:14:59.999")
    assert told.history() == []
    told = tell(BROKEN, *PROMISE, until="11:15")
    assert told.history() == ["11:15 opened error broken_promise"]
    clock = told.clock("promise")
    assert (clock["state"], clock["due_at"], clock["target_s"]) == ("breached", iso("11:15"), None)
    assert told.sla() == []


@pytest.mark.parametrize(
    "kept",
    [
        phone("11:15", "promise_kept"),
        phone("11:15", "answered"),
        phone("11:15", "reply"),
        email("11:15", "reply"),
        phone("11:15", "status", status="solved"),
        phone("11:15", "confirmed"),
    ],
    ids=["kept", "answered", "reply", "reply-elsewhere", "solved", "confirmed"],
)
def test_what_keeps_a_promise(kept):
    """Kept, answered, replied to on any thread of the issue, or solved, at the end of the grace at the latest."""
    told = tell(BROKEN, *PROMISE, kept, until="12:00")
    assert told.history() == []
    assert told.clock("promise")["state"] == "met"


@pytest.mark.parametrize(
    "useless",
    [
        phone("10:30", "reply", auto=True),
        phone("10:30", "reply", canned=True),
        phone("10:30", "contact"),
        phone("10:30", "note"),
        phone("10:30", "compensate"),
        email("10:30", "promise_kept"),
        phone("10:04", "reply"),
    ],
    ids=["auto", "canned", "contact", "note", "compensate", "kept-elsewhere", "earlier"],
)
def test_what_keeps_no_promise(useless):
    """Machines, gifts, and answers before the promise do not keep it."""
    told = tell(BROKEN, *PROMISE, email("10:01", "contact"), useless, until="12:00")
    assert told.history() == ["11:15 opened error broken_promise"]


def test_a_covering_solve_keeps_a_promise():
    """The call's promise ends when the later chat about the same thing is solved."""
    told = tell(BROKEN, *PROMISE, chat("10:30", "contact"), chat("10:40", "status", status="solved"), until="12:00")
    assert told.history() == []
    clock = told.clock("promise")
    assert (clock["state"], clock["covered_by"]) == ("met", "chat:1")


def test_a_promise_after_the_solve_ends_with_the_next_solve():
    """Solved, promised, closed: the second solve keeps it."""
    told = tell(
        BROKEN,
        phone("10:00", "contact"),
        phone("10:05", "status", status="solved"),
        phone("10:06", "promise", due_at="11:00"),
        phone("10:07", "status", status="closed"),
        until="12:00",
    )
    assert told.clock("promise")["state"] == "met"


def test_kept_late_it_stays_broken():
    """The history stays escalated until the issue is resolved, and the clock breached."""
    told = tell(BROKEN, *PROMISE, phone("11:30", "promise_kept"), phone("12:00", "status", status="solved"))
    assert told.history() == ["11:15 opened error broken_promise", "12:00 resolved solved"]
    assert told.clock("promise")["state"] == "breached"


def test_a_promise_due_in_the_past_breaks_at_its_grace():
    """Promised for a time that is over: broken as soon as that time and the grace are."""
    told = tell(BROKEN, phone("10:00", "contact"), phone("10:05", "promise", due_at="09:00"), until="10:10")
    assert told.history() == ["10:05 opened error broken_promise"]


def test_the_grace_is_the_policys():
    """`promises.grace: 0m` allows nothing."""
    told = tell({**BROKEN, "promises": {"grace": "0m"}}, *PROMISE, until="12:00")
    assert told.history() == ["11:00 opened error broken_promise"]


def test_late_evidence_mends_a_promise():
    """A call at 10:30 that is heard of at 11:30 takes the broken promise back."""
    told = tell(BROKEN, *PROMISE, phone("10:30", "answered", arrives="11:30"), until="12:00")
    assert told.history() == ["11:15 opened error broken_promise", "11:30 resolved late_evidence"]
    assert told.records[-1]["retracted"] is True


def test_a_solve_elsewhere_covers_a_promise_made_after_the_solve():
    """The call was solved before its promise was made; the later chat's solve covers the call, and so its promise."""
    told = tell(
        BROKEN,
        phone("10:00", "contact"),
        phone("10:05", "status", status="solved"),
        phone("10:06", "promise", due_at="11:00"),
        chat("10:30", "contact"),
        chat("10:40", "confirmed"),
        until="12:00",
    )
    clock = told.clock("promise")
    assert (clock["state"], clock["stopped_at"], clock["covered_by"]) == ("met", iso("10:40"), "chat:1")


def test_an_answer_of_the_same_instant_keeps_no_promise():
    """Later than the promise is later by the clock: a system that writes both at once does not keep it by that."""
    told = tell(
        policy(patterns={"broken_promise": {}}),
        email("10:00", "contact"),
        email("10:05", "promise", due_at="11:00"),
        email("10:05", "reply"),
        until="12:00",
    )
    assert told.clock("promise")["state"] == "breached"
