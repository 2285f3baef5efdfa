"""Channel gaps by example (contract, section 8)."""

from typing import Any

import pytest

from schemas.gap import validate_gap
from schemas.times import HOUR, MINUTE, format_time
from streams.event import Event
from streams.gaps import GapBook, facts, summary
from streams.gaps.lengths import Lengths
from streams.gaps.percentile import percentile, percentile_s, ratio
from tests.gaps.build import T0, derived, event, solved

LATER = T0 + 1000 * HOUR


def told(*customers: list[Event], until: int = LATER) -> dict[tuple[str, int], dict[str, Any]]:
    """The records by channel and hour after the start."""
    book = GapBook()
    for number, events in enumerate(customers):
        book.replace(f"cus_{number}", facts(derived(*events)))
    return by_window(book.close(until))


def by_window(records: list[dict[str, Any]]) -> dict[tuple[str, int], dict[str, Any]]:
    found = {}
    for record in records:
        validate_gap(record)
        starts = {format_time(T0 + hour * HOUR): hour for hour in range(-2, 3000)}
        found[record["channel"], starts[record["window_start"]]] = record
    return found


def test_contacts_and_responses_belong_to_the_window_of_their_own_time():
    """A contact counts when it came, its answer when that came, in wall time since the contact."""
    found = told(
        [
            event(50, "contact", "email:1"),
            event(55, "contact", "email:1"),
            event(80, "reply", "email:1"),
            event(90, "contact", "email:1"),
            event(130, "reply", "email:1"),
        ]
    )
    assert (found["email", 0]["contacts"], found["email", 0]["first_responses"]) == (2, 0)
    assert found["email", 0]["first_response_p50_s"] is None
    assert (found["email", 1]["contacts"], found["email", 1]["first_responses"]) == (1, 1)
    assert found["email", 1]["first_response_p50_s"] == found["email", 1]["first_response_p90_s"] == 30 * 60
    assert found["email", 2]["next_response_p90_s"] == 40 * 60
    assert found["email", 2]["first_responses"] == 0
    assert sorted(found) == [("email", 0), ("email", 1), ("email", 2), ("email", 8), ("email", 12)]


def test_a_window_is_half_open():
    """An event of the instant at which a window ends is the next window's."""
    found = told([event(59.999, "contact", "email:1"), event(60, "contact", "email:1"), solved(61, "email:1")])
    assert (found["email", 0]["contacts"], found["email", 1]["contacts"]) == (1, 1)


def test_breaches_count_at_the_due_time_on_the_clocks_channel():
    """First response after 1 h, resolution after 8 h; the issue's clock counts on the channel of the last contact."""
    found = told([event(0, "contact", "email:1"), event(90, "contact", "chat:2"), event(95, "answered", "chat:2")])
    assert found["email", 1]["breached"] == 1
    assert found["email", 8]["breached"] == 1
    assert found["chat", 9]["breached"] == 1
    assert found["chat", 12]["breached"] == 1
    assert sum(record["breached"] for record in found.values()) == 4


def test_a_breach_that_an_answer_prevented_is_none():
    """What would be so if nothing more happened is taken back when something does."""
    book = GapBook()
    book.replace("c", facts(derived(event(0, "contact", "email:1"))))
    book.replace("c", facts(derived(event(0, "contact", "email:1"), solved(50, "email:1"))))
    assert [(r["window_start"], r["breached"]) for r in book.close(LATER)] == [(format_time(T0), 0)]


def test_resolution_leaves_out_solved_times_and_silence():
    """A reopened thread is resolved again, the time in which it was solved left out; falling quiet is no solve."""
    found = told(
        [
            event(0, "contact", "email:1"),
            solved(30, "email:1"),
            event(70, "contact", "email:1"),
            solved(100, "email:1"),
        ],
        [event(0, "contact", "chat:2"), event(1, "answered", "chat:2")],
    )
    assert (found["email", 0]["resolved"], found["email", 0]["median_resolution_s"]) == (1, 30 * 60)
    assert (found["email", 1]["resolved"], found["email", 1]["median_resolution_s"]) == (1, 60 * 60)
    assert sum(record["resolved"] for record in found.values()) == 2


STORY = [
    event(0, "contact", "phone:1"),
    event(20, "contact", "email:2"),
    event(40, "contact", "social:3"),
    event(50, "reply", "social:3"),
    solved(55, "social:3"),
]
"""Two private threads wait while the public one is answered, and solves them all."""


