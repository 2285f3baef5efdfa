"""Patterns of what the customer did, at their edges (contract, section 6)."""

import pytest

from tests.timelines.timeline import KIM, chat, community, email, link, phone, policy, social, tell, version, web

LEE, ANN, BOB, EVE = "email:lee@x.org", "email:ann@x.org", "email:bob@x.org", "email:eve@x.org"


def only(name, **rule):
    return policy(patterns={name: rule})


@pytest.mark.parametrize(
    ("at", "said"), [("7d 10:00", ["7d 10:00 opened warning channel_switch"]), ("7d 10:00:00.001", [])]
)
def test_channel_switch_within_its_window(at, said):
    """Two channels exactly a window apart are a switch; a ms more and they are not."""
    assert (
        tell(
            only("channel_switch"),
            email("10:00", "contact"),
            phone(at, "contact", issue="x"),
            email("10:01", "note", issue="x"),
        ).history()
        == said
    )


def test_channel_switch_counts_channels_not_threads():
    """Two letters are no switch, nor is an agent's call, a peer's post or praise."""
    told = tell(
        only("channel_switch"),
        email("10:00", "contact", "a"),
        email("10:10", "contact", "b"),
        phone("10:20", "contact", by="agent"),
        community("10:30", "contact", by="peer"),
        chat("10:40", "feedback"),
    )
    assert told.history() == []


def test_third_channel_within_its_window():
    """The three newest contacts of three channels must lie within the window."""
    document = only("third_channel", window="24h")
    one, two = email("10:00", "contact"), phone("12:00", "contact")
    assert tell(document, one, two, chat("1d 10:00", "contact")).history() == ["1d 10:00 opened error third_channel"]
    assert tell(document, one, two, chat("1d 10:00:00.001", "contact")).history() == []
    told = tell(document, one, two, email("20:00", "contact"), chat("1d 12:00", "contact"))
    assert told.history() == ["1d 12:00 opened error third_channel"]


def test_channels_severity_and_off_are_the_policys():
    """Counts, windows and severities are settings; `off` silences."""
    story = (email("10:00", "contact"), phone("10:10", "contact"), chat("10:20", "contact"))
    assert tell(only("channel_switch", channels=3, severity="critical"), *story).history() == [
        "10:20 opened critical channel_switch"
    ]
    assert tell(only("channel_switch", severity="info"), *story).history() == []
    assert tell(policy(), *story).history() == []


def test_went_public_needs_a_private_contact_before():
    """A post after a call; not a post alone, nor a call after the post, nor a peer's post."""
    document = only("went_public")
    assert tell(document, phone("10:00", "contact"), social("10:10", "contact")).history() == [
        "10:10 opened critical went_public"
    ]
    assert tell(document, social("10:00", "contact"), phone("10:10", "contact")).history() == []
    assert tell(
        document, social("10:00", "contact"), phone("10:10", "contact"), social("10:20", "contact", "other")
    ).history() == ["10:20 opened critical went_public"]
    assert tell(document, phone("10:00", "contact"), social("10:10", "contact", by="peer")).history() == []
    assert tell(document, phone("10:00", "contact"), email("10:10", "contact", public=True)).history() == [
        "10:10 opened critical went_public"
    ]
    assert tell(document, phone("10:00", "contact"), social("10:10", "contact", public=False)).history() == []


def test_went_public_ends_with_the_issue():
    """Praise in public after the solve is none; solved, it is over."""
    told = tell(
        only("went_public"),
        phone("10:00", "contact"),
        social("10:10", "contact"),
        social("11:00", "status", status="solved"),
        social("12:00", "feedback"),
    )
    assert told.history() == ["10:10 opened critical went_public", "11:00 resolved solved"]


def test_repeat_contact_on_three_threads():
    """The third thread with a contact of the issue; two, or a thread where only the company spoke, are not enough."""
    document = only("repeat_contact")
    two = (email("10:00", "contact", "a"), email("10:10", "contact", "b"), email("10:15", "contact", "b"))
    assert tell(document, *two, email("10:20", "reply", "c")).history() == []
    assert tell(document, *two, email("10:20", "contact", "c")).history() == ["10:20 opened warning repeat_contact"]


@pytest.mark.parametrize(
    ("at", "said"), [("7d 11:00", ["7d 11:00 opened warning repeat_contact"]), ("7d 11:00:00.001", [])]
)
def test_repeat_contact_after_a_solve(at, said):
    """A contact on the same thread within the repeat window of the solve, and not later."""
    told = tell(
        only("repeat_contact"),
        email("10:00", "contact"),
        email("11:00", "status", status="solved"),
        email(at, "contact"),
    )
    assert told.history() == said


