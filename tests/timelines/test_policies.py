"""New versions of the policy, and the clocks that run when they come."""

from tests.timelines.timeline import email, iso, phone, policy, tell, told_at, version

HOUR = policy(targets=[{"first_response": "1h"}], warn_at="100%")
TWO_HOURS = policy(targets=[{"first_response": "2h"}], warn_at="100%")
HALF = policy(targets=[{"first_response": "30m"}], warn_at="100%")
NONE = policy(targets=[], warn_at="100%")


def test_a_laxer_version_before_the_breach_moves_the_due_time():
    """Two hours from the start instead of one."""
    told = tell(HOUR, email("10:00", "contact"), version("10:30", TWO_HOURS), until="13:00")
    assert told.sla() == ["12:00 opened error"]


def test_a_laxer_version_after_the_breach_resolves_and_keeps_it_on_record():
    """The escalation is resolved with `policy_change`; the breach stays in the clock's `breaches`."""
    told = tell(HOUR, email("10:00", "contact"), version("11:10", TWO_HOURS), until="11:30")
    assert told.sla() == ["11:00 opened error", "11:10 resolved policy_change"]
    clock = told.clock("first_response")
    assert (clock["state"], clock["breaches"][0]["at"]) == ("running", iso("11:00"))
    told = tell(HOUR, email("10:00", "contact"), version("11:10", TWO_HOURS), until="12:30")
    assert told.sla()[2:] == ["12:00 opened error"]
    assert told.records[-1]["previous"] == told.records[0]["escalation_id"]
    assert [breach["at"] for breach in told.clock("first_response")["breaches"]] == [iso("11:00"), iso("12:00")]


def test_a_stricter_version_breaches_when_it_takes_effect():
    """Due at 10:30 by a version of 10:40: breached at 10:40."""
    told = tell(HOUR, email("10:00", "contact"), version("10:40", HALF), until="10:50")
    assert told.sla() == ["10:40 opened error"]
    assert told.records[0]["breached_at"] == iso("10:40")
    assert told.records[0]["detection_lag_s"] == 0


def test_a_version_takes_effect_when_it_says_so_at_the_earliest():
    """`effective_at` in the future is waited for; one in the past counts from the arrival."""
    told = tell(HOUR, email("10:00", "contact"), version("10:10", HALF, effective_at=iso("10:40")), until="11:00")
    assert told.sla() == ["10:40 opened error"]
    told = tell(HOUR, email("10:00", "contact"), version("10:40", HALF, effective_at=iso("10:10")), until="11:00")
    assert told.sla() == ["10:40 opened error"]


def test_a_version_for_new_clocks_leaves_running_ones():
    """`apply: new` is for clocks that start later."""
    told = tell(
        HOUR, email("10:00", "contact"), version("10:10", HALF, apply="new"), phone("10:20", "contact"), until="11:30"
    )
    assert told.sla() == ["10:50 opened error", "11:00 opened error"]
    assert [r["thread"] for r in told.records] == ["phone:1", "email:1"]


def test_a_target_that_appears_starts_clocks():
    """A thread that had no clock gets one, counted from its start."""
    told = tell(NONE, email("10:00", "contact"), version("10:10", HOUR), until="11:00")
    assert told.sla() == ["11:00 opened error"]
    assert tell(NONE, email("10:00", "contact"), version("10:10", HOUR, apply="new"), until="12:00").clocks() == []


def test_a_target_that_vanishes_ends_clocks():
    """A running clock is cancelled; a breach is resolved with `policy_change`."""
    told = tell(HOUR, email("10:00", "contact"), version("10:30", NONE), until="12:00")
    assert told.sla() == []
    assert told.clock("first_response")["state"] == "cancelled"
    told = tell(HOUR, email("10:00", "contact"), version("11:30", NONE), until="12:00")
    assert told.sla() == ["11:00 opened error", "11:30 resolved policy_change"]