def test_a_queue_jump_is_an_answer_in_public_while_an_earlier_private_thread_waits():
    """One jump, two overtaken; the issue began on the phone and was solved in public."""
    found = told(STORY)
    social = found["social", 0]
    assert (social["queue_jumps"], social["overtaken"]) == (1, 2)
    assert (social["resolved_here"], social["contacts_per_issue_p50"]) == (1, 3.0)
    assert (found["phone", 0]["ended_elsewhere"], found["phone", 0]["resolved_here"]) == (1, 0)
    assert found["email", 0]["ended_elsewhere"] == 0
    assert [found[channel, 0]["resolved"] for channel in ("phone", "email", "social")] == [1, 1, 1]
    assert social["ratio_to_public"] == 1
    assert found["phone", 0]["ratio_to_public"] is None


@pytest.mark.parametrize(
    ("events", "jumps"),
    [
        ([event(0, "contact", "phone:1"), event(45, "answered", "phone:1")], 0),  # answered before
        ([event(0, "contact", "phone:1"), event(55, "answered", "phone:1")], 1),  # answered after
        ([event(41, "contact", "phone:1")], 0),  # not earlier
        ([event(0, "contact", "phone:1", topic="refund")], 0),  # another issue
        ([event(0, "contact", "social:1")], 0),  # not private
        ([event(0, "contact", "social:1", public=False)], 1),  # a direct message is
        ([event(0, "contact", "phone:1"), event(0, "contact", "chat:2")], 1),  # an answer jumps once
    ],
)
def test_what_is_a_queue_jump(events, jumps):
    """Earlier, private, of the same issue, and still waiting."""
    topic = "billing" if any(e.topic for e in events) else None
    public = [event(40, "contact", "social:3", topic=topic), event(50, "reply", "social:3")]
    assert told([*events, *public])["social", 0]["queue_jumps"] == jumps


def test_overtaken_counts_private_threads_of_any_customer_once():
    """Those that began to wait earlier and still waited; not those that came later, were answered, or are public."""
    found = told(
        [event(0, "contact", "phone:1")],
        [event(1, "contact", "email:2"), event(45, "reply", "email:2")],
        [event(2, "contact", "email:3"), event(51, "reply", "email:3")],
        [event(35, "contact", "chat:4")],
        [event(0, "contact", "community:5")],
        [event(30, "contact", "social:6"), event(50, "reply", "social:6")],
        [event(31, "contact", "social:7"), event(52, "reply", "social:7")],
    )
    assert found["social", 0]["overtaken"] == 2
    assert found["social", 0]["queue_jumps"] == 0
    assert found["phone", 0]["overtaken"] == 0


def test_the_ratio_is_over_all_public_first_responses_of_the_window():
    """Email takes six times as long as social and community together."""
    found = told(
        [event(0, "contact", "email:1"), event(30, "reply", "email:1")],
        [event(0, "contact", "social:2"), event(4, "reply", "social:2")],
        [event(0, "contact", "community:3"), event(6, "reply", "community:3")],
    )
    ratios = {channel: found[channel, 0]["ratio_to_public"] for channel in ("email", "social", "community")}
    assert ratios == {"email": 6, "social": 0.8, "community": 1.2}


def test_public_first_tells_who_has_learned():
    """An issue that begins in public counts; one of a customer whose earlier issue was answered in public, twice."""
    lesson = [
        event(0, "contact", "email:1", topic="billing"),
        event(10, "contact", "social:2", topic="billing"),
        event(20, "reply", "social:2"),
        solved(21, "social:2"),
    ]
    found = told(
        [*lesson, event(120, "contact", "social:3", topic="refund")],
        [event(120, "contact", "social:4")],
        [event(0, "contact", "email:5"), event(1, "reply", "email:5"), solved(2, "email:5")],
    )
    assert (found["social", 0]["public_first"], found["social", 2]["public_first"]) == (0, 2)
    assert found["social", 2]["public_first_returning"] == 1


def test_a_late_event_corrects_a_window_with_a_higher_revision():
    """A window is told once, and again when a contribution changed; an unchanged one is not repeated."""
    book = GapBook()
    events = [event(0, "contact", "email:1"), event(10, "contact", "chat:2"), event(11, "answered", "chat:2")]
    book.replace("a", facts(derived(*events)))
    assert book.next_wake == T0 + HOUR
    assert book.close(T0 + HOUR - 1) == []
    first = book.close(T0 + HOUR)
    assert [(r["channel"], r["revision"], r["first_responses"]) for r in first] == [("chat", 1, 1), ("email", 1, 0)]
    assert book.close(T0 + HOUR) == []
    book.replace("a", facts(derived(*events)))
    assert book.close(T0 + HOUR) == []
    book.replace("a", facts(derived(*events, event(30, "reply", "email:1"))))
    assert book.next_wake == T0 + HOUR
    again = book.close(T0 + HOUR + 1)
    assert [(r["channel"], r["revision"], r["first_responses"]) for r in again] == [("email", 2, 1)]


