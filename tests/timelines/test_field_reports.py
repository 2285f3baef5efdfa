"""What users of other systems reported, told as stories. Reports about calendars are in `tests/calendar`."""

from tests.timelines.timeline import KIM, chat, email, iso, link, phone, policy, tell, version

HOUR = policy(targets=[{"first_response": "1h", "next_response": "1h"}], warn_at="100%")
RESOLVE = policy(targets=[{"resolution": "2h"}], warn_at="100%")
PHONE = "phone:+12025550143"


def test_it_does_not_escalate_after_the_agent_replied():
    """Zammad #3140: an answered question never escalates, however often the agent writes again."""
    told = tell(
        HOUR,
        email("10:00", "contact"),
        email("10:30", "reply"),
        email("10:40", "reply"),
        email("10:50", "note"),
        until="2d 10:00",
    )
    assert told.records == []


def test_a_note_starts_no_clock():
    """Zammad #1322: a ticket that begins with an internal note has no clock until the customer speaks."""
    told = tell(HOUR, email("08:00", "note"), email("10:00", "contact"), until="11:00")
    assert told.sla() == ["11:00 opened error"]
    assert told.clock("first_response")["started_at"] == iso("10:00")
    assert tell(HOUR, email("08:00", "note"), until="2d 10:00").clocks() == []


def test_a_note_satisfies_no_clock():
    """Zammad #1620: an internal note is no answer, neither the first nor a later one."""
    story = (
        email("10:00", "contact"),
        email("10:10", "note"),
        email("10:20", "reply"),
        email("10:30", "contact"),
        email("10:40", "note"),
    )
    told = tell(HOUR, *story, until="12:00")
    assert told.clock("first_response")["stopped_at"] == iso("10:20")
    assert told.sla() == ["11:30 opened error"]


def test_next_response_does_not_run_on_after_the_solve():
    """Chatwoot #10178: a solved thread has no running response clock."""
    told = tell(
        HOUR,
        email("10:00", "contact"),
        email("10:10", "reply"),
        email("10:20", "contact"),
        email("10:30", "status", status="solved"),
        until="2d 10:00",
    )
    assert told.clock("next_response")["state"] == "cancelled"
    assert told.records == []


def test_a_pause_survives_a_change_of_the_agreement():
    """GLPI #6902, #15605: the time spent waiting for the customer stays uncounted under a new target."""
    shorter = policy(targets=[{"resolution": "1h"}], warn_at="100%")
    told = tell(
        RESOLVE,
        email("10:00", "contact"),
        email("10:10", "status", status="pending"),
        email("14:10", "status", status="open"),
        version("14:20", shorter),
        until="15:00",
    )
    assert told.sla() == ["15:00 opened error"]
    assert told.clock("resolution")["paused"] == [[iso("10:10"), iso("14:10")]]


def test_a_new_agreement_reaches_tickets_that_are_open():
    """Zammad #534, #4353: a changed or removed target is taken up at once, without the ticket being touched."""
    told = tell(
        HOUR,
        email("10:00", "contact"),
        version("10:30", policy(targets=[{"first_response": "3h"}], warn_at="100%")),
        until="13:00",
    )
    assert told.sla() == ["13:00 opened error"]
    told = tell(HOUR, email("10:00", "contact"), version("10:30", policy(warn_at="100%")), until="2d 10:00")
    assert told.records == []


def test_paused_and_then_solved_counts_no_pause():
    """Frappe PR #3776: 42 days on hold before the solve are not 42 days of work."""
    told = tell(
        RESOLVE,
        email("10:00", "contact"),
        email("11:00", "status", status="pending"),
        email("42d 11:00", "status", status="solved"),
    )
    clock = told.clock("resolution")
    assert (clock["state"], clock["counted_s"], told.records) == ("met", 3600, [])


def test_a_pause_that_lasts_moves_no_due_time_yet():
    """GLPI #24481: while pending there is no due time, and afterwards the whole pause is added."""
    story = (email("10:00", "contact"), email("11:00", "status", status="pending"))
    assert tell(RESOLVE, *story, until="3d 10:00").clock("resolution")["due_at"] is None
    told = tell(RESOLVE, *story, email("3d 11:00", "status", status="open"))
    assert told.clock("resolution")["due_at"] == iso("3d 12:00")


