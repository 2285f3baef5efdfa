"""Every pattern at its edges: a millisecond beside each window, an event fewer or more, each knob of the policy.

A row is a story under a policy in which one pattern is on. `holds`: from the instant named on, and not a millisecond
before. `silent`: never.
"""

from typing import Any, NamedTuple

import pytest

from schemas.policy_patterns import Patterns
from schemas.times import DAY, format_time
from streams.replay import Line
from tests.timelines.timeline import chat, email, interaction, messaging, ms, phone, policy, social, tell, told_at, web

LONG = 30 * DAY
"""How long a silent story is watched after its last event (ms)."""


class Row(NamedTuple):
    pattern: str
    rule: dict[str, Any]
    story: tuple[Line, ...]
    at: str | None
    until: str | None = None

    def __str__(self) -> str:
        settings = ",".join(f"{name}={value}" for name, value in self.rule.items())
        return f"{self.pattern}({settings})-{self.at or 'silent'}".replace(" ", "_")


def holds(pattern: str, at: str, *story: Line, **rule: Any) -> Row:
    return Row(pattern, rule, story, at)


def silent(pattern: str, *story: Line, until: str | None = None, **rule: Any) -> Row:
    return Row(pattern, rule, story, None, until)


def only(pattern: str, rule: dict[str, Any] | str, **parts: Any) -> dict[str, Any]:
    return policy(patterns={pattern: rule}, **parts)


ASKED = email("10:00", "contact")
CALLED = phone("10:00", "contact")
POSTED = social("10:00", "contact")
SOLVED, AGAIN = email("11:00", "status", status="solved"), email("12:00", "contact")
TWICE = (ASKED, SOLVED, AGAIN, email("13:00", "status", status="solved"))
SENT_ON = email("10:10", "deflect", to="phone")
HANDED = (POSTED, social("10:10", "deflect", to="chat"))
PROMISED = (ASKED, email("10:10", "promise", due_at="12:00"))
VOUCHER = (ASKED, email("10:10", "compensate"))
HUNG_UP = (CALLED, phone("10:05", "abandoned"))
IN_QUEUE = phone("10:00", "contact", queued=True)
SEARCHED = web("10:00", "self_service_failed", "")
INFO = {"severity": "warning"}
"""A pattern that is only an info by default opens nothing: it is made heavier to be seen."""


def crowd(*times: str) -> list[Line]:
    return [social(at, "contact", "post", who=f"email:one{place}@example.com") for place, at in enumerate(times)]


def machines(*times: str) -> list[Line]:
    return [email(at, "reply", canned=True) for at in times]


def transfers(*times: str) -> list[Line]:
    return [email(at, "transfer", to_team="other") for at in times]


def replies(*times: str) -> list[Line]:
    return [social(at, "reply") for at in times]