def test_reopened_twice():
    """The second reopening counts, by contact or status; the first does not."""
    solve = "status"
    story = (
        email("10:00", "contact"),
        email("11:00", solve, status="solved"),
        email("12:00", "contact"),
        email("13:00", solve, status="solved"),
    )
    assert tell(only("reopened"), *story).history() == []
    assert tell(only("reopened"), *story, email("14:00", "contact")).history() == ["14:00 opened error reopened"]
    assert tell(only("reopened"), *story, email("14:00", "status", status="open")).history() == [
        "14:00 opened error reopened"
    ]
    assert tell(only("reopened"), *story, email("14:00", "feedback")).history() == []


@pytest.mark.parametrize(
    ("at", "said"), [("1d 10:00", ["1d 10:00 opened warning self_service_failed"]), ("1d 10:00:00.001", [])]
)
def test_a_contact_after_a_failed_self_service(at, said):
    """Within 24 hours of the search that found nothing; by default it is only an info, and opens nothing."""
    story = (web("10:00", "self_service_failed", ""), email(at, "contact"))
    assert tell(only("self_service_failed", severity="warning"), *story).history() == said
    assert tell(only("self_service_failed"), *story).history() == []


@pytest.mark.parametrize(("reach", "said"), [(10_000, ["10:00 opened critical spreading"]), (9_999, [])])
def test_spreading_by_reach(reach, said):
    """A public contact that ten thousand people see."""
    assert tell(only("spreading"), social("10:00", "contact", reach=reach)).history() == said
    assert tell(only("spreading"), email("10:00", "contact", reach=reach)).history() == []


def crowd(*times, thread="post"):
    return [social(at, "contact", thread, who=who) for at, who in zip(times, (KIM, LEE, ANN, BOB, EVE), strict=False)]


def test_spreading_by_a_crowd_within_a_day():
    """Five customers in one public thread within a day, each of them escalated; four, or a day and a ms, are not."""
    document = only("spreading")
    told = tell(document, *crowd("10:00", "11:00", "12:00", "13:00", "1d 10:00"))
    assert told.history() == ["1d 10:00 opened critical spreading"] * 5
    assert tell(document, *crowd("10:00", "11:00", "12:00", "13:00", "1d 10:00:00.001")).history() == []
    assert tell(document, *crowd("10:00", "11:00", "12:00", "13:00")).history() == []
    assert (
        tell(
            document, *crowd("10:00", "10:01", "10:02", "10:03"), social("10:04", "contact", "post", who=KIM)
        ).history()
        == []
    )


def test_a_crowd_of_one_person_with_two_names_is_no_crowd():
    """Two of five speakers that prove to be one customer are four customers: what was said is taken back."""
    document = only("spreading")
    told = tell(document, *crowd("10:00", "10:01", "10:02", "10:03", "10:04"), link("11:00", KIM, LEE))
    assert told.history()[:5] == ["10:04 opened critical spreading"] * 5
    standing = {r["escalation_id"]: r["status"] for r in told.records}
    assert set(standing.values()) == {"resolved"}
    assert tell(document, link("09:00", KIM, LEE), *crowd("10:00", "10:01", "10:02", "10:03", "10:04")).history() == []


def test_one_person_who_proves_to_be_two_may_complete_a_crowd():
    """After an unlink the fifth customer is there."""
    told = tell(
        only("spreading"),
        link("09:00", KIM, LEE),
        *crowd("10:00", "10:01", "10:02", "10:03", "10:04"),
        link("11:00", KIM, LEE, "unlink"),
    )
    assert told.history() == ["11:00 opened critical spreading"] * 5


def test_patterns_end_with_the_issue_and_come_back_with_it():
    """Solved, nothing holds; reopened, what its history shows holds again."""
    told = tell(
        only("channel_switch"),
        email("10:00", "contact"),
        phone("10:10", "contact"),
        phone("11:00", "confirmed"),
        phone("9d 12:00", "contact"),
    )
    assert told.history() == [
        "10:10 opened warning channel_switch",
        "11:00 resolved solved",
        "9d 12:00 opened warning channel_switch",
    ]


def test_severity_may_change_with_a_version():
    """A version that makes a pattern worse raises what is open; one that makes it lighter updates it."""
    document = only("channel_switch")
    told = tell(
        document,
        email("10:00", "contact"),
        phone("10:10", "contact"),
        version("11:00", only("channel_switch", severity="critical")),
        version("12:00", document),
    )
    assert told.history() == [
        "10:10 opened warning channel_switch",
        "11:00 raised critical channel_switch",
        "12:00 updated warning channel_switch",
    ]
