"""Which threads are one issue, and when an issue is over (contract, section 4)."""

import pytest

from tests.timelines.timeline import chat, command, email, iso, phone, policy, social, tell, version, web

PLAIN = policy(issues={"repeat_window": "168h", "quiet_after": "336h", "drop_after": "2160h"})
SOLVED = (email("10:00", "contact"), email("11:00", "status", status="solved"))


@pytest.mark.parametrize(("at", "issues"), [("7d 11:00", 1), ("7d 11:00:00.001", 2)])
def test_the_edge_of_the_repeat_window(at, issues):
    """A thread that begins exactly the window after the issue was resolved is the same issue; a ms later it is another."""
    assert len(tell(PLAIN, *SOLVED, phone(at, "contact")).issues()) == issues


@pytest.mark.parametrize(
    ("first", "second", "issues"),
    [
        ("billing", "billing", 1),
        ("billing", None, 1),
        (None, "billing", 1),
        (None, None, 1),
        ("billing", "shipping", 2),
    ],
)
def test_topics_that_differ_are_two_issues(first, second, issues):
    """The same topic or an unknown one on either side is one issue; two topics are two."""
    story = [email("10:00", "contact"), phone("10:10", "contact")]
    for line, topic in zip(story, (first, second), strict=True):
        if topic:
            line.value["topic"] = topic
    assert len(tell(PLAIN, *story).issues()) == issues


def test_the_same_topic_goes_before_the_most_recent():
    """Of two candidates the one with the same topic is chosen, though the other was active later."""
    told = tell(
        PLAIN,
        email("10:00", "contact", topic="billing"),
        chat("10:10", "contact", topic="shipping"),
        phone("10:20", "contact", topic="billing"),
    )
    assert [issue["threads"] for issue in told.issues()] == [["email:1", "phone:1"], ["chat:1"]]


def test_among_equals_the_most_recently_active():
    """Without a topic of its own a thread joins the issue where something happened last."""
    told = tell(
        PLAIN,
        email("10:00", "contact", topic="billing"),
        chat("10:10", "contact", topic="shipping"),
        email("10:15", "reply"),
        phone("10:20", "contact"),
    )
    assert [issue["threads"] for issue in told.issues()] == [["email:1", "phone:1"], ["chat:1"]]


def test_a_topic_learned_later_counts_for_the_past():
    """A note that names another topic parts the call from the letter, as if it had been known from the start."""
    told = tell(
        PLAIN,
        email("10:00", "contact", topic="billing"),
        phone("10:10", "contact"),
        phone("10:20", "note", topic="shipping"),
    )
    assert [(issue["topic"], issue["threads"]) for issue in told.issues()] == [
        ("billing", ["email:1"]),
        ("shipping", ["phone:1"]),
    ]


def test_a_topic_learned_later_takes_back_what_was_said():
    """A history of two channels that turn out to be two issues is resolved as never true."""
    document = policy(patterns={"channel_switch": {}})
    told = tell(
        document,
        email("10:00", "contact", topic="billing"),
        phone("10:10", "contact"),
        phone("10:20", "note", topic="shipping"),
    )
    assert told.history()[0] == "10:10 opened warning channel_switch"
    assert told.history()[1].startswith("10:20 resolved")
    assert len(told.history()) == 2


def test_an_explicit_issue_wins():
    """A case number joins threads whose topics differ, however far apart; another one parts threads of one topic."""
    told = tell(
        PLAIN,
        email("10:00", "contact", topic="billing", issue="case-1"),
        phone("10:10", "contact", topic="billing", issue="case-2"),
        chat("90d 10:00", "contact", topic="shipping", issue="case-1"),
    )
    assert [(issue["issue_id"], issue["threads"]) for issue in told.issues()] == [
        ("case-1", ["email:1", "chat:1"]),
        ("case-2", ["phone:1"]),
    ]


def test_an_explicit_issue_learned_later_counts_for_the_past():
    """A case number in a later event ties the thread to that case from its first event."""
    told = tell(
        PLAIN,
        email("10:00", "contact", issue="case-1"),
        phone("10:10", "contact", topic="x"),
        chat("10:20", "contact"),
        phone("10:30", "note", issue="case-1"),
    )
    assert told.issues()[0]["threads"][:2] == ["email:1", "phone:1"]