ROWS = [
    holds("channel_switch", "7d 10:00", ASKED, phone("7d 10:00", "contact")),
    silent("channel_switch", ASKED, phone("7d 10:00:00.001", "contact")),
    silent("channel_switch", ASKED, email("10:05", "contact", "second")),
    holds("channel_switch", "10:20", ASKED, phone("10:10", "contact"), chat("10:20", "contact"), channels=3),
    silent("channel_switch", ASKED, phone("10:10", "contact"), channels=3),
    holds("channel_switch", "12:00", ASKED, phone("12:00", "contact"), window="2h"),
    silent("channel_switch", ASKED, phone("12:00:00.001", "contact"), window="2h"),
    # -- third_channel
    holds("third_channel", "7d 10:00", ASKED, phone("3d 10:00", "contact"), chat("7d 10:00", "contact")),
    silent("third_channel", ASKED, phone("3d 10:00", "contact"), chat("7d 10:00:00.001", "contact")),
    silent("third_channel", ASKED, phone("3d 10:00", "contact"), phone("4d 10:00", "contact", "again")),
    holds(
        "third_channel",
        "10:30",
        *(ASKED, phone("10:10", "contact"), chat("10:20", "contact"), web("10:30", "contact")),
        channels=4,
    ),
    silent("third_channel", ASKED, phone("10:10", "contact"), chat("10:20", "contact"), channels=4),
    holds("third_channel", "12:00", ASKED, phone("11:00", "contact"), chat("12:00", "contact"), window="2h"),
    silent("third_channel", ASKED, phone("11:00", "contact"), chat("12:00:00.001", "contact"), window="2h"),
    # -- went_public
    holds("went_public", "10:00:00.001", ASKED, social("10:00:00.001", "contact")),
    silent("went_public", social("09:59:59.999", "contact"), ASKED),
    silent("went_public", POSTED, social("11:00", "contact", "other")),
    holds("went_public", "13d 23:59", ASKED, social("13d 23:59", "contact")),
    # -- repeat_contact
    holds("repeat_contact", "12:00", ASKED, email("11:00", "contact", "b"), email("12:00", "contact", "c")),
    silent("repeat_contact", ASKED, email("11:00", "contact", "b"), email("12:00", "contact", "b")),
    holds("repeat_contact", "11:00", ASKED, email("11:00", "contact", "b"), threads=2),
    silent("repeat_contact", ASKED, email("11:00", "contact"), threads=2),
    silent(
        "repeat_contact", ASKED, email("11:00", "contact", "b"), email("12:00", "contact", "c"), threads=4, until="12d 10:00"
    ),
    holds("repeat_contact", "7d 11:00", ASKED, SOLVED, email("7d 11:00", "contact")),
    silent("repeat_contact", ASKED, SOLVED, email("7d 11:00:00.001", "contact")),
    holds("repeat_contact", "11:00:00.001", ASKED, SOLVED, email("11:00:00.001", "contact")),
    silent("repeat_contact", ASKED, SOLVED, email("11:00", "contact")),  # of one instant, the contact came first
    holds("repeat_contact", "12:00", ASKED, SOLVED, AGAIN, window="1h"),
    silent("repeat_contact", ASKED, SOLVED, email("12:00:00.001", "contact"), window="1h"),
    # -- reopened
    holds("reopened", "14:00", *TWICE, email("14:00", "contact")),
    silent("reopened", *TWICE),
    silent("reopened", *TWICE, email("14:00", "contact", "other")),  # a new thread reopens none
    holds("reopened", "12:00", ASKED, SOLVED, AGAIN, count=1),
    silent("reopened", ASKED, SOLVED, count=1),
    silent("reopened", *TWICE, email("14:00", "contact"), count=3),
    # -- deflection_loop
    holds("deflection_loop", "7d 10:10", ASKED, SENT_ON, email("7d 10:10", "deflect", to="chat")),
    silent("deflection_loop", ASKED, SENT_ON, email("7d 10:10:00.001", "deflect", to="chat")),
    silent("deflection_loop", ASKED, SENT_ON),
    holds("deflection_loop", "10:10", ASKED, SENT_ON, count=1),
    silent("deflection_loop", ASKED, SENT_ON, email("10:20", "deflect"), count=3),
    holds("deflection_loop", "10:30", ASKED, SENT_ON, email("10:20", "deflect"), email("10:30", "deflect"), count=3),
    holds("deflection_loop", "11:10", ASKED, SENT_ON, email("11:10", "deflect"), window="1h"),
    silent("deflection_loop", ASKED, SENT_ON, email("11:10:00.001", "deflect"), window="1h"),
    silent("deflection_loop", *HANDED, chat("1d 10:10", "contact"), social("1d 11:00", "deflect", to="phone")),
    holds(
        "deflection_loop",
        "1d 11:00",
        *(*HANDED, chat("1d 10:10:00.001", "contact"), social("1d 11:00", "deflect", to="phone")),
    ),
    silent(
        "deflection_loop",
        *(*HANDED, chat("11:10", "contact"), social("12:00", "deflect", to="phone")),
        handoff_window="1h",
    ),
    holds(
        "deflection_loop",
        "12:00",
        *(*HANDED, chat("11:10:00.001", "contact"), social("12:00", "deflect", to="phone")),
        handoff_window="1h",
    ),
    silent("deflection_loop", *HANDED, chat("11:00", "contact"), social("11:00", "deflect", to="phone")),
    # -- handoff_dropped
    holds("handoff_dropped", "1d 10:10", ASKED, SENT_ON),
    holds("handoff_dropped", "1d 10:10", ASKED, SENT_ON, phone("1d 10:10:00.001", "contact")),
    silent("handoff_dropped", ASKED, SENT_ON, phone("1d 10:10", "contact")),
    silent("handoff_dropped", ASKED, email("10:10", "deflect")),  # nobody was told where to
    holds("handoff_dropped", "11:10", ASKED, SENT_ON, window="1h"),
    silent("handoff_dropped", ASKED, SENT_ON, phone("11:10", "answered"), window="1h"),
    holds("handoff_dropped", "11:10", ASKED, SENT_ON, handoff_window="1h"),
    silent("handoff_dropped", ASKED, SENT_ON, phone("11:10", "answered"), handoff_window="1h"),
    # -- broken_promise
    holds("broken_promise", "12:15", *PROMISED),
    holds("broken_promise", "12:15", *PROMISED, email("12:15:00.001", "promise_kept")),
    silent("broken_promise", *PROMISED, email("12:15", "promise_kept")),
    silent("broken_promise", *PROMISED, phone("12:15", "answered")),
    silent("broken_promise", *PROMISED, email("12:15", "status", status="solved")),
    silent("broken_promise", ASKED),
    # -- comp_in_place_of_fix
    holds("comp_in_place_of_fix", "7d 10:10", *VOUCHER, email("7d 10:10", "contact")),
    silent("comp_in_place_of_fix", *VOUCHER, email("7d 10:10:00.001", "contact")),
    silent("comp_in_place_of_fix", *VOUCHER),
    silent("comp_in_place_of_fix", *VOUCHER, SOLVED, AGAIN),
    silent("comp_in_place_of_fix", ASKED, AGAIN, email("12:30", "compensate")),
    holds("comp_in_place_of_fix", "11:10", *VOUCHER, email("11:10", "contact"), window="1h"),
    silent("comp_in_place_of_fix", *VOUCHER, email("11:10:00.001", "contact"), window="1h"),
    # -- canned_only
    holds("canned_only", "12:00", ASKED, *machines("11:00", "12:00")),
    silent("canned_only", ASKED, *machines("11:00")),
    silent("canned_only", ASKED, *machines("11:00"), email("11:59:59.999", "reply"), *machines("12:00")),
    holds("canned_only", "12:00", ASKED, *machines("11:00", "12:00"), email("12:00:00.001", "reply")),
    holds("canned_only", "11:00", ASKED, *machines("11:00"), count=1),
    silent("canned_only", ASKED, *machines("11:00", "12:00"), count=3),
    holds("canned_only", "13:00", ASKED, *machines("11:00", "12:00", "13:00"), count=3),
    # -- ignored
    holds("ignored", "1d 10:00", ASKED),
    holds("ignored", "1d 10:00", ASKED, email("1d 10:00:00.001", "reply")),
    silent("ignored", ASKED, email("1d 10:00", "reply")),
    silent("ignored", ASKED, phone("10:01", "answered")),
    holds("ignored", "11:00", ASKED, after="1h"),
    silent("ignored", ASKED, email("11:00", "reply"), after="1h"),
    # -- abandoned
    holds("abandoned", "7d 10:05", *HUNG_UP, chat("7d 10:00", "contact"), chat("7d 10:05", "abandoned")),
    silent("abandoned", *HUNG_UP, chat("7d 10:00", "contact"), chat("7d 10:05:00.001", "abandoned")),
    silent("abandoned", *HUNG_UP),
    holds("abandoned", "10:05", *HUNG_UP, count=1),
    silent("abandoned", *HUNG_UP, phone("10:20", "abandoned", "b"), count=3),
    holds("abandoned", "10:30", *HUNG_UP, phone("10:20", "abandoned", "b"), phone("10:30", "abandoned", "c"), count=3),
    holds("abandoned", "11:05", *HUNG_UP, phone("11:05", "abandoned", "b"), window="1h"),
    silent("abandoned", *HUNG_UP, phone("11:05:00.001", "abandoned", "b"), window="1h"),
    # -- long_hold
    holds("long_hold", "10:30", CALLED, phone("10:30", "answered")),
    silent("long_hold", CALLED, phone("10:29:59.999", "answered")),
    silent("long_hold", CALLED),
    holds("long_hold", "10:30", IN_QUEUE),
    silent("long_hold", IN_QUEUE, phone("10:29:59.999", "answered")),
    silent("long_hold", IN_QUEUE, phone("10:29:59.999", "abandoned")),
    silent("long_hold", email("10:00", "contact", queued=True)),
    holds("long_hold", "10:01", CALLED, phone("10:01", "answered", waited_s=1800)),
    silent("long_hold", CALLED, phone("10:01", "answered", waited_s=1799)),
    holds("long_hold", "10:05", CALLED, phone("10:05", "answered"), after="5m"),
    silent("long_hold", CALLED, phone("10:04:59.999", "answered"), after="5m"),
    # -- passed_around
    holds("passed_around", "10:30", ASKED, *transfers("10:10", "10:20", "10:30")),
    silent("passed_around", ASKED, *transfers("10:10", "10:20")),
    holds("passed_around", "10:20", ASKED, *transfers("10:10", "10:20"), count=2),
    silent("passed_around", ASKED, *transfers("10:10"), count=2),
    # -- public_argument
    holds("public_argument", "10:30", POSTED, *replies("10:10", "10:20", "10:30")),
    silent("public_argument", POSTED, *replies("10:10", "10:20")),
    silent(
        "public_argument",
        *(POSTED, *replies("10:10", "10:20"), social("10:25", "status", status="solved")),
        *(social("10:26", "contact"), *replies("10:30")),
    ),
    silent(  # what is said at the instant of a solve belongs to what was solved
        "public_argument",
        *(POSTED, *replies("10:20", "10:25"), social("10:25", "status", status="solved")),
        *(social("10:26", "contact"), *replies("10:30", "10:40")),
    ),
    holds("public_argument", "10:20", POSTED, *replies("10:10", "10:20"), count=2),
    silent("public_argument", POSTED, *replies("10:10"), count=2),
    # -- spreading
    holds("spreading", "10:00", social("10:00", "contact", reach=10_000)),
    silent("spreading", social("10:00", "contact", reach=9_999)),
    silent("spreading", email("10:00", "contact", reach=10_000)),
    holds("spreading", "10:00", social("10:00", "contact", reach=500), reach=500),
    silent("spreading", social("10:00", "contact", reach=499), reach=500),
    holds("spreading", "1d 10:00", *crowd("10:00", "11:00", "12:00", "13:00", "1d 10:00")),
    silent("spreading", *crowd("10:00", "11:00", "12:00", "13:00", "1d 10:00:00.001")),
    silent("spreading", *crowd("10:00", "11:00", "12:00", "13:00")),
    holds("spreading", "10:02", *crowd("10:00", "10:01", "10:02"), customers=3),
    silent("spreading", *crowd("10:00", "10:01"), customers=3),
    holds("spreading", "11:00", *crowd("10:00", "10:01", "10:02", "10:03", "11:00"), window="1h"),
    silent("spreading", *crowd("10:00", "10:01", "10:02", "10:03", "11:00:00.001"), window="1h"),
    # -- lapsed
    holds("lapsed", "14d 10:00", ASKED),
    holds("lapsed", "14d 10:00", ASKED, email("14d 10:00:00.001", "reply")),
    silent("lapsed", ASKED, email("14d 10:00", "reply")),
    silent("lapsed", ASKED, email("14d 10:00", "contact"), until="28d 09:59:59.999"),
    silent("lapsed", ASKED, email("10:01", "reply")),
    holds("lapsed", "28d 10:00", ASKED, email("10:01", "reply"), email("14d 10:00", "contact")),
    holds("lapsed", "11:00", ASKED, after="1h"),
    silent("lapsed", ASKED, email("11:00", "reply"), after="1h"),
    # -- self_service_failed
    holds("self_service_failed", "1d 10:00", SEARCHED, email("1d 10:00", "contact"), **INFO),
    silent("self_service_failed", SEARCHED, email("1d 10:00:00.001", "contact"), **INFO),
    silent("self_service_failed", email("09:59:59.999", "contact"), SEARCHED, **INFO),
    silent("self_service_failed", SEARCHED, email("10:01", "contact")),  # an info opens nothing
    holds("self_service_failed", "11:00", SEARCHED, email("11:00", "contact"), window="1h", **INFO),
    silent("self_service_failed", SEARCHED, email("11:00:00.001", "contact"), window="1h", **INFO),
]  # fmt: skip
HOLDS = [row for row in ROWS if row.at is not None]
FIRST = list({row.pattern: row for row in reversed(HOLDS)}.values())[::-1]
"""For each pattern, one story in which it holds."""


