"""Who would be paged, how often, and when."""

import pytest

from streams.calendar_zones import load_zone
from streams.policy_diff.headlines import headlines
from tests.policy_diff.trial import answer_within, plan, side, tried
from tests.timelines.timeline import Line, email, ms, phone, tell


def asked(number: int, at: str) -> Line:
    return email(at, "contact", f"email:{number}", who=f"email:kim{number}@example.com")


CROWD = [asked(number, "10:00") for number in range(3)] + [asked(9, "12:00")]


def test_pages_climb_the_ladder():
    """Opened or raised, at error or above: the desk at the breach, the lead and the head at their steps."""
    pages = side(answer_within("30m"), [asked(1, "10:00")], "12:00").pages
    assert pages == {("desk", ms("10:00")): 1, ("lead", ms("10:00")): 1, ("head", ms("11:00")): 1}


def test_a_warning_pages_nobody_until_the_policy_says_so():
    """What is below notify.min_severity is no page."""
    early = [asked(1, "10:00")]
    assert side(answer_within("1h"), early, "10:50").pages == {}
    assert side(answer_within("1h", notify={"min_severity": "warning"}), early, "10:50").pages == {
        ("desk", ms("10:00")): 1
    }


def test_the_busiest_hour_of_each_role():
    """The hour with most pages, what the other policy has in it, and the first of several."""
    diff = tried(answer_within("30m"), answer_within("150m"), *CROWD, until="18:00")
    old, new = diff.roles["desk"].peak
    assert (old.hour, old.pages, old.other) == (ms("10:00"), 3, 0)
    assert (new.hour, new.pages, new.other) == (ms("12:00"), 3, 1)
    assert diff.roles["desk"].pages == (4, 4)
    assert "Nobody gets more or fewer pages: 12 under both." in headlines(diff)


def test_the_sentence_for_a_role():
    """How many pages fewer, and the busiest hour with its day."""
    new = answer_within("30m", ladders={"error": [{"after": "1h", "role": "head"}]})
    diff = tried(answer_within("30m"), new, *CROWD, until="18:00")
    assert headlines(diff)[0] == ("4 fewer pages for lead (4 to 0); busiest hour Mon 8 Jun 10:00 from 3 to 0.")
    assert "desk" not in headlines(diff)[0]


def test_nights_are_those_of_the_zone():
    """The same hour is night in one zone and day in another."""
    new = answer_within("30m", ladders={})
    for name, night in (("UTC", (0, 0)), ("America/New_York", (2, 1)), ("Asia/Tokyo", (0, 0))):
        diff = tried(answer_within("30m"), new, asked(1, "08:45"), until="10:00", zone=load_zone(name))
        assert diff.everybody.pages == (2, 1)
        assert diff.everybody.night == night, name


def test_what_is_silenced_or_backfilled_is_no_page():
    """A silence by channel, and a breach found only after its answer, page nobody."""
    silence = {
        "when": {"channel": "email"},
        "from": "2026-06-08T00:00:00Z",
        "until": "2026-06-09T00:00:00Z",
        "reason": "move",
    }
    assert side(answer_within("30m", silences=[silence]), [asked(1, "10:00")], "12:00").pages == {}
    late = [email("10:00", "contact", arrives="11:00"), email("10:50", "reply", arrives="11:00")]
    found = side(answer_within("30m"), late, "12:00")
    assert (found.pages, [seen.roles for seen in found.escalations]) == ({}, [()])
    assert found.clocks["first_response"].breached


def test_a_silence_by_team_is_known_from_the_thread():
    """Who has the thread is not in the record, and is asked for all the same."""
    silence = {
        "when": {"team": "billing"},
        "from": "2026-06-08T00:00:00Z",
        "until": "2026-06-09T00:00:00Z",
        "reason": "move",
    }
    story = [asked(1, "10:00"), email("10:05", "transfer", "email:1", who="email:kim1@example.com", to_team="billing")]
    assert side(answer_within("30m", silences=[silence]), story, "12:00").pages == {}


def test_an_acknowledgement_that_finds_nothing_is_said():
    """A recorded command acts where its escalation is there; where it is not, the reader is told."""
    told = tell(answer_within("30m"), phone("10:00", "contact"), until="10:31")
    (opened,) = [record for record in told.records if record["change"] == "opened"]
    order = {"id": "c1", "at": "2026-06-08T10:35:00Z", "customer_id": opened["customer_id"],
             "escalation_id": opened["escalation_id"], "action": "acknowledge", "by": "sam"}  # fmt: skip
    story = [phone("10:00", "contact", id=told.lines[0].value["id"]), Line(ms("10:35"), "escalations.commands", order)]
    diff = tried(answer_within("30m"), answer_within("40m"), *story, until="11:00")
    assert diff.old.dead == {}
    assert diff.new.dead == {"unknown_escalation": 1}
    assert any("0 under A, 1 under B" in line for line in headlines(diff))


def test_notifications_are_counted_after_grouping():
    """Three breaches of one group at once are three pages and one notification."""
    found = side(answer_within("30m", ladders={}), CROWD[:3], "11:00")
    assert (sum(found.pages.values()), found.notifications) == (3, 1)


@pytest.mark.parametrize("document", [plan(), plan(targets=[{"resolution": "2h"}])])
def test_no_input_no_pages(document):
    """A role that nobody pages is not listed."""
    diff = tried(document, document, until="12:00")
    assert (diff.roles, diff.everybody.pages, diff.everybody.peak) == ({}, (0, 0), (None, None))
