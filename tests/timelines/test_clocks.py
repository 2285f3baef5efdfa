"""Clocks: what starts, stops and pauses them (contract, section 5)."""

import pytest

from tests.timelines.timeline import chat, email, iso, phone, policy, social, tell

HOUR = policy(targets=[{"first_response": "1h", "next_response": "30m"}])
RESOLVE = policy(targets=[{"resolution": "2h"}])


def test_an_answer_at_the_due_time_is_in_time():
    """A reply stamped exactly at the due time meets the clock; the warning is resolved as met."""
    told = tell(HOUR, email("10:00", "contact"), email("11:00", "reply"), until="12:00")
    assert told.sla() == ["10:48 opened warning", "11:00 resolved met"]
    assert told.clock("first_response")["state"] == "met"


def test_an_answer_a_millisecond_late_is_a_breach():
    """One ms after the due time the clock has breached, at the due time."""
    told = tell(HOUR, email("10:00", "contact"), email("11:00:00.001", "reply"))
    assert told.sla() == ["10:48 opened warning", "11:00 raised error", "11:00:00.001 resolved answered"]
    clock = told.clock("first_response")
    assert (clock["state"], clock["breaches"][0]["at"]) == ("breached", iso("11:00"))


@pytest.mark.parametrize(
    "useless",
    [
        email("10:10", "reply", auto=True),
        email("10:10", "reply", canned=True),
        email("10:10", "reply", by="bot"),
        email("10:10", "reply", by="peer"),
        email("10:10", "reply", by="system"),
        email("10:10", "deflect", to="phone"),
        email("10:10", "transfer", to_team="billing"),
        email("10:10", "note"),
        email("10:10", "feedback", score=1),
        email("10:10", "compensate"),
        email("10:10", "promise", due_at="12:00"),
        email("10:10", "answered", by="peer"),
        email("10:10", "status", status="open"),
        email("10:10", "status", status="pending"),
        email("10:10", "contact"),
        email("10:10", "abandoned"),
    ],
    ids=lambda line: f"{line.value['kind']}-{line.value.get('actor', {}).get('type', '')}-{line.value.get('data', '')}",
)
def test_what_does_not_answer(useless):
    """A note, a deflection, a machine, a peer or a status never stops a response clock, and the due time stays."""
    told = tell(HOUR, email("10:00", "contact"), useless, until="11:00")
    assert told.sla("first_response") == ["10:48 opened warning", "11:00 raised error"]


@pytest.mark.parametrize("line", [email("10:10", "answered"), email("10:10", "reply")], ids=["answered", "reply"])
def test_what_answers(line):
    """A person who picks up or replies stops the clock."""
    told = tell(HOUR, email("10:00", "contact"), line, until="12:00")
    assert told.records == []
    clock = told.clock("first_response")
    assert (clock["state"], clock["counted_s"], clock["stopped_at"]) == ("met", 600, iso("10:10"))


def test_a_policy_may_count_canned_and_bot_answers():
    """With `answers: {canned: true, bot: true}` those stop the clock; an automatic acknowledgement never does."""
    counting = {**HOUR, "answers": {"canned": True, "bot": True}}
    for line in (email("10:10", "reply", canned=True), email("10:10", "reply", by="bot")):
        assert tell(counting, email("10:00", "contact"), line).clock("first_response")["state"] == "met"
    told = tell(counting, email("10:00", "contact"), email("10:10", "reply", auto=True))
    assert told.clock("first_response")["state"] == "running"


def test_next_response_counts_from_the_oldest_unanswered_contact():
    """Two contacts after an answer are one cycle, from the first of them; the next question is another cycle."""
    told = tell(
        HOUR,
        email("10:00", "contact"),
        email("10:05", "reply"),
        email("10:10", "contact"),
        email("10:20", "contact"),
        email("10:41", "reply"),
        email("10:50", "contact"),
        until="11:00",
    )
    assert told.sla("next_response") == ["10:34 opened warning", "10:40 raised error", "10:41 resolved answered"]
    assert told.clock("next_response", cycle=1)["started_at"] == iso("10:10")
    assert told.clock("next_response", cycle=2)["started_at"] == iso("10:50")