def test_the_same_version_twice_is_ignored():
    """A version that is known changes nothing, whatever else it says."""
    told = tell(HOUR, email("10:00", "contact"), version("10:10", {**HALF}, version="1"), until="11:00")
    assert told.sla() == ["11:00 opened error"]


def test_a_stopped_clock_stays_as_it_was():
    """A stricter version does not breach what was met."""
    told = tell(HOUR, email("10:00", "contact"), email("10:45", "reply"), version("10:50", HALF), until="12:00")
    assert told.records == []
    assert told.clock("first_response")["policy_version"] == "1"


def test_pauses_granted_before_stay_granted():
    """A version that no longer pauses on pending keeps the pauses of the time before (GLPI #6902, #15605)."""
    pausing = policy(targets=[{"resolution": "2h"}], warn_at="100%")
    strict = policy(targets=[{"resolution": "2h"}], warn_at="100%", pauses=[])
    told = tell(
        pausing,
        email("10:00", "contact"),
        email("10:30", "status", status="pending"),
        version("11:00", strict),
        until="12:30",
    )
    assert told.sla() == ["12:30 opened error"]
    assert told.clock("resolution")["paused"] == [[iso("10:30"), iso("11:00")]]


def test_pauses_are_kept_when_the_target_changes():
    """The half hour of pending is not counted under the new target either (GLPI #6902)."""
    long = policy(targets=[{"resolution": "4h"}], warn_at="100%")
    short = policy(targets=[{"resolution": "2h"}], warn_at="100%")
    told = tell(
        long,
        email("10:00", "contact"),
        email("10:30", "status", status="pending"),
        email("11:00", "status", status="open"),
        version("11:30", short),
        until="13:00",
    )
    assert told.sla() == ["12:30 opened error"]


def test_patterns_follow_the_policy_of_their_time():
    """Switched off, a pattern ends with `policy_change`; switched on, it holds from then."""
    on, off = policy(patterns={"ignored": {"after": "1h"}}), policy()
    told = tell(on, email("10:00", "contact"), version("12:00", off), version("13:00", on), until="14:00")
    assert told.history() == [
        "11:00 opened error ignored",
        "12:00 resolved policy_change",
        "13:00 opened error ignored",
    ]


def test_a_ladder_of_a_version_yet_to_come_is_climbed_when_it_comes():
    """A version that takes effect later brings its ladder at that moment, without another event."""
    document = policy(targets=[{"first_response": "1h"}], warn_at="100%")
    climbing = {**document, "ladders": {"error": [{"after": "10m", "role": "lead"}]}, "roles": {"lead": {}}}
    told = tell(
        document, email("10:00", "contact"), version("10:10", climbing, effective_at=iso("11:30")), until="12:00"
    )
    assert told.sla() == ["11:00 opened error", "11:30 raised error"]
    assert told.records[-1]["level"] == 1


def test_a_longer_quiet_time_keeps_an_issue_open():
    """Waits are judged by the version in force when they would be over."""
    short = policy(issues={"quiet_after": "24h"})
    longer = policy(issues={"quiet_after": "48h"})
    story = (email("10:00", "contact"), email("10:10", "reply"))
    assert tell(short, *story, until="1d 10:00:00.001").issues()[0]["status"] == "resolved"
    assert tell(short, *story, version("12:00", longer), until="1d 10:00:00.001").issues()[0]["status"] == "open"
    assert tell(short, *story, version("12:00", longer), until="2d 10:00:00.001").issues()[0]["status"] == "resolved"


def test_an_escalation_carries_the_version_that_decided_it():
    """A clock that goes on under the old version is escalated by the old version, though a new one is in force."""
    old = policy(targets=[{"first_response": "1h"}], warn_at="100%")
    told = tell(
        old,
        email("10:00", "contact", "email:1"),
        version("10:30", old, apply="new", version="2", targets=[{"first_response": "10m"}]),
        email("10:40", "contact", "email:2"),
        until="12:00",
    )
    assert [(r["thread"], r["policy_version"], told_at(r["detected_at"])) for r in told.records] == [
        ("email:2", "2", "10:50"),
        ("email:1", "1", "11:00"),
    ]
