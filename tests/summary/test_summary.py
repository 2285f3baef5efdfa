"""The sentence that a supervisor reads, for the cases that they meet."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.policy_patterns import PATTERNS
from streams.summary_words import ordinal, span, times
from tests.timelines.timeline import chat, email, phone, policy, social, tell

HOUR = policy(targets=[{"first_response": "1h", "resolution": "4h"}], warn_at="50%")


def last(document, *story, until=None, **wanted):
    """The summary of the last revision with these values."""
    return tell(document, *story, until=until).find(**wanted)[-1]["summary"]


def pattern(name, *story, until=None, **settings):
    """The summary of the last revision where only this pattern is on."""
    return last(policy(patterns={name: settings}), *story, until=until, kind="history")


def test_three_channels_and_nobody():
    """Where and when the customer has been, the first one to have been told, who has answered."""
    document = policy(patterns={"third_channel": {}, "went_public": {}, "ignored": {}, "repeat_contact": {}})
    story = [phone("-3d 10:00", "contact"), email("-1d 10:00", "contact"), social("12:00", "contact")]
    assert last(document, *story) == (
        "3rd channel in 74 h: phone 5 Jun, email 7 Jun, public post 8 Jun 12:00; nobody has answered"
    )


def test_what_else_holds_is_told_in_clauses():
    """The worst first, three at most, and nothing twice."""
    document = policy(
        patterns={
            key: {} for key in ("went_public", "broken_promise", "abandoned", "long_hold", "passed_around", "ignored")
        }
    )
    story = [
        phone("8:00", "contact"),
        phone("8:10", "promise", due_at="9:00", what="a call"),
        phone("9:30", "abandoned", waited_s=2400),
        phone("9:40", "abandoned", waited_s=60),
        *[phone(f"9:5{number}", "transfer", to_team="x") for number in range(3)],
        social("12:00", "contact"),
    ]
    assert last(document, *story) == (
        "Went public after 4 h: phone 8 Jun, public post 8 Jun 12:00; a promise for 8 Jun 09:00 was broken; "
        "gave up waiting twice; held in the queue for 40 min; nobody has answered"
    )


@pytest.mark.parametrize(
    ("name", "story", "words"),
    [
        (
            "ignored",
            [email("0:00", "contact"), email("2d 0:00", "note")],
            "No human answer for 24 h: email 8 Jun 00:00",
        ),
        (
            "canned_only",
            [email("0:00", "contact"), *[email(f"0:0{n}", "reply", canned=True) for n in (1, 2)]],
            "Only canned answers: email 8 Jun 00:00; 2 automatic or canned replies, nobody has answered",
        ),
        (
            "reopened",
            [
                email("8:00", "contact"),
                *[email(f"{h}:00", "status", status="solved") for h in (9, 11)],
                *[email(f"{h}:00", "contact") for h in (10, 12)],
            ],
            "Solved and reopened twice: email 8 Jun 12:00 (3 times); nobody has answered",
        ),
        (
            "repeat_contact",
            [email("8:00", "contact"), email("9:00", "confirmed"), email("10:00", "contact")],
            "Back after it was solved 8 Jun: email 8 Jun 10:00 (twice); nobody has answered",
        ),
        (
            "handoff_dropped",
            [email("8:00", "contact"), email("9:00", "deflect", to="phone"), email("2d 9:00", "note")],
            "Told to go on by phone, and nobody was seen there: email 8 Jun 08:00; nobody has answered",
        ),
        (
            "deflection_loop",
            [email("8:00", "contact"), email("9:00", "deflect", to="phone"), email("9:10", "deflect", to="chat")],
            "Sent to another channel twice: email 8 Jun 08:00; nobody has answered",
        ),
        (
            "spreading",
            [social("8:00", "contact", reach=12500)],
            "A public post is spreading, seen by 12,500: public post 8 Jun 08:00; nobody has answered",
        ),
        (
            "lapsed",
            [email("0:00", "contact"), email("1d 0:00", "contact"), email("20d 0:00", "note")],
            "Left without an answer for 14 d: email 8 Jun to 9 Jun 00:00 (twice)",
        ),
        (
            "long_hold",
            [chat("8:00", "contact"), chat("8:45", "answered", waited_s=2700)],
            "Held in the queue for 45 min: chat 8 Jun 08:00; answered by chat 8 Jun 08:45",
        ),
        (
            "passed_around",
            [chat("8:00", "contact"), *[chat(f"8:1{n}", "transfer", to_team="x") for n in range(3)]],
            "Passed on to another team 3 times: chat 8 Jun 08:00; nobody has answered",
        ),
        (
            "channel_switch",
            [chat("8:00", "contact"), email("8:30", "contact"), email("8:40", "reply"), chat("9:00", "contact")],
            "2nd channel in 30 min: chat 8 Jun, email 8 Jun 08:30; nobody has answered",
        ),
    ],
)
def test_each_pattern_says_what_it_means_in_this_case(name, story, words):
    """How often, how long, since when."""
    assert pattern(name, *story) == words


def test_how_late_a_clock_is():
    """Due, late, and by how much."""
    told = tell(HOUR, email("10:00", "contact"), until="13:00").find(metric="first_response")
    assert [r["summary"].partition(":")[0] + ":" + r["summary"].partition(":")[2][:2] for r in told] == [
        "First response by email is due 8 Jun 11:00",
        "First response by email was due 8 Jun 11:00",
    ]
    assert last(HOUR, social("10:00", "contact"), until="10:30").startswith(
        "First response to a public post is due 8 Jun 11:00"
    )
    assert "Resolution of a public post" in last(HOUR, social("10:00", "contact"), until="14:00", metric="resolution")


@pytest.mark.parametrize(
    ("at", "kind", "metric", "words"),
    [
        ("10:45", "reply", "first_response", "Answered in time (first response by email was due 8 Jun 11:00: "),
        ("12:30", "reply", "first_response", "Answered 1 h late (first response by email was due 8 Jun 11:00: "),
        ("12:30", "confirmed", "first_response", "Solved 1 h late (first response by email was due 8 Jun 11:00: "),
        ("13:00", "confirmed", "resolution", "Solved in time (resolution by email was due 8 Jun 14:00: "),
        ("14:20", "confirmed", "resolution", "Solved 20 min late (resolution by email was due 8 Jun 14:00: "),
    ],
)
def test_how_it_ended(at, kind, metric, words):
    """In time, or how late."""
    assert last(HOUR, email("10:00", "contact"), email(at, kind), metric=metric, change="resolved").startswith(words)


def test_a_history_that_is_over_says_when():
    """Solved at its time, however late that is heard of."""
    document = policy(patterns={"channel_switch": {}})
    story = [email("10:00", "contact"), chat("10:30", "contact"), chat("11:00", "confirmed", arrives="11:30")]
    assert last(document, *story).startswith("Solved 8 Jun 11:00 (2nd channel in 30 min: ")


def test_words():
    """Ordinals, lengths and counts."""
    assert [ordinal(n) for n in (1, 2, 3, 4, 11, 12, 13, 21, 112)] == [
        "1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "112th",
    ]  # fmt: skip
    assert [span(ms) for ms in (0, 3_599_999, 3_600_000, 345_599_999, 345_600_000)] == [
        "0 min",
        "59 min",
        "1 h",
        "95 h",
        "4 d",
    ]
    assert [times(n) for n in (1, 2, 3)] == ["once", "twice", "3 times"]


ODD = st.one_of(
    st.integers(-(10**18), 10**18), st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=5), st.booleans()
)


@settings(max_examples=100, deadline=None)
@given(ODD, ODD, ODD)
def test_whatever_a_source_writes_a_sentence_comes_of_it(reach, waited, to):
    """Numbers that are none, or much too large, and channels that do not exist."""
    document = policy(patterns={key: {} for key in PATTERNS})
    story = [
        phone("8:00", "contact"),
        phone("8:30", "answered", waited_s=waited),
        social("9:00", "contact", reach=reach),
        social("9:10", "deflect", to=to),
    ]
    for record in tell(document, *story, until="3d 0:00").records:
        assert len(record["summary"]) <= 1000
        assert json.dumps(record)