def default_severity(pattern: str) -> str:
    return getattr(Patterns(), pattern).severity


def just_before(at: str) -> str:
    return told_at(format_time(ms(at) - 1))


def said(row: Row, rule: dict[str, Any] | str, until: str, **parts: Any) -> list[str]:
    return tell(only(row.pattern, rule, **parts), *row.story, until=until).history()


@pytest.mark.parametrize("row", HOLDS, ids=str)
def test_it_holds_from_its_instant_on(row):
    """Nothing a millisecond before; at the instant it opens, with its severity, once for each customer."""
    assert said(row, row.rule, just_before(row.at)) == []
    opened = said(row, row.rule, row.at)
    severity = row.rule.get("severity", default_severity(row.pattern))
    customers = {str(line.value["identities"]) for line in row.story}
    assert opened == [f"{row.at} opened {severity} {row.pattern}"] * len(customers)


@pytest.mark.parametrize("row", [row for row in ROWS if row.at is None], ids=str)
def test_it_does_not_hold_beside_its_edge(row):
    """A millisecond late, an event fewer, or something else in its place: nothing is said, then or in a month."""
    until = row.until or told_at(format_time(max(line.arrived_at for line in row.story) + LONG))
    assert said(row, row.rule, until) == []


@pytest.mark.parametrize("severity", ["info", "warning", "error", "critical"])
@pytest.mark.parametrize("row", FIRST, ids=lambda row: row.pattern)
def test_the_severity_is_the_policys(row, severity):
    """Each severity can be given to each pattern; an info opens nothing by itself."""
    expected = set() if severity == "info" else {f"{row.at} opened {severity} {row.pattern}"}
    assert set(said(row, {**row.rule, "severity": severity}, row.at)) == expected