def test_feedback_opens_no_issue_and_reopens_none():
    """Praise in public after a solve changes nothing."""
    told = tell(PLAIN, *SOLVED, email("12:00", "feedback", score=5), social("12:10", "feedback"))
    assert [issue["status"] for issue in told.issues()] == ["resolved"]
    assert tell(PLAIN, social("12:10", "feedback")).issues() == []


@pytest.mark.parametrize(
    "line", [email("12:00", "contact"), email("12:00", "status", status="open"), email("12:00", "status", status="new")]
)
def test_what_reopens(line):
    """A contact, or a status of new or open, after the solve."""
    assert tell(PLAIN, *SOLVED, line).issues()[0]["status"] == "open"


@pytest.mark.parametrize(
    "line",
    [
        email("12:00", "reply"),
        email("12:00", "note"),
        email("12:00", "status", status="pending"),
        email("12:00", "status", status="on_hold"),
        email("12:00", "status", status="closed"),
        email("12:00", "contact", by="agent"),
        email("12:00", "contact", by="peer"),
    ],
)
def test_what_does_not_reopen(line):
    """What the company or a peer does after the solve leaves it solved."""
    assert tell(PLAIN, *SOLVED, line).issues()[0]["status"] == "resolved"


def test_confirmed_solves():
    """The customer's word is a solve."""
    assert tell(PLAIN, email("10:00", "contact"), email("11:00", "confirmed")).issues()[0]["status"] == "resolved"


@pytest.mark.parametrize(("at", "status"), [("14d 10:00", "open"), ("14d 10:00:00.001", "resolved")])
def test_quiet_after_an_answer_resolves(at, status):
    """Two weeks after the last contact that a human answered the issue is over."""
    told = tell(PLAIN, email("10:00", "contact"), email("12:00", "reply"), until=at)
    assert told.issues()[0]["status"] in (status, "resolved" if at == "14d 10:00" else status)
    assert (
        tell(PLAIN, email("10:00", "contact"), email("12:00", "reply"), until="14d 09:59:59.999").issues()[0]["status"]
        == "open"
    )


def test_silence_after_an_unanswered_contact_lapses():
    """Nobody answered, the customer gave up: lapsed, not resolved, and escalated until it is dropped."""
    document = policy(patterns={"lapsed": {}})
    story = (email("10:00", "contact"), email("10:05", "reply", auto=True))
    told = tell(document, *story, until="14d 10:00")
    assert told.history() == ["14d 10:00 opened error lapsed"]
    assert told.issues()[0]["status"] == "lapsed"
    assert tell(document, *story, until="14d 09:59:59.999").history() == []
    assert tell(document, *story, until="89d 10:00").issues()[0]["status"] == "lapsed"
    told = tell(document, *story, until="91d 10:00")
    assert told.issues()[0]["status"] == "resolved"
    assert told.history()[1] == "90d 10:00 resolved quiet"


def test_an_answer_to_an_earlier_contact_does_not_keep_the_last_from_lapsing():
    """The last contact counts: answered before it is not answered."""
    document = policy(patterns={"lapsed": {}})
    told = tell(
        document, email("10:00", "contact"), email("10:10", "reply"), email("10:20", "contact"), until="15d 10:00"
    )
    assert told.history() == ["14d 10:20 opened error lapsed"]


def test_an_answer_or_a_contact_ends_the_lapse():
    """Answered at last, the issue is quiet at once; asked again, it is open again."""
    document = policy(patterns={"lapsed": {}})
    told = tell(document, email("10:00", "contact"), email("20d 10:00", "contact"))
    assert told.history() == ["14d 10:00 opened error lapsed", "20d 10:00 resolved no_longer_holds"]
    assert told.issues()[0]["status"] == "open"
    told = tell(document, email("10:00", "contact"), email("20d 10:00", "reply"), until="20d 11:00")
    assert told.history()[1].startswith("20d 10:00 resolved")
    assert told.issues()[0]["status"] == "resolved"


