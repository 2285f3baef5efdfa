"""Routes, the paging switch, silences and hotspots in a replay: the same path as live, from the first event on."""

from typing import Any

from schemas.notification import validate_notification
from streams.policy import compile_policy
from streams.policy_file import read_policy_value
from streams.replay import Line, Replay
from tests.timelines.timeline import email, iso, ms, phone, policy, social, told_at, version

HOUR = policy(targets=[{"first_response": "1h"}], warn_at="100%")
DESKS = {
    "routes": [
        {"when": {"public": True, "min_attempts": 3}, "role": "senior"},
        {"when": {"topic": "billing", "difficulty": "easy"}, "role": "billing"},
        {"role": "desk"},
    ]
}


def replayed(document: dict[str, Any], *lines: Line, until: str) -> Replay:
    """The replay, with what it said in `told` and `escalated`."""
    run = Replay(compile_policy(read_policy_value(document, "story")))
    run.told, run.escalated = [], []
    for outcome in run.run(sorted(lines, key=lambda line: line.arrived_at), ms(until)):
        run.told += outcome.notifications
        run.escalated += outcome.escalations
    for note in run.told:
        validate_notification(note)
    return run


def notes(run: Any) -> list[str]:
    """When, what and how many of each notification."""
    return [f"{told_at(note['at'])} {note['change']} {note['count']}" for note in run.told]


def test_paging_is_switched_off_and_on_at_run_time():
    """Escalations go on; what is open when it is on again is told once, though nothing else happens then."""
    run = replayed(
        HOUR,
        email("10:00", "contact"),
        version("10:30", {**HOUR, "notify": {"paging": "off", "reason": "drill"}}),
        phone("11:30", "contact", who="phone:+4930123"),
        version("13:00", HOUR),
        until="14:00",
    )
    assert [told_at(r["detected_at"]) for r in run.escalated if r["kind"] == "sla"] == ["11:00", "12:30"]
    assert notes(run) == ["13:00:30 first 1", "13:00:30 first 1"]


def test_a_version_that_takes_effect_later_is_followed_then():
    """The switch acts at `effective_at`: nobody has to send anything for it."""
    on = version("11:10", HOUR, effective_at=iso("12:00"))
    run = replayed({**HOUR, "notify": {"paging": "off"}}, email("10:00", "contact"), on, until="13:00")
    assert notes(run) == ["12:00:30 first 1"]


def test_what_is_still_open_when_a_silence_ends_pages_then():
    """A maintenance window by tier and team: recorded, not paged."""
    silence = {"when": {"tier": "gold", "severity": "error"}, "from": iso("9:00"), "until": iso("13:00")}
    story = [
        email("10:00", "contact", tier="gold"),
        email("10:00", "contact", thread="email:2", tier="gold"),
        email("12:30", "reply", thread="email:2"),
    ]
    run = replayed({**HOUR, "silences": [silence]}, *story, until="14:00")
    assert notes(run) == ["13:00 first 1"]
    assert len([r for r in run.escalated if r["change"] == "opened"]) == 2


def test_a_policy_that_groups_otherwise_moves_what_is_open():
    """The old group is over, the new one pages."""
    story = [email("10:00", "contact"), version("12:00", {**HOUR, "notify": {"group_by": ["severity"]}})]
    run = replayed(HOUR, *story, until="13:00")
    assert [f"{told_at(n['at'])} {n['change']} {n['group_key']}" for n in run.told] == [
        "11:00:30 first kind=sla/topic=/channel=email",
        "12:00 resolved kind=sla/topic=/channel=email",
        "12:00:30 first severity=error",
    ]


def test_a_public_vent_after_two_failed_attempts_goes_to_a_senior_person():
    """Who was never answered by phone or email and says so in public is not one more post for the desk."""
    document = policy(patterns={"went_public": {}}, **DESKS)
    vent = [phone("10:00", "contact"), email("11:00", "contact"), social("12:00", "contact")]
    (record,) = replayed(document, *vent, until="12:10").escalated
    assert record["route"] == {"role": "senior"}
    (record,) = replayed(document, *vent[1:], until="12:10").escalated
    assert record["route"] == {"role": "desk"}


def test_an_easy_billing_question_goes_to_the_billing_desk():
    """And a hard one does not."""
    for difficulty, role in (("easy", "billing"), ("hard", "desk")):
        ask = email("10:00", "contact", topic="billing", difficulty=difficulty)
        (record,) = replayed({**HOUR, **DESKS}, ask, until="11:00").escalated
        assert record["route"] == {"role": role}


def test_a_hotspot_pages_as_a_group_of_its_own_and_takes_commands():
    """Three customers on one topic; acknowledged, it is not repeated."""
    document = {**HOUR, "hotspots": {"customers": 3}}
    asked = [email("10:00", "contact", f"t{n}", who=f"email:c{n}@x.org", topic="outage") for n in range(3)]
    run = replayed(document, *asked, until="11:10")
    (hot,) = [r for r in run.escalated if r["kind"] == "hotspot"]
    assert sorted(notes(run)) == ["11:00:30 first 1", "11:00:30 first 3"]
    order = {"id": "o", "at": iso("11:20"), "customer_id": "cus_0", "escalation_id": hot["escalation_id"], "by": "sam"}
    orders = [Line(ms("11:20"), "escalations.commands", order | {"action": "acknowledge"})] * 2
    run = replayed({**document, "ack_timeout": "0s"}, *asked, *orders, until="20:00")
    assert [r["change"] for r in run.escalated if r["kind"] == "hotspot"] == ["opened", "acknowledged"]
    assert [n["change"] for n in run.told if n["group_key"].startswith("kind=hotspot")] == ["first"]