@pytest.mark.parametrize("off", ["off", False])
@pytest.mark.parametrize("row", FIRST, ids=lambda row: row.pattern)
def test_it_can_be_switched_off(row, off):
    """What is off is not looked for, whatever happens."""
    assert said(row, off, row.at) == []


@pytest.mark.parametrize("row", FIRST, ids=lambda row: row.pattern)
def test_it_ends_when_the_issue_is_solved(row):
    """Solved on the thread of the last contact, everything is over."""
    asked = [line for line in row.story if line.value["kind"] == "contact"]
    last = max(asked, key=lambda line: line.arrived_at)
    at = told_at(format_time(max(ms(row.at), *(line.arrived_at for line in row.story)) + 1))
    names = tuple(f"{one['type']}:{one['value']}" for one in last.value["identities"])
    solve = interaction(last.value["channel"], at, "confirmed", last.value["thread"], who=names)
    told = tell(only(row.pattern, row.rule), *row.story, solve)
    assert f"{at} resolved solved" in told.history(customer_id=told.records[-1]["customer_id"])


def test_every_knob_is_turned():
    """Each setting that the policy has for a pattern is tried: a story in which it holds, and one in which it does not."""
    knobs = {(name, knob) for name in Patterns.model_fields for knob in type(getattr(Patterns(), name)).model_fields}
    knobs = {(name, knob) for name, knob in knobs if knob != "severity"}
    assert {(row.pattern, knob) for row in HOLDS for knob in row.rule} - {("self_service_failed", "severity")} == knobs
    assert {(row.pattern, knob) for row in ROWS if row.at is None for knob in row.rule} >= knobs
    assert {row.pattern for row in ROWS if row.at is None and not row.rule} >= set(Patterns.model_fields)