def test_a_late_answer_in_private_corrects_who_was_overtaken():
    """The public window is told again when it turns out that a private thread had been answered by then."""
    book = GapBook()
    book.replace("a", facts(derived(event(0, "contact", "email:1"))))
    book.replace("b", facts(derived(event(70, "contact", "social:2"), event(75, "reply", "social:2"))))
    before = by_window(book.close(T0 + 3 * HOUR))
    assert before["social", 1]["overtaken"] == 1
    book.replace("a", facts(derived(event(0, "contact", "email:1"), event(2, "reply", "email:1"))))
    after = by_window(book.close(T0 + 3 * HOUR))
    assert (after["social", 1]["overtaken"], after["social", 1]["revision"]) == (0, 2)


def test_a_merge_of_customers_moves_the_contributions():
    """The survivor has both histories, the other is dropped; an issue that began in public was no beginning."""
    book = GapBook()
    one = [event(0, "contact", "email:1")]
    other = [event(20, "contact", "social:2"), event(30, "reply", "social:2")]
    book.replace("a", facts(derived(*one)))
    book.replace("b", facts(derived(*other)))
    assert by_window(book.close(T0 + HOUR))["social", 0]["public_first"] == 1
    book.replace("a", facts(derived(*one, *other)))
    book.drop("b")
    social = by_window(book.close(T0 + HOUR))["social", 0]
    assert (social["revision"], social["public_first"], social["queue_jumps"]) == (2, 0, 1)
    assert (social["contacts"], social["first_responses"]) == (1, 1)


def test_what_has_vanished_is_corrected_to_nothing():
    """A channel that was told and then had nothing is told once more, with zeros."""
    book = GapBook()
    book.replace("a", facts(derived(event(0, "contact", "email:1"))))
    book.close(T0 + HOUR)
    book.drop("a")
    (record,) = book.close(T0 + HOUR)
    validate_gap(record)
    assert (record["revision"], record["contacts"]) == (2, 0)


def test_the_last_window_of_a_recording_can_be_told_in_part():
    """With partial, what has happened so far counts, not what is still to come; its end corrects it."""
    book = GapBook()
    book.replace("a", facts(derived(event(-30, "contact", "email:1"), event(5, "contact", "email:1"))))
    records = book.close(T0 + 10 * MINUTE, partial=True)
    assert [(r["window_start"], r["contacts"], r["breached"]) for r in records] == [
        (format_time(T0 - HOUR), 1, 0),
        (format_time(T0), 1, 0),
    ]
    (record,) = book.close(T0 + HOUR)
    assert (record["revision"], record["contacts"], record["breached"]) == (2, 1, 1)


def test_windows_have_the_size_asked_for():
    """A day is one window too."""
    book = GapBook(24 * HOUR)
    book.replace("a", facts(derived(*STORY)))
    assert {r["window_start"] for r in book.close(LATER)} == {format_time(T0 // (24 * HOUR) * 24 * HOUR)}


def test_the_summary_is_the_same_measure_over_a_whole_run():
    """By channel, slowest first, with nothing that is still to come."""
    mail = [event(0, "contact", "email:9"), event(300, "reply", "email:9")]
    found = summary([*facts(derived(*STORY)), *facts(derived(*mail))], until=T0 + 6 * HOUR)
    assert [row["channel"] for row in found[:2]] == ["email", "social"]
    found = {row["channel"]: row for row in found}
    assert found["email"]["ratio_to_public"] == 30
    assert (found["social"]["overtaken"], found["social"]["queue_jumps"]) == (3, 1)
    assert found["email"]["breached"] == 1


def of(*numbers: int) -> Lengths:
    """These numbers."""
    return Lengths.of(numbers)


def test_percentiles_are_interpolated_exactly():
    """The median of an even number lies between the middle two; nothing is measured of nothing."""
    assert (percentile(of(), 50), percentile_s(of(), 90)) == (None, None)
    assert percentile(of(7), 90) == 7
    assert percentile(of(1, 4), 50) == 2.5
    assert percentile_s(of(0, 1000, 2000, 3000, 10_000), 90) == 7.2
    assert percentile(of(*range(11)), 90) == 9
    assert ratio(of(1), of(0)) is None
    assert ratio(of(1, 2), of(2)) == 0.75
