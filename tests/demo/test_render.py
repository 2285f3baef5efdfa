"""What a watcher of the demo reads."""

import importlib.util
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from agents.demo.pace import Pace
from agents.demo.render import entry, headline, lateness, who
from agents.demo.summary import Fed, closing, moral
from agents.demo.tally import GapTally, Tally
from agents.demo.words import clean, span
from schemas.times import DAY, HOUR, MINUTE, parse_time
from streams.gap_estimate import Gap, GapEstimate, GapRow
from streams.simulate import simulate

_spec = importlib.util.spec_from_file_location("demo_records", Path(__file__).with_name("records.py"))
records = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(records)
history, sla, hotspot = records.history, records.sla, records.hotspot


def printed(what, *, terminal: bool = False) -> str:
    out = io.StringIO()
    Console(file=out, width=120, force_terminal=terminal, color_system="standard" if terminal else None).print(what)
    return out.getvalue()


def test_a_history_says_all_that_a_supervisor_asks():
    """When, how severe, what, about what, who, where, whose turn, for whom, and why."""
    text = printed(entry(history()))
    for part in (
        "Mon 08 Jun 12:00",
        "CRITICAL",
        "third channel, went public",
        "[billing]",
        "customer_id C***42 (+1)",
        "phone > email > social (public)",
        "3 contacts",
        "the company's turn",
        "for shift_lead (pagerduty:PABC)",
        "3rd channel in 70 h",
    ):
        assert part in text
    assert text.count("\n") == 3


def test_a_breach_says_what_is_late_and_by_how_much():
    """Metric, channel, due time and how long overdue."""
    text = printed(entry(sla()))
    assert "first response breached" in text
    assert "first response on email due Mon 08 Jun 09:00: 3 h overdue" in text


def test_a_warning_says_what_is_left():
    """Before the breach: how much time is left."""
    record = sla(phase="at_risk", severity="warning", due_at="2026-06-08T13:30:00.000Z")
    assert lateness(record) == "first response on email due Mon 08 Jun 13:30: 1 h 30 m left"
    assert "at risk" in printed(headline(record))


def test_a_resolved_one_asks_nobody_for_anything():
    """A resolved escalation says why, and whose turn it is no more."""
    text = printed(entry(sla(status="resolved", change="resolved", reason="late_evidence", retracted=True, revision=2)))
    assert "resolved: late evidence" in text
    assert "turn" not in text


def test_a_hotspot_is_about_a_topic():
    """A hotspot names its topic, and no customer."""
    text = printed(entry(hotspot()))
    assert "hotspot  [outage]" in text
    assert "cus_" not in text


def test_who_falls_back_to_the_customer_id():
    """Without identities, the customer's id is the name."""
    assert who(history(identities=[])) == "cus_1"


def test_no_control_codes_without_a_terminal():
    """Plain lines where the output is not a terminal, colours where it is."""
    assert "\x1b" not in printed(entry(history()))
    assert "\x1b[" in printed(entry(history()), terminal=True)


def test_a_customer_cannot_command_the_terminal():
    """Escape sequences and markup in foreign text are shown as text, not obeyed."""
    evil = "\x1b]0;owned\x07[bold red]x[/]\n\u202eabc"
    text = printed(entry(history(topic=evil[:60], summary=evil, identities=[{"type": "handle", "value": evil}])))
    assert "\x1b" not in text
    assert "\x07" not in text
    assert "\u202e" not in text
    assert "[bold red]x[/]" in text


@given(st.text(), st.integers(4, 300))
def test_clean_is_bounded(text, limit):
    """Cleaned text is printable and within its limit."""
    found = clean(text, limit)
    assert len(found) <= limit
    assert not any(ord(letter) < 32 or 127 <= ord(letter) < 160 for letter in found)