BY_ISSUES = [
    ({"window": "2h"}, holds("channel_switch", "12:00", ASKED, phone("12:00", "contact"))),
    ({"window": "2h"}, silent("channel_switch", ASKED, phone("12:00:00.001", "contact"))),
    ({"window": "2h"}, holds("channel_switch", "13:00", ASKED, phone("13:00", "contact"), window="3h")),
    ({"window": "2h"}, holds("third_channel", "12:00", ASKED, phone("11:00", "contact"), chat("12:00", "contact"))),
    ({"window": "2h"}, silent("third_channel", ASKED, phone("11:00", "contact"), chat("12:00:00.001", "contact"))),
    ({"window": "1h"}, holds("deflection_loop", "11:10", ASKED, SENT_ON, email("11:10", "deflect"))),
    ({"window": "1h"}, silent("deflection_loop", ASKED, SENT_ON, email("11:10:00.001", "deflect"))),
    ({"window": "1h"}, holds("abandoned", "11:05", *HUNG_UP, phone("11:05", "abandoned", "b"))),
    ({"window": "1h"}, silent("abandoned", *HUNG_UP, phone("11:05:00.001", "abandoned", "b"))),
    ({"repeat_window": "1h"}, holds("repeat_contact", "12:00", ASKED, SOLVED, AGAIN)),
    ({"repeat_window": "1h"}, silent("repeat_contact", ASKED, SOLVED, email("12:00:00.001", "contact"))),
    ({"repeat_window": "1h"}, holds("comp_in_place_of_fix", "11:10", *VOUCHER, email("11:10", "contact"))),
    ({"repeat_window": "1h"}, silent("comp_in_place_of_fix", *VOUCHER, email("11:10:00.001", "contact"))),
    ({"handoff_window": "1h"}, holds("handoff_dropped", "11:10", ASKED, SENT_ON)),
    ({"handoff_window": "1h"}, silent("handoff_dropped", ASKED, SENT_ON, phone("11:10", "contact"))),
    (
        {"handoff_window": "1h"},
        silent("deflection_loop", *HANDED, chat("11:10", "contact"), social("12:00", "deflect", to="phone")),
    ),
    (
        {"handoff_window": "1h"},
        holds(
            "deflection_loop",
            "12:00",
            *(*HANDED, chat("11:10:00.001", "contact"), social("12:00", "deflect", to="phone")),
        ),
    ),
    ({"ignored_after": "1h"}, holds("ignored", "11:00", ASKED)),
    ({"ignored_after": "1h"}, silent("ignored", ASKED, email("11:00", "reply"))),
    ({"quiet_after": "1h"}, holds("lapsed", "11:00", ASKED)),
    ({"quiet_after": "1h"}, silent("lapsed", ASKED, email("11:00", "reply"))),
]