def test_a_reopened_ticket_continues_its_clock():
    """GLPI #23359, Zammad #188, #4777: the clock goes on where it stood; the solved days are not counted, nor is it new."""
    told = tell(
        RESOLVE,
        email("10:00", "contact"),
        email("11:30", "status", status="solved"),
        email("5d 10:00", "contact"),
        until="5d 10:30",
    )
    assert told.sla() == ["5d 10:30 opened error"]
    assert told.clock("resolution")["counted_s"] == 7200


def test_a_merged_ticket_does_not_escalate():
    """Zammad #904: after the merge only the target can breach."""
    told = tell(
        HOUR,
        phone("10:00", "contact"),
        email("10:05", "contact"),
        phone("10:30", "merge", into="email:1"),
        email("10:40", "reply"),
        until="2d 10:00",
    )
    assert told.records == []


def test_a_merge_of_customers_moves_all_events():
    """Tracardi #784: the survivor has the events of both, and the next one by either name."""
    told = tell(
        policy(),
        email("10:00", "contact", who=KIM),
        phone("10:10", "contact", who=PHONE),
        link("10:20", KIM, PHONE),
        phone("10:30", "contact", who=PHONE),
    )
    assert [(issue["contacts"], issue["channels"]) for issue in told.issues()] == [(3, ["email", "phone"])]


def test_a_merge_of_customers_counts_nothing_twice():
    """Tracardi #850, #892: merged again, delivered again, and still three contacts and one escalation."""
    document = policy(patterns={"repeat_contact": {}})
    story = [
        email("10:00", "contact", "a", id="a"),
        phone("10:10", "contact", "b", who=PHONE, id="b"),
        link("10:20", KIM, PHONE),
    ]
    again = [
        email("10:00", "contact", "a", id="a", arrives="10:40"),
        link("10:50", KIM, PHONE),
        link("10:51", PHONE, KIM),
    ]
    told = tell(document, *story, *again, chat("11:00", "contact", "c"))
    assert told.issues()[0]["contacts"] == 3
    assert told.history() == ["11:00 opened warning repeat_contact"]


def test_another_number_of_a_known_customer_is_a_repeat():
    """Caller id alone misses it: the second call from another number, under the same account, is the same issue."""
    told = tell(
        policy(patterns={"repeat_contact": {"threads": 2}}),
        phone("10:00", "contact", "call-1", who=(PHONE, "account:7")),
        phone("11:00", "contact", "call-2", who=("phone:+12025550199", "account:7")),
    )
    assert told.history() == ["11:00 opened warning repeat_contact"]


def test_one_record_from_the_future_makes_no_honest_one_late():
    """FLINK-31040 and its kin: a timestamp ahead moves nobody's time."""
    told = tell(
        HOUR,
        email("10:00", "contact"),
        chat("10:04", "contact", arrives="10:00"),
        chat("3d 10:00", "contact", "x", arrives="10:01"),
        email("10:30", "reply"),
        chat("10:31", "reply"),
        until="2d 10:00",
    )
    assert told.records == []


def test_a_quiet_stream_still_breaches():
    """Stream time that stands still on quiet input never fires: here the timer does, with nothing else happening."""
    told = tell(HOUR, email("10:00", "contact"), until="11:00")
    assert told.sla() == ["11:00 opened error"]
    assert told.records[0]["detection_lag_s"] == 0


def test_a_warning_shows_the_due_time_of_now():
    """ServiceNow's percentage notifications show stale values: here each revision carries the clock as it stands."""
    told = tell(
        policy(targets=[{"resolution": "1h"}]),
        email("10:00", "contact"),
        email("10:20", "status", status="pending"),
        email("10:40", "status", status="open"),
        until="11:08",
    )
    assert told.sla() == ["11:08 opened warning"]
    assert told.records[0]["due_at"] == iso("11:20")
    assert told.records[0]["clock"]["remaining_s"] == 720


def test_an_anonymous_caller_is_nobodys_repeat():
    """QueueMetrics never clusters blank caller ids: two withheld calls are two customers."""
    told = tell(
        policy(patterns={"repeat_contact": {"threads": 2}}),
        phone("10:00", "contact", "a", who="phone:anonymous"),
        phone("10:10", "contact", "b", who="phone:anonymous"),
    )
    assert told.records == []