def test_after_a_solve_the_next_contact_starts_a_next_response():
    """A solve without an answer cancels the first response; the contact after it starts the next one."""
    told = tell(
        HOUR,
        email("10:00", "contact"),
        email("10:10", "status", status="solved"),
        email("10:20", "contact"),
        until="11:30",
    )
    assert told.clock("first_response")["state"] == "cancelled"
    assert told.sla("first_response") == []
    assert told.sla("next_response") == ["10:44 opened warning", "10:50 raised error"]


def test_a_solve_after_the_breach_resolves_it_as_solved():
    """A breached response clock whose thread is solved ends as solved, and stays breached."""
    told = tell(HOUR, email("10:00", "contact"), email("11:30", "status", status="solved"))
    assert told.sla()[-1] == "11:30 resolved solved"
    assert told.clock("first_response")["state"] == "breached"


def test_pending_pauses_resolution_only():
    """While pending, the resolution clock stands still and has no due time; on_hold does not pause it."""
    told = tell(
        RESOLVE,
        email("10:00", "contact"),
        email("10:30", "status", status="pending"),
        email("11:30", "status", status="on_hold"),
        until="12:00",
    )
    clock = told.clock("resolution")
    assert clock["counted_s"] == 3600
    assert clock["paused"] == [[iso("10:30"), iso("11:30")]]
    assert clock["due_at"] == iso("13:00")
    waiting = tell(RESOLVE, email("10:00", "contact"), email("10:30", "status", status="pending"), until="20:00")
    assert waiting.records == []
    clock = waiting.clock("resolution")
    assert (clock["state"], clock["due_at"], clock["counted_s"]) == ("paused", None, 1800)


def test_on_hold_pauses_where_the_policy_says_so():
    """`pauses: [pending, on_hold]` pauses on both, and overlapping pauses count once."""
    told = tell(
        {**RESOLVE, "pauses": ["pending", "on_hold"]},
        email("10:00", "contact"),
        email("10:30", "status", status="pending"),
        email("11:00", "status", status="on_hold"),
        email("11:30", "status", status="open"),
        until="12:00",
    )
    assert told.clock("resolution")["paused"] == [[iso("10:30"), iso("11:30")]]
    assert told.clock("resolution")["counted_s"] == 3600


def test_the_customers_contact_ends_pending():
    """The company cannot stop the clock while the customer waits: the rest of the pause is reported as illegitimate."""
    told = tell(
        RESOLVE,
        email("10:00", "contact"),
        email("10:30", "status", status="pending"),
        email("11:00", "contact"),
        email("11:20", "status", status="open"),
        until="13:00",
    )
    clock = told.clock("resolution")
    assert clock["paused"] == [[iso("10:30"), iso("11:00")]]
    assert clock["illegitimate_pause_s"] == 1200
    assert told.sla("resolution") == ["12:06 opened warning", "12:30 raised error"]


def test_a_contact_elsewhere_does_not_end_pending():
    """Only a contact on the pending thread ends the pause."""
    told = tell(
        RESOLVE,
        email("10:00", "contact"),
        email("10:30", "status", status="pending"),
        phone("11:00", "contact"),
        until="12:00",
    )
    assert told.clock("resolution", "email:1")["state"] == "paused"


def test_a_reopen_continues_resolution_without_the_solved_interval():
    """An hour before the solve and half an hour after the reopening are an hour and a half."""
    told = tell(
        RESOLVE,
        email("10:00", "contact"),
        email("11:00", "status", status="solved"),
        email("15:00", "contact"),
        email("15:30", "status", status="solved"),
        until="20:00",
    )
    clock = told.clock("resolution")
    assert (clock["counted_s"], clock["state"]) == (5400, "met")
    assert clock["paused"] == [[iso("11:00"), iso("15:00")]]
    assert told.sla() == []


