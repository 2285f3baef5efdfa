"""The life of an escalation: ladder, commands, corrections (contract, section 6)."""

import pytest

from tests.timelines.timeline import (
    command,
    email,
    interaction,
    iso,
    phone,
    policy,
    social,
    tell,
)

ROLES = {"shift": {"contact": "pagerduty:P1"}, "head": {}, "chief": {}}
LADDER = [{"after": "0m", "role": "shift"}, {"after": "15m", "role": "head"}, {"after": "1h", "role": "chief"}]
CLIMB = policy(
    targets=[{"first_response": "1h"}], warn_at="100%", ladders={"error": LADDER, "critical": LADDER}, roles=ROLES
)
ASKED = email("10:00", "contact")


def levels(told):
    return [(r["change"], r["level"], r["route"]["role"]) for r in told.records]


def test_the_ladder_climbs_step_by_step():
    """Each step that passes raises the level by one and names the next role; after the last one there is silence."""
    told = tell(CLIMB, ASKED, until="20:00")
    assert told.sla() == ["11:00 opened error", "11:15 raised error", "12:00 raised error"]
    assert levels(told) == [("opened", 1, "shift"), ("raised", 2, "head"), ("raised", 3, "chief")]
    assert told.records[0]["route"] == {"role": "shift", "contact": "pagerduty:P1"}


def test_acknowledging_stops_the_ladder_until_its_timeout():
    """Acknowledged at 11:10; at 11:40 it is open again, and the ladder goes on where it was: 5 minutes to the next step."""
    told = tell(CLIMB, ASKED, command("11:10", "acknowledge"), until="20:00")
    assert told.sla() == [
        "11:00 opened error",
        "11:10 acknowledged error",
        "11:40 updated error",
        "11:45 raised error",
        "12:30 raised error",
    ]
    said = told.records[1]
    assert (said["status"], said["acknowledged_by"], said["time_to_acknowledge_s"]) == ("acknowledged", "sam", 600)
    assert said["acknowledged_role"] == "shift"
    assert told.records[2]["status"] == "open"


def test_an_acknowledgement_without_a_timeout_lasts():
    """`ack_timeout: 0m` is never."""
    told = tell({**CLIMB, "ack_timeout": "0m"}, ASKED, command("11:10", "acknowledge"), until="3d 10:00")
    assert told.sla() == ["11:00 opened error", "11:10 acknowledged error"]


def test_a_higher_severity_starts_its_own_ladder():
    """From warning to error at the breach: the error's ladder begins there."""
    document = {**CLIMB, "warn_at": "80%", "ladders": {"warning": [{"after": "5m", "role": "head"}], "error": LADDER}}
    told = tell(document, ASKED, until="11:20")
    assert told.sla() == ["10:48 opened warning", "10:53 raised warning", "11:00 raised error", "11:15 raised error"]
    assert levels(told) == [
        ("opened", 0, "unassigned"),
        ("raised", 1, "head"),
        ("raised", 1, "shift"),
        ("raised", 2, "head"),
    ]


def test_a_higher_severity_while_acknowledged_starts_its_ladder_at_the_timeout():
    """It is raised at once, stays acknowledged, and its ladder begins when the acknowledgement times out."""
    document = {**CLIMB, "warn_at": "80%"}
    told = tell(document, ASKED, command("10:50", "acknowledge"), until="11:40")
    assert told.sla() == [
        "10:48 opened warning",
        "10:50 acknowledged warning",
        "11:00 raised error",
        "11:20 updated error",
        "11:35 raised error",
    ]
    assert [r["status"] for r in told.records] == ["open", "acknowledged", "acknowledged", "open", "open"]
    assert [r["level"] for r in told.records][-2:] == [1, 2]


def test_a_lower_severity_keeps_the_level():
    """When the worst pattern ends, the severity falls with `updated` and the level stays."""
    document = policy(
        patterns={"ignored": {"after": "1h"}, "channel_switch": {}}, ladders={"error": LADDER}, roles=ROLES
    )
    told = tell(document, ASKED, phone("10:10", "contact"), phone("11:20", "answered"), until="15:00")
    assert told.history() == [
        "10:10 opened warning channel_switch",
        "11:00 raised error channel_switch+ignored",
        "11:15 raised error channel_switch+ignored",
        "11:20 updated warning channel_switch",
    ]
    assert [r["level"] for r in told.records] == [0, 1, 2, 2]