def test_a_lapsed_issue_is_solved_like_any_other():
    """A solve resolves it."""
    told = tell(
        policy(patterns={"lapsed": {}}), email("10:00", "contact"), email("20d 10:00", "status", status="solved")
    )
    assert told.history()[-1] == "20d 10:00 resolved solved"


def test_a_command_closes_a_lapsed_issue_until_the_next_contact():
    """Resolving its escalation closes the issue; a contact opens it again."""
    document = policy(patterns={"lapsed": {}})
    story = (email("10:00", "contact"), command("15d 10:00", "resolve", "history"))
    told = tell(document, *story, until="80d 10:00")
    assert told.issues()[0]["status"] == "resolved"
    assert told.history() == ["14d 10:00 opened error lapsed", "15d 10:00 resolved command"]
    assert tell(document, *story, email("16d 10:00", "contact")).issues()[0]["status"] == "open"
    told = tell(document, *story, email("16d 10:00", "contact"), until="30d 10:00")
    assert told.history()[2:] == ["30d 10:00 opened error lapsed"]


def test_a_lapsed_issue_is_a_candidate_however_old():
    """It is unresolved: a call after two months is about the same thing."""
    assert len(tell(PLAIN, email("10:00", "contact"), phone("60d 10:00", "contact")).issues()) == 1
    assert len(tell(PLAIN, email("10:00", "contact"), phone("98d 10:00", "contact")).issues()) == 2


def test_covering_reaches_earlier_attempts_only():
    """A solve covers the threads whose last contact is not later than its own thread's; the later one stays open."""
    told = tell(
        policy(targets=[{"resolution": "99h"}]),
        email("10:00", "contact"),
        phone("10:10", "contact"),
        chat("10:20", "contact"),
        phone("11:00", "status", status="solved"),
    )
    assert told.clock("resolution", "email:1").get("covered_by") == "phone:1"
    assert told.clock("resolution", "chat:1")["state"] == "running"
    assert told.issues()[0]["status"] == "open"


def test_a_contact_on_a_covered_thread_reopens_it():
    """Covered is solved until the customer says otherwise."""
    told = tell(
        policy(targets=[{"resolution": "99h"}]),
        email("10:00", "contact"),
        phone("10:10", "contact"),
        phone("11:00", "confirmed"),
        email("12:00", "contact"),
    )
    clock = told.clock("resolution", "email:1")
    assert (clock["state"], "covered_by" in clock, clock["paused"]) == (
        "running",
        False,
        [[iso("11:00"), iso("12:00")]],
    )


def test_a_failed_self_service_alone_opens_no_issue():
    """A search that found nothing is no issue before somebody makes contact."""
    assert tell(PLAIN, web("10:00", "self_service_failed", "")).issues() == []


def test_the_newest_topic_counts():
    """A topic that is corrected is the thread's from the start."""
    told = tell(
        PLAIN,
        email("10:00", "contact", topic="billing"),
        phone("10:10", "contact", topic="shipping"),
        email("10:20", "note", topic="shipping"),
    )
    assert [(issue["topic"], issue["threads"]) for issue in told.issues()] == [("shipping", ["email:1", "phone:1"])]


def test_an_issue_that_fell_quiet_was_not_solved():
    """A contact after the quiet is no reopening of something that somebody called solved."""
    document = policy(patterns={"reopened": {"count": 1}})
    story = (email("10:00", "contact"), email("10:10", "reply"), email("20d 10:00", "contact"))
    told = tell(document, *story)
    assert told.history() == []
    assert told.issues()[0]["status"] == "open"


def test_a_shorter_quiet_time_is_over_when_it_takes_effect():
    """A version that makes the wait over in the past ends it then, not before."""
    document = policy(issues={"quiet_after": "48h"}, issue_resolution={"target": "99h"})
    shorter = policy(issues={"quiet_after": "24h"}, issue_resolution={"target": "99h"})
    story = (email("10:00", "contact"), email("10:10", "reply"), version("1d 15:00", shorter))
    told = tell(document, *story, until="1d 16:00")
    assert told.clock("issue_resolution")["stopped_at"] == iso("1d 15:00")