def test_paused_then_solved_counts_only_what_was_active():
    """A hold that ends with the solve is not counted (Frappe PR #3776, GLPI #24481)."""
    told = tell(
        RESOLVE,
        email("10:00", "contact"),
        email("10:30", "status", status="pending"),
        email("40d 10:00", "status", status="solved"),
    )
    clock = told.clock("resolution")
    assert (clock["state"], clock["counted_s"]) == ("met", 1800)


def test_a_covering_solve_ends_clocks_and_names_its_thread():
    """Solving the later call covers the earlier letter."""
    told = tell(
        RESOLVE,
        email("10:00", "contact"),
        phone("10:30", "contact"),
        phone("11:00", "status", status="solved"),
        until="20:00",
    )
    clock = told.clock("resolution", "email:1")
    assert (clock["state"], clock["covered_by"], clock["stopped_at"]) == ("met", "phone:1", iso("11:00"))
    assert told.issues()[0]["status"] == "resolved"


def test_a_solve_does_not_cover_a_later_contact():
    """A letter written after the last word on the solved call is another matter: its clock runs on."""
    told = tell(
        RESOLVE,
        phone("10:00", "contact"),
        email("10:30", "contact"),
        phone("11:00", "status", status="solved"),
        until="11:30",
    )
    assert told.clock("resolution", "email:1")["state"] == "running"
    assert told.issues()[0]["status"] == "open"


def test_an_empty_calendar_never_breaches():
    """Without a window left the clock has no due time."""
    told = tell(
        policy(targets=[{"first_response": "1h", "calendar": "never"}]), email("10:00", "contact"), until="90d 10:00"
    )
    assert told.sla() == []
    assert told.clock("first_response")["due_at"] is None


def test_business_hours_and_warnings_are_counted_in_business_time():
    """A letter at 16:30 with an hour's target is due at 09:30 the next day, and warned of at 80% of the hour."""
    told = tell(
        policy(targets=[{"first_response": "1h", "calendar": "office"}]), email("16:30", "contact"), until="1d 10:00"
    )
    assert told.sla() == ["1d 09:18 opened warning", "1d 09:30 raised error"]


@pytest.mark.parametrize(("warn", "said"), [("50%", "10:30"), ("95%", "10:57")])
def test_the_warning_point_is_the_policys(warn, said):
    """`warn_at` moves the warning."""
    assert (
        tell({**HOUR, "warn_at": warn}, email("10:00", "contact"), until="11:00").sla()[0] == f"{said} opened warning"
    )


def test_without_a_warning_point_it_opens_at_the_breach():
    """`warn_at: 100%` warns of nothing: the escalation opens as an error."""
    told = tell({**HOUR, "warn_at": "100%"}, email("10:00", "contact"), until="12:00")
    assert told.sla() == ["11:00 opened error"]


def test_a_public_breach_is_critical():
    """The same delay where everyone can see it is critical."""
    told = tell(HOUR, social("10:00", "contact"), until="11:00")
    assert told.sla() == ["10:48 opened warning", "11:00 raised critical"]


def test_the_newest_priority_chooses_the_target_for_the_whole_run():
    """A priority learned at 10:30 shortens the clock from its start; one that makes it due in the past shows the due time."""
    document = policy(targets=[{"when": {"priority": "urgent"}, "first_response": "20m"}, {"first_response": "2h"}])
    told = tell(document, email("10:00", "contact"), email("10:30", "note", priority="urgent"), until="10:40")
    assert told.sla() == ["10:30 opened error"]
    assert told.records[0]["breached_at"] == iso("10:20")
    assert told.records[0]["detection_lag_s"] == 600


def test_issue_resolution_counts_across_channels():
    """Changing channel never resets the clock on the issue; only the last unsolved thread ends it."""
    told = tell(
        policy(issue_resolution={"target": "3h"}),
        phone("10:00", "contact"),
        email("11:00", "contact"),
        chat("12:00", "contact"),
        phone("12:10", "status", status="solved"),
        until="14:00",
    )
    assert told.sla("issue_resolution") == ["12:24 opened warning", "13:00 raised error"]
    assert told.clock("issue_resolution")["started_at"] == iso("10:00")