def test_suppressed_until_it_is_silent_until_then():
    """While suppressed only `resolved` is sent; still true at the end of it, it is unsuppressed."""
    told = tell(CLIMB, ASKED, command("11:05", "suppress", until="12:30"), until="12:39")
    assert told.sla() == ["11:00 opened error", "11:05 suppressed error", "12:30 unsuppressed error"]
    assert told.records[-1]["status"] == "open"
    told = tell(CLIMB, ASKED, command("11:05", "suppress", until="12:30"), email("12:00", "reply"), until="13:00")
    assert told.sla()[-1] == "12:00 resolved answered"


def test_suppressed_without_an_end_stays_silent():
    """Without `until` only the command or the end of it all lifts it."""
    told = tell(CLIMB, ASKED, command("11:05", "suppress"), command("15:00", "unsuppress"), until="15:05")
    assert told.sla() == ["11:00 opened error", "11:05 suppressed error", "15:00 unsuppressed error"]


def test_a_higher_severity_while_suppressed_starts_its_ladder_when_it_is_lifted():
    """Suppressed as a warning, breached meanwhile, lifted by hand: the error's ladder begins at once."""
    document = {**CLIMB, "warn_at": "80%"}
    told = tell(document, ASKED, command("10:50", "suppress"), command("11:30", "unsuppress"), until="11:50")
    assert told.sla() == [
        "10:48 opened warning",
        "10:50 suppressed warning",
        "11:30 unsuppressed error",
        "11:45 raised error",
    ]
    assert [r["level"] for r in told.records][-2:] == [1, 2]
    told = tell(document, ASKED, command("10:50", "suppress", until="11:30"), until="11:50")
    assert [(r["change"], r["level"]) for r in told.records][-2:] == [("unsuppressed", 1), ("raised", 2)]


def test_after_a_resolve_command_the_same_stays_silent():
    """Resolved by a person, the breach does not open again while it lasts."""
    told = tell(CLIMB, ASKED, command("11:10", "resolve"), until="2d 10:00")
    assert told.sla() == ["11:00 opened error", "11:10 resolved command"]


def test_after_a_resolve_command_worse_opens_again():
    """Resolved as a warning, it opens anew when it becomes a breach, naming the old one."""
    told = tell({**CLIMB, "warn_at": "80%"}, ASKED, command("10:50", "resolve"), until="11:00")
    assert told.sla() == ["10:48 opened warning", "10:50 resolved command", "11:00 opened error"]
    assert told.records[-1]["previous"] == told.records[0]["escalation_id"]
    assert told.records[-1]["escalation_id"] != told.records[0]["escalation_id"]


def test_after_a_resolve_command_it_opens_when_it_has_ceased_and_come_back():
    """Solved and asked again: the history that held before the command opens a new escalation."""
    document = policy(patterns={"channel_switch": {}})
    story = (
        ASKED,
        phone("10:10", "contact"),
        command("10:20", "resolve", "history"),
        phone("11:00", "status", status="solved"),
        phone("12:00", "contact"),
    )
    told = tell(document, *story)
    assert told.history() == [
        "10:10 opened warning channel_switch",
        "10:20 resolved command",
        "12:00 opened warning channel_switch",
    ]


@pytest.mark.parametrize("action", ["acknowledge", "suppress", "unsuppress", "resolve"])
def test_a_command_for_what_is_not_open_is_set_aside(action):
    """An unknown or a resolved escalation: dead letter, `unknown_escalation`, and nothing changes."""
    told = tell(
        CLIMB, ASKED, command("10:30", action, of="esc_unknown"), email("11:10", "reply"), command("11:20", action)
    )
    assert [dead.reason for dead in told.dead] == ["unknown_escalation"] * 2
    assert told.sla() == ["11:00 opened error", "11:10 resolved answered"]


def test_a_history_names_all_its_patterns_and_takes_the_highest_severity():
    """One escalation per issue: it is raised and updated as patterns come."""
    document = policy(patterns={"channel_switch": {}, "third_channel": {}, "went_public": {}})
    told = tell(document, phone("10:00", "contact"), email("10:10", "contact"), social("10:20", "contact"))
    assert told.history() == [
        "10:10 opened warning channel_switch",
        "10:20 raised critical channel_switch+third_channel+went_public",
    ]
    assert len({r["escalation_id"] for r in told.records}) == 1


