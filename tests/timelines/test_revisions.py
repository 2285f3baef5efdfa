"""What a revision shows, and when one is sent for something else than severity (contract, section 6)."""

from streams.patterns import PATTERNS
from tests.timelines.timeline import chat, command, email, iso, phone, policy, social, tell

HOUR = policy(targets=[{"first_response": "1h"}], warn_at="100%")


def test_a_command_delivered_twice_acts_once():
    """The same id again says nothing and is no dead letter."""
    told = tell(
        HOUR,
        email("10:00", "contact"),
        command("11:10", "acknowledge", id="c"),
        command("11:20", "acknowledge", id="c"),
        until="11:39",
    )
    assert told.sla() == ["11:00 opened error", "11:10 acknowledged error"]
    assert told.dead == []


def test_an_issue_that_turns_out_older_is_told():
    """A call of an hour before that arrives late is where the issue began: `updated`, with the new first contact."""
    document = policy(patterns={"channel_switch": {}})
    told = tell(
        document, email("10:00", "contact"), phone("10:10", "contact"), chat("09:00", "contact", arrives="10:30")
    )
    assert told.history() == ["10:10 opened warning channel_switch", "10:30 updated warning channel_switch"]
    assert [r["first_contact_at"] for r in told.records] == [iso("10:00"), iso("09:00")]
    assert told.records[0]["issue_id"] != told.records[1]["issue_id"]
    assert told.records[1]["channels"] == ["chat", "email", "phone"]


def test_a_breach_that_proves_to_be_earlier_is_told():
    """A first contact that arrives late moves the due time of a breached clock: `updated`."""
    told = tell(HOUR, email("10:00", "contact"), email("09:30", "contact", arrives="11:10"))
    assert told.sla() == ["11:00 opened error", "11:10 updated error"]
    assert told.records[-1]["due_at"] == iso("10:30")


def test_more_of_the_same_says_nothing():
    """Another contact, note or reply that changes no pattern and no due time sends no revision."""
    document = policy(patterns={"channel_switch": {}}, targets=[{"resolution": "10m"}], warn_at="100%")
    told = tell(
        document,
        email("10:00", "contact"),
        phone("10:05", "contact"),
        email("10:20", "contact"),
        email("10:21", "note"),
        phone("10:22", "reply"),
    )
    assert [r["change"] for r in told.records] == ["opened"] * 3


def test_a_record_is_bounded():
    """At most 20 events of the timeline, 50 of the evidence, however long the history; the counts are whole."""
    story = [email(f"10:{minute:02}", "contact", id=f"e{minute:02}") for minute in range(60)]
    told = tell(HOUR, *story, until="11:00")
    (record,) = told.records
    assert len(record["timeline"]) == 20
    assert record["timeline"][-1]["id"] == "e59"
    assert (len(record["evidence"]), record["evidence"][0], record["contacts"]) == (50, "e00", 60)
    assert len(record["escalation_id"]) <= 255


def test_ids_are_the_same_on_every_run():
    """The same input gives the same ids, whatever else was said before in the same process."""
    story = [email("10:00", "contact", id="a"), phone("10:10", "contact", id="b")]
    one, two = (tell(HOUR, *story, until="12:00") for _ in range(2))
    assert one.records == two.records
    assert one.clocks() == two.clocks()


def test_the_summary_can_be_read():
    """Channels, times, and whether anybody has answered; no name, address or number."""
    document = policy(patterns={"third_channel": {}, "went_public": {}})
    told = tell(
        document,
        phone("-3d 10:00", "contact", who=("phone:+12025550143", "email:kim@example.com")),
        email("-1d 10:00", "contact"),
        social("12:00", "contact"),
    )
    assert told.records[0]["summary"] == (
        "3rd channel in 74 h: phone 5 Jun, email 7 Jun, public post 8 Jun 12:00; nobody has answered"
    )


def test_every_pattern_has_words_of_its_own():
    """No pattern is told as an unresolved history."""
    from streams.summary import _LEADS

    assert set(_LEADS) == set(PATTERNS)


def test_provisional_says_that_an_input_was_stalled():
    """What is decided while an input stalls is marked."""
    told = tell(HOUR, email("10:00", "contact"), until="10:59")
    (customer,) = told.run.population.customers.values()
    (record,) = customer.settle(told.run.policies, told.run.now + 60_000, provisional=True)
    assert (record["change"], record["provisional"]) == ("opened", True)


def test_the_threads_and_their_states():
    """Each thread of the issue with its channel and how it stands at that moment."""
    document = policy(patterns={"repeat_contact": {"threads": 4}, "third_channel": {}}, targets=[])
    told = tell(
        document,
        phone("10:00", "contact"),
        email("10:05", "contact"),
        phone("10:10", "status", status="solved"),
        email("10:12", "status", status="pending"),
        chat("10:20", "contact"),
    )
    assert told.records[0]["threads"] == [
        {"thread": "phone:1", "channel": "phone", "state": "solved"},
        {"thread": "email:1", "channel": "email", "state": "pending"},
        {"thread": "chat:1", "channel": "chat", "state": "open"},
    ]


def test_a_retraction_shows_the_clock_that_was_met():
    """The reply came before the warning point: nothing is left to show but the clock, and it is shown."""
    told = tell(
        policy(targets=[{"first_response": "1h"}]),
        email("10:00", "contact"),
        chat("10:30", "contact"),
        email("10:40", "reply", arrives="11:03"),
        until="11:10",
    )
    last = [record for record in told.records if record["channel"] == "email"][-1]
    assert (last["reason"], last["retracted"], last["thread"]) == ("late_evidence", True, "email:1")
    assert (last["clock"]["state"], last["clock"]["stopped_at"]) == ("met", iso("10:40"))
    assert last["summary"].startswith("Taken back (first response by email was not late")


WORSE_ONCE = policy(patterns={"channel_switch": {}, "ignored": {"after": "2h"}})


def test_a_peak_that_was_over_when_it_was_noticed_is_on_record():
    """Ignored from 12:00 until answered at 13:30, heard of at 16:00: opened as it was, and lowered to what is left."""
    lines = [
        email("10:00", "contact", arrives="16:00"),
        phone("10:30", "contact", arrives="16:00"),
        phone("13:30", "answered", arrives="16:00"),
    ]
    told = tell(WORSE_ONCE, *lines, until="17:00")
    assert told.history() == [
        "16:00 opened error channel_switch+ignored",
        "16:00 updated warning channel_switch",
    ]
    over = tell(WORSE_ONCE, *lines, phone("14:00", "status", status="solved", arrives="16:00"), until="17:00")
    assert [(r["change"], r["severity"], r["backfilled"]) for r in over.records] == [
        ("opened", "error", True),
        ("resolved", "error", True),
    ]


def test_a_quiet_end_is_told_as_one_however_late_it_is_noticed():
    """Answered on the first day, quiet for a day, asked again: the first breach ended in quiet and not with a solve."""
    told = tell(
        policy(issue_resolution="1h", issues={"quiet_after": "24h"}, warn_at="100%"),
        email("10:00", "contact", arrives="2d 10:00"),
        email("11:10", "reply", arrives="2d 10:00"),
        email("1d 18:00", "contact", arrives="2d 10:00"),
        until="2d 10:00",
    )
    assert [(r["change"], r.get("reason"), r["backfilled"]) for r in told.records] == [
        ("opened", None, True),
        ("resolved", "quiet", True),
        ("opened", None, False),
    ]