@pytest.mark.parametrize(("issues", "row"), BY_ISSUES, ids=lambda part: str(part).replace(" ", ""))
def test_the_windows_of_issues_are_the_patterns_defaults(issues, row):
    """Where a pattern says nothing of its own, `issues` sets its window; where it does, that counts."""
    if row.at is None:
        until = told_at(format_time(max(line.arrived_at for line in row.story) + LONG))
        assert said(row, row.rule, until, issues=issues) == []
    else:
        assert said(row, row.rule, just_before(row.at), issues=issues) == []
        assert said(row, row.rule, row.at, issues=issues) != []


@pytest.mark.parametrize(("grace", "at"), [("0s", "12:00"), ("1h", "13:00")])
def test_the_grace_of_promises_is_the_policys(grace, at):
    """A promise is broken when it is due and the grace is over."""
    row = holds("broken_promise", at, *PROMISED)
    assert said(row, {}, just_before(at), promises={"grace": grace}) == []
    assert said(row, {}, at, promises={"grace": grace}) == [f"{at} opened error broken_promise"]


def test_threads_are_counted_as_long_as_they_are_apart():
    """Four conversations, two of which are merged, are still three; two more merged, and there are two."""
    asked = [email(f"1{hour}:00", "contact", name) for hour, name in enumerate("abcd")]
    merges = [email("14:00", "merge", "d", into="c"), email("15:00", "merge", "c", into="b")]
    told = tell(only("repeat_contact", {}), *asked, *merges)
    assert told.history() == ["12:00 opened warning repeat_contact", "15:00 resolved no_longer_holds"]


def test_a_hand_off_is_private():
    """A post taken to a direct message within the window is none; a letter that is sent on is a deflection, followed or not."""
    follow = messaging("10:20", "contact")
    again = (social("11:00", "deflect", to="phone"), email("11:00", "deflect", to="phone"))
    rule = {"window": "7d"}
    posted = (POSTED, social("10:10", "deflect", to="messaging"), follow, again[0])
    wrote = (ASKED, email("10:10", "deflect", to="messaging"), follow, again[1])
    assert tell(only("deflection_loop", rule), *posted, until="2d 10:00").history() == []
    assert tell(only("deflection_loop", rule), *wrote).history() == ["11:00 opened error deflection_loop"]


PLACEHOLDERS = ["", "0", "0000000", "-1", "null", "none", "n/a", "anonymous", "unknown", "withheld", "private"]


@pytest.mark.parametrize("value", PLACEHOLDERS)
def test_a_number_that_was_not_sent_joins_nobody(value):
    """Two callers whose telephone system writes the same placeholder are two customers, and have not switched channels."""
    calls = (phone("10:00", "contact", "a", who=f"phone:{value}"), chat("11:00", "contact", "b", who=f"phone:{value}"))
    told = tell(only("channel_switch", {}), *calls)
    assert told.history() == []
    assert len(told.customers()) == 2
