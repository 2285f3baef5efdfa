"""What is let in, what is set aside, and how time is taken (contract, section 2)."""

import pytest

from schemas.times import DAY
from streams.replay import Line
from tests.timelines.timeline import email, interaction, iso, ms, phone, policy, tell

HOUR = policy(targets=[{"first_response": "1h"}], warn_at="100%")


def changed(**values):
    line = email("10:00", "contact")
    for name, value in values.items():
        if value is None:
            line.value.pop(name, None)
        else:
            line.value[name] = value
    return line


@pytest.mark.parametrize(
    ("line", "reason", "named"),
    [
        (changed(id=None), "schema", "id"),
        (changed(id=7), "schema", "id"),
        (changed(occurred_at=None), "schema", "occurred_at"),
        (changed(occurred_at="2026-06-08T10:00:00"), "schema", "occurred_at"),
        (changed(occurred_at="yesterday"), "schema", "occurred_at"),
        (changed(channel="fax"), "schema", "channel"),
        (changed(kind="shout"), "schema", "kind"),
        (changed(thread=None), "schema", "thread"),
        (changed(identities="kim"), "schema", "identities"),
        (changed(identities=[{"type": "shoe", "value": "9"}]), "schema", "identities.0.type"),
        (changed(actor={"type": "ghost"}), "schema", "actor.type"),
        (changed(kind="status"), "schema", "data.status"),
        (changed(kind="promise", data={"due_at": "soon"}), "schema", "data.due_at"),
        (changed(kind="merge"), "schema", "data.into"),
        (changed(kind="deflect", data={"to": "moon"}), "schema", "data.to"),
        (changed(priority="asap"), "schema", "priority"),
        (changed(data={"reach": "many"}), "schema", "data.reach"),
        (Line(ms("10:00"), "interactions", [1]), "schema", "$"),
        (Line(ms("10:00"), "identities.links", {"id": "l"}), "schema", "occurred_at"),
        (Line(ms("10:00"), "escalations.commands", {"id": "c"}), "schema", "at"),
        (Line(ms("10:00"), "policies", {"version": "2", "color": 1}), "schema", "color"),
    ],
)
def test_a_bad_record_is_set_aside_with_the_field_named(line, reason, named):
    """It changes nothing; the records after it go on."""
    told = tell(HOUR, line, email("10:30", "contact", "other"), until="12:00")
    assert [dead.reason for dead in told.dead] == [reason]
    assert named in told.dead[0].detail
    assert told.sla() == ["11:30 opened error"]


def test_unknown_fields_are_ignored():
    """Fields of a later version, in the record, its actor and its data, never fail an event."""
    told = tell(
        HOUR, changed(colour="red", actor={"type": "customer", "mood": 1}, data={"x": {"y": []}}), until="11:00"
    )
    assert told.dead == []
    assert told.sla() == ["11:00 opened error"]


def test_a_time_a_little_ahead_is_taken_as_the_arrival():
    """Five minutes ahead at most; a ms more is refused, and moves no time."""
    told = tell(HOUR, email("10:05", "contact", arrives="10:00"), until="11:00")
    assert told.dead == []
    assert told.clock("first_response")["started_at"] == iso("10:00")
    told = tell(HOUR, email("10:05:00.001", "contact", arrives="10:00"), until="11:00")
    assert [dead.reason for dead in told.dead] == ["future_timestamp"]
    assert told.customers() == []


def test_what_is_too_old_is_set_aside():
    """400 days before its arrival is the oldest; a ms older is refused."""
    line = interaction("email", "-400d 10:00", "contact", arrives="10:00")
    assert tell(HOUR, line).dead == []
    line = interaction("email", "-400d 09:59:59.999", "contact", arrives="10:00")
    assert [dead.reason for dead in tell(HOUR, line).dead] == ["too_old"]
    assert ms("10:00") - ms("-400d 10:00") == 400 * DAY


def test_a_second_event_with_the_same_id_changes_nothing():
    """Whatever it says: the first to arrive counts."""
    told = tell(
        HOUR,
        email("10:00", "contact", id="one"),
        email("10:00", "contact", id="one", arrives="10:10"),
        email("10:20", "reply", id="one"),
        until="11:00",
    )
    assert told.sla() == ["11:00 opened error"]
    assert told.issues()[0]["contacts"] == 1


@pytest.mark.parametrize(
    ("kinds", "state"),
    [
        (("contact", "reply"), "met"),
        (("contact", "answered"), "met"),
        (("contact", "abandoned"), "running"),
        (("contact", "note"), "running"),
    ],
)
def test_events_of_one_instant_are_ordered_by_kind(kinds, state):
    """A contact comes before its answer, whatever their ids and the order of their lines."""
    for first, last in (kinds, kinds[::-1]):
        told = tell(HOUR, email("10:00", first, id="z"), email("10:00", last, id="a"), until="10:30")
        assert told.clock("first_response")["state"] == state


def test_a_solve_in_the_instant_of_a_contact_comes_after_it():
    """Status is ordered after contact: solved."""
    told = tell(HOUR, email("10:00", "status", status="solved", id="a"), email("10:00", "contact", id="b"))
    assert told.issues()[0]["status"] == "resolved"
    told = tell(
        HOUR, email("10:00", "confirmed", id="a"), phone("10:00", "contact", id="b"), email("10:00", "contact", id="c")
    )
    assert told.issues()[0]["status"] == "open" or told.clock("first_response", "email:1")["state"] == "cancelled"


def test_two_contacts_of_one_instant_are_ordered_by_id():
    """The clock is that of the smaller id."""
    told = tell(HOUR, email("10:00", "contact", id="b"), email("10:00", "contact", id="a"), until="11:00")
    assert told.records[0]["evidence"] == ["a", "b"]


def test_at_one_instant_events_come_before_timers():
    """An answer that arrives in the instant of the breach is in time: nothing is said."""
    assert tell(HOUR, email("10:00", "contact"), email("11:00", "reply"), until="12:00").records == []


def test_a_rejected_event_moves_no_time():
    """A record from the future next to an open clock breaches nothing early."""
    told = tell(HOUR, email("10:00", "contact"), email("20:00", "contact", arrives="10:30"), until="10:59:59.999")
    assert told.records == []
    assert told.dead[0].reason == "future_timestamp"


def test_a_rejection_says_the_field_and_the_rule_and_never_the_value():
    """What a record held may be personal: the detail of a dead letter, and so the log, does not repeat it."""
    from schemas.interaction import Interaction
    from streams.intake import Rejected, validate

    base = {"id": "x", "occurred_at": "2026-06-08T13:00:00Z", "channel": "phone", "kind": "promise", "thread": "t"}
    for field, wrong in (
        ("data.due_at", {"data": {"due_at": "call O'Neil's 'office'"}}),
        ("occurred_at", {"occurred_at": "o'neil@example.com"}),
        ("identities.0.type", {"identities": [{"type": "o'neil", "value": "o'neil"}]}),
        ("data.status", {"kind": "status", "data": {"status": "o'neil"}}),
    ):
        found = validate(Interaction, base | wrong)
        assert isinstance(found, Rejected)
        assert field in found.detail
        assert "neil" not in found.detail.lower()