def test_an_info_alone_opens_nothing_but_is_named_with_others():
    """A history opens at a warning; what is lighter is named once it is open."""
    document = policy(patterns={"channel_switch": {"severity": "info"}, "abandoned": {}})
    told = tell(
        document,
        phone("10:00", "contact"),
        email("10:10", "contact"),
        phone("10:20", "abandoned"),
        phone("10:30", "abandoned"),
    )
    assert told.history() == ["10:30 opened warning abandoned+channel_switch"]


def test_late_evidence_for_a_pattern_takes_it_back_or_lowers_it():
    """A reply of 10:30 that arrives at 12:00: never ignored. With a lighter pattern left, the escalation is updated."""
    document = policy(patterns={"ignored": {"after": "1h"}, "channel_switch": {}})
    told = tell(document, ASKED, email("10:30", "reply", arrives="12:00"))
    assert told.history() == ["11:00 opened error ignored", "12:00 resolved late_evidence"]
    assert told.records[-1]["retracted"] is True
    told = tell(document, ASKED, phone("10:10", "contact"), email("10:30", "reply", arrives="12:00"))
    assert told.history()[1:] == ["11:00 raised error channel_switch+ignored", "12:00 updated warning channel_switch"]
    assert told.records[-1]["retracted"] is True


def test_a_second_time_names_the_first():
    """Resolved is final: what holds again opens anew with `previous`."""
    document = policy(patterns={"channel_switch": {}})
    told = tell(document, ASKED, phone("10:10", "contact"), phone("11:00", "confirmed"), phone("12:00", "contact"))
    first, _, second = told.records
    assert second["previous"] == first["escalation_id"]
    assert second["revision"] == 1


def test_a_due_time_that_moves_is_told_while_the_warning_stands():
    """Pending after the warning takes the due time away; going on gives a new one."""
    document = policy(targets=[{"resolution": "1h"}])
    told = tell(
        document,
        ASKED,
        email("10:50", "status", status="pending"),
        email("11:50", "status", status="open"),
        until="11:55",
    )
    assert told.sla() == ["10:48 opened warning", "10:50 updated warning", "11:50 updated warning"]
    assert [r["due_at"] for r in told.records] == [iso("11:00"), None, iso("12:00")]


def test_routes_by_what_is_known():
    """The first route that matches; a ladder's role goes before it."""
    document = policy(
        targets=[{"first_response": "1h"}],
        warn_at="100%",
        routes=[{"when": {"topic": "billing", "difficulty": "easy"}, "role": "head"}, {"role": "shift"}],
        roles=ROLES,
    )
    easy = email("10:00", "contact", topic="billing", difficulty="easy")
    assert tell(document, easy, until="11:00").records[0]["route"]["role"] == "head"
    assert tell(document, ASKED, until="11:00").records[0]["route"]["role"] == "shift"
    assert tell({**document, "ladders": {"error": LADDER}}, easy, until="11:00").records[0]["route"]["role"] == "shift"


def test_detection_says_how_late_it_was():
    """An event that arrives ten minutes after its clock was due is detected ten minutes late."""
    told = tell(CLIMB, email("10:00", "contact", arrives="11:10"))
    assert told.records[0]["detection_lag_s"] == 600
    assert told.records[0]["breached_at"] == iso("11:00")


def test_whose_turn_it_is():
    """The company's while a question is open; the customer's after an answer; nobody's when all is solved."""
    document = policy(patterns={"channel_switch": {}, "passed_around": {"count": 1}})
    told = tell(
        document,
        ASKED,
        phone("10:10", "contact"),
        email("10:20", "reply"),
        phone("10:21", "answered"),
        phone("10:30", "transfer", to_team="billing"),
        phone("11:00", "status", status="solved"),
    )
    assert [r["waiting_on"] for r in told.records] == ["company", "customer", "nobody"]


def test_what_a_revision_shows_of_the_customer():
    """Identities are masked unless the policy says otherwise; the text is an excerpt of 200 characters, or none."""
    line = interaction("email", "10:00", "contact", text="x" * 500)
    told = tell(CLIMB, line, until="11:00")
    assert "kim@example.com" not in str(told.records)
    assert told.records[0]["timeline"][0]["excerpt"] == "x" * 200
    told = tell({**CLIMB, "privacy": {"excerpts": False, "identities": "clear"}}, line, until="11:00")
    assert told.records[0]["identities"] == [{"type": "email", "value": "kim@example.com"}]
    assert "xxx" not in str(told.records)