def test_issue_resolution_pauses_while_every_unsolved_thread_is_pending():
    """One of two threads pending pauses nothing; both do."""
    told = tell(
        policy(issue_resolution={"target": "3h"}),
        phone("10:00", "contact"),
        email("10:10", "contact"),
        phone("10:30", "status", status="pending"),
        email("11:00", "status", status="pending"),
        phone("11:30", "status", status="open"),
        until="12:00",
    )
    clock = told.clock("issue_resolution")
    assert clock["paused"] == [[iso("11:00"), iso("11:30")]]
    assert clock["due_at"] == iso("13:30")


def test_a_solved_thread_does_not_keep_the_issue_counting():
    """What is solved does not wait: with the other thread pending the issue's clock is paused."""
    told = tell(
        policy(issue_resolution={"target": "3h"}),
        phone("10:00", "contact"),
        email("10:10", "contact"),
        phone("10:30", "status", status="solved"),
        email("11:00", "status", status="pending"),
        until="12:00",
    )
    assert told.clock("issue_resolution")["state"] == "paused"


def test_late_evidence_retracts_a_breach():
    """A reply stamped 12:58:30 that arrives at 13:03 resolves the escalation of 13:00, and the clock ends met."""
    told = tell(HOUR, email("12:00", "contact"), email("12:58:30", "reply", arrives="13:03"), until="14:00")
    assert told.sla() == ["12:48 opened warning", "13:00 raised error", "13:03 resolved late_evidence"]
    assert told.records[-1]["retracted"] is True
    clock = told.clock("first_response")
    assert (clock["state"], clock["breaches"], clock["stopped_at"]) == ("met", [], iso("12:58:30"))


def test_a_late_contact_moves_the_clock_back():
    """An earlier contact that arrives later is what the clock runs from."""
    told = tell(HOUR, email("10:30", "contact"), email("10:00", "contact", arrives="10:50"), until="11:00")
    assert told.sla() == ["10:50 opened warning", "11:00 raised error"]
    assert told.clock("first_response")["started_at"] == iso("10:00")


def test_a_breach_that_was_over_before_it_was_noticed_is_backfilled():
    """A contact and its late answer that arrive together are recorded, opened and resolved at once, and not paged."""
    told = tell(HOUR, email("10:00", "contact", arrives="15:00"), email("12:00", "reply", arrives="15:00"))
    assert told.sla() == ["15:00 opened error backfilled", "15:00 resolved answered backfilled"]
    assert told.episodes()[0]["end"] == iso("12:00")


def test_solved_in_time_after_a_warning_is_met():
    """The warning of a resolution that is solved or covered in time is resolved as met; a response that is not answered as solved."""
    told = tell(RESOLVE, email("10:00", "contact"), email("11:50", "confirmed"))
    assert told.sla() == ["11:36 opened warning", "11:50 resolved met"]
    told = tell(RESOLVE, email("10:00", "contact"), phone("11:00", "contact"), phone("11:50", "confirmed"))
    assert told.sla() == ["11:36 opened warning", "11:50 resolved met"]
    told = tell(HOUR, email("10:00", "contact"), email("10:50", "confirmed"))
    assert told.sla() == ["10:48 opened warning", "10:50 resolved solved"]


def test_the_newest_plan_chooses_the_target():
    """The tier is the customer's: told on one thread, it counts on all."""
    document = policy(
        targets=[{"when": {"tier": "gold"}, "first_response": "10m"}, {"first_response": "1h"}], warn_at="100%"
    )
    told = tell(document, email("10:00", "contact"), phone("10:05", "contact", tier="gold"), until="10:14")
    assert told.sla() == ["10:10 opened error"]
    assert told.records[0]["thread"] == "email:1"
