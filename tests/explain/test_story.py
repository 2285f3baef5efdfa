"""A customer's story: what it tells of inputs, clocks, patterns, escalations, and the end."""

from schemas.times import parse_time
from streams.explain import StoryLine, story
from streams.explain.inquiry import inquire
from streams.replay import Line
from tests.explain.timeline import DOCUMENT, event, instant, link, policy


def told(lines: list[Line], until: str = "08T23:00", name: str = "email:kim@example.com", **options) -> list[StoryLine]:
    texts = options.pop("texts", False)
    answer = inquire(name, policy(**options), lambda: iter(lines), instant(until))
    return story(answer.customer, answer.policies, answer.records, answer.now, changes=answer.changes, texts=texts)


def texts_of(lines: list[StoryLine], kind: str) -> list[str]:
    return [line.text for line in lines if line.kind == kind]


def test_what_came_in_is_told_in_order_of_happening():
    """Each event with channel, kind and actor; a late one says so."""
    lines = [
        event("e1", "13:00", "contact", "t1"),
        event("e3", "15:00", "status", "t1", data={"status": "pending"}, actor={"type": "agent"}),
        event("e2", "14:00", "reply", "t1", arrived_at="16:00", actor={"type": "agent", "team": "desk"}),
    ]
    assert texts_of(told(lines), "input") == [
        "contact on email, customer, thread t1 [e1]",
        "reply on email, agent of desk, thread t1 [e2]; it arrived 2h late",
        "status pending on email, agent, thread t1 [e3]",
    ]


def test_what_was_written_is_shown_only_on_request():
    """No word of a customer appears unless --texts asks for it."""
    lines = [event("e1", "13:00", "contact", "t1", text="Where is my parcel?")]
    assert "parcel" not in str(told(lines))
    assert "Where is my parcel?" in texts_of(told(lines, texts=True), "input")[0]


def test_a_clock_tells_its_target_row_calendar_and_policy():
    """Why a clock is due when it is due can be read off its first line."""
    (first, *_) = texts_of(told([event("e1", "13:00", "contact", "t1", channel="chat")]), "clock")
    assert first == (
        "first response, thread t1: starts with e1; target 1h in calendar always "
        "(targets[0]: channel phone|chat, policy 1): due 2026-06-08 14:00:00"
    )


def test_a_clock_tells_its_pauses_and_the_new_due_time():
    """A pause and its end are told; the due time moves by what was not counted."""
    lines = [
        event("e1", "13:00", "contact", "t1"),
        event("e2", "14:00", "status", "t1", data={"status": "pending"}),
        event("e3", "16:00", "contact", "t1"),
    ]
    clock = [line for line in texts_of(told(lines), "clock") if line.startswith("resolution")]
    assert clock == [
        (
            "resolution, thread t1: starts with e1; target 16h in calendar office (targets[1]: all, policy 1): "
            "due 2026-06-09 21:00:00"
        ),
        "resolution, thread t1: is paused",
        "resolution, thread t1: runs again after 2h; now due 2026-06-10 15:00:00",
    ]


def test_a_clock_tells_its_warning_breach_and_end():
    """Warned, breached, answered too late: in this order, with what was counted."""
    lines = [
        event("e1", "13:00", "contact", "t1", channel="chat"),
        event("e2", "15:00", "answered", "t1", channel="chat"),
    ]
    told_ = [(line.at, line.text.partition(": ")[2]) for line in told(lines) if line.text.startswith("first")]
    assert told_[1:] == [
        (instant("13:48"), "is at risk: warned at 80% of the target"),
        (instant("14:00"), "is breached (policy 1)"),
        (instant("15:00"), "answered by e2: breached, 2h counted of 1h"),
    ]


def test_a_changed_policy_is_told():
    """A new version is a line of its own, and running clocks say what it made of them."""
    newer = DOCUMENT | {"version": "2", "targets": [{"first_response": "4h"}]}
    lines = [
        event("e1", "13:00", "contact", "t1", channel="chat"),
        Line(instant("13:30"), "policies", newer),
    ]
    found = told(lines)
    assert texts_of(found, "policy") == ["policy 2 is in force, for open clocks too"]
    assert (
        "first response, thread t1: counts anew from 2026-06-08 13:00:00; target 4h in calendar always "
        "(targets[0]: all, policy 2): due 2026-06-08 17:00:00" in texts_of(found, "clock")
    )


def test_patterns_are_told_with_their_evidence():
    """When a pattern became true, by which events, and when it ceased."""
    lines = [
        event("e1", "13:00", "contact", "t1"),
        event("e2", "14:00", "contact", "t2", channel="phone"),
        event("e3", "15:00", "status", "t2", channel="phone", data={"status": "solved"}),
    ]
    found = [line for line in told(lines) if line.kind == "pattern" and "channel_switch" in line.text]
    assert [line.at for line in found] == [instant("14:00"), instant("15:00")]
    assert "holds (warning)" in found[0].text
    assert found[0].text.endswith("by e1, e2")
    assert "ceases" in found[1].text


def test_escalations_are_told_with_their_summaries():
    """Every revision, with change, severity, role and the sentence for the supervisor."""
    lines = [event("e1", "13:00", "contact", "t1"), event("e2", "14:00", "contact", "t2", channel="phone")]
    found = texts_of(told(lines, until="08T14:30"), "escalation")
    assert len(found) == 1
    assert " r1 opened warning channel_switch -> " in found[0]
    assert "2nd channel in 1 h: email 8 Jun, phone 8 Jun 14:00; nobody has answered" in found[0]


def test_the_end_tells_what_is_open():
    """How things stand: issues and whose turn it is, clocks and when they are due, open escalations."""
    lines = [event("e1", "13:00", "contact", "t1", topic="billing")]
    end = texts_of(told(lines, until="08T14:00"), "now")
    assert end[0].endswith("is open (billing), waiting on company; threads t1")
    assert "clock first response, thread t1 is running, due 2026-06-08 21:00:00, in 7h" in end
    assert "no escalation is open" in end
    assert end[-1].startswith("if nothing happens, something is to be said next at 2026-06-08 ")


def test_identities_are_told_as_they_join_and_masked():
    """Which record joined which identity, and which customers became one; no address is shown in full."""
    lines = [
        event("e1", "13:00", "contact", "t1"),
        event("e2", "14:00", "contact", "t2", channel="phone", identities=["phone:+12125550100"]),
        link("l1", "15:00", "link", "email:kim@example.com", "phone:+12125550100"),
    ]
    found = texts_of(told(lines), "identity")
    assert any("email:k***@example.com is the customer's, by e1" in text for text in found)
    assert any("is the same customer: merged into" in text for text in found)
    assert not any("kim@" in text or "2125550100" in text for text in found)


def test_until_ends_the_story():
    """Nothing later than --until is told, except when the next thing is due."""
    lines = [event("e1", "13:00", "contact", "t1"), event("e2", "09T14:00", "contact", "t1")]
    found = told(lines, until="08T13:30")
    assert all(line.at <= instant("08T13:30") for line in found)
    assert len(texts_of(found, "input")) == 1


def test_a_story_can_be_told_of_a_customer_alone():
    """For a failing test: a customer and the policies are enough."""
    answer = inquire(
        "email:kim@example.com", policy(), lambda: [event("e1", "13:00", "contact", "t1")], instant("08T13:30")
    )
    lines = story(answer.customer, answer.policies)
    assert lines[0].at == parse_time("2026-06-08T13:00:00Z")
    assert lines[-1].kind == "now"