@pytest.mark.parametrize(
    ("duration", "text"),
    [(0, "0 s"), (45_000, "45 s"), (90_000, "1 m 30 s"), (-2 * HOUR, "2 h"), (DAY + 4 * HOUR + MINUTE, "1 d 4 h")],
)
def test_span(duration, text):
    """Durations are told in their two largest units."""
    assert span(duration) == text


def test_pace_shows_the_gravest_and_counts_the_rest():
    """Of a crowded moment the gravest are shown, in order of arrival, and all others are counted."""
    pace = Pace(entries_max=2)
    for number in range(5):
        pace.add(sla(escalation_id=f"w{number}", phase="at_risk", severity="warning"))
    pace.add(sla(escalation_id="e", severity="error"))
    pace.add(history(escalation_id="c"))
    pace.add(sla(escalation_id="r", revision=2, status="resolved", change="resolved", reason="solved"))
    lines = [printed(line) for line in pace.show()]
    assert len(lines) == 3
    assert "ERROR" in lines[0]
    assert "CRITICAL" in lines[1]
    assert lines[2].strip() == "and 6 other changes: 5 warning, 1 resolved"
    assert pace.show() == []


def test_pace_holds_a_bounded_number():
    """A storm is counted, not kept."""
    pace = Pace(entries_max=1, records_max=3)
    for _ in range(10):
        pace.add(history())
    assert "and 9 other changes: 9 critical" in printed(pace.show()[1])


def test_tally_counts_escalations_once():
    """Revisions of one escalation are one escalation, with the highest severity; a redelivery changes nothing."""
    tally = Tally()
    first = sla(phase="at_risk", severity="warning")
    second = sla(revision=2, change="raised", severity="error")
    third = sla(revision=3, change="resolved", status="resolved", reason="answered", severity="error")
    assert [tally.add(record) for record in (first, third, second, second, history(escalation_id="h"))] == [
        *[True] * 3,
        False,
        True,
    ]
    assert (tally.escalations, tally.revisions, tally.open) == (2, 4, 1)
    assert tally.by_kind()["sla: first_response"] == {"error": 1}
    assert tally.by_pattern() == {"third_channel": 1, "went_public": 1}


def test_gap_windows_count_their_last_revision():
    """A corrected window replaces the one before it."""
    windows = GapTally()
    for revision, number in ((1, 3), (3, 5), (2, 4)):
        windows.add({"channel": "social", "window_start": "w", "revision": revision, "queue_jumps": number})
    windows.add({"channel": "social", "window_start": "x", "revision": 1, "queue_jumps": 1})
    assert windows.total("queue_jumps") == 6


def test_closing_summary_of_a_simulated_week():
    """The summary of a run names every channel and ends with the lesson."""
    start, estimate, tally = parse_time("2026-06-01T04:00:00Z"), GapEstimate(), Tally()
    for line in simulate(1, start, 7 * DAY, 200):
        estimate.add(line.value)
    tally.add(history())
    text = printed(closing(Fed(2500, 300, 7 * DAY, 42.0), tally, estimate.gap(), GapTally()))
    for part in ("2,500 events", "7 d", "1 escalation of 1 customer", "went public", "email", "social (public)"):
        assert part in text
    assert "the company teaches its customers to complain in public." in " ".join(text.split())
    assert "\x1b" not in text


def row(name: str, p50: float | None, ratio: float | None, *, public: bool = False) -> GapRow:
    return GapRow(name, public, 10, 10 if p50 else 0, p50, p50, ratio)


@pytest.mark.parametrize(
    ("private", "ratio", "words"),
    [
        (5400.0, 9.0, "answered 9 times faster than the private ones, and 9 times faster than email"),
        (300.0, 0.5, "answered 2.0 times as fast"),
        (None, None, "Nothing can be said"),
    ],
)
def test_moral(private, ratio, words):
    """The closing sentence follows the numbers, and says nothing where there are none."""
    rows = (row("email", private, ratio),)
    gap = Gap(rows, row("private", private, ratio), row("public", 600.0, None, public=True), 0, 0)
    assert words in moral(gap)
