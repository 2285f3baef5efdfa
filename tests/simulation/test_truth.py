"""The truth told of a story, on stories small enough to judge by eye."""

from collections.abc import Sequence
from typing import Any

import pytest

from schemas.policy_patterns import PATTERNS
from schemas.times import DAY, HOUR, MINUTE, SECOND, format_time
from schemas.vocabulary import BY_CUSTOMER
from streams.simulation.cases import cases_of
from streams.simulation.holds import HOLDS, Others, shown
from streams.simulation.stories import Happening
from streams.simulation.truth import others_of

END = 240 * HOUR


def event(hours: float, kind: str, channel: str = "email", *, by: str = "", thread: str = "", **data: Any) -> Happening:
    return Happening(
        id=f"{hours:09.4f}-{kind}",
        at=int(hours * HOUR),
        kind=kind,
        channel=channel,
        thread=None if kind == "self_service_failed" else thread or channel,
        public=channel in ("social", "community"),
        by=by or ("customer" if kind in BY_CUSTOMER else "agent"),
        data=data,
    )


def patterns_of(happenings: Sequence[Happening], end: int = END, others: Others | None = None) -> set[str]:
    """The patterns of one customer's problems about one topic."""
    topics = {happening.thread: "billing" for happening in happenings if happening.thread}
    return {name for case in cases_of(happenings, topics) for name in shown(case, others or Others(), end)}


SOLVED = {"status": "solved"}
CASES: dict[str, tuple[list[Happening], set[str]]] = {
    "answered at once": ([event(0, "contact"), event(1, "reply"), event(2, "status", **SOLVED)], set()),
    "two channels": ([event(0, "contact"), event(1, "reply"), event(2, "contact", "phone")], {"channel_switch"}),
    "three channels, the last public": (
        [event(0, "contact", "phone"), event(40, "contact"), event(70, "contact", "social")],
        {"channel_switch", "third_channel", "went_public", "repeat_contact", "ignored"},
    ),
    "public first is not going public": (
        [event(0, "contact", "social"), event(1, "reply", "social"), event(2, "contact")],
        {"channel_switch"},
    ),
    "a day without a human answer": (
        [event(0, "contact"), event(1, "reply", canned=True), event(2, "reply", canned=True)],
        {"canned_only", "ignored"},
    ),
    "a hand-off that is taken up is none": (
        [
            event(0, "contact", "social"),
            event(1, "deflect", "social", to="phone"),
            event(2, "contact", "phone"),
            event(2.1, "answered", "phone"),
        ],
        {"channel_switch"},
    ),
    "sent on and never seen there": (
        [event(0, "contact"), event(1, "reply"), event(2, "deflect", to="phone")],
        {"handoff_dropped"},
    ),
    "sent on twice": (
        [
            event(0, "contact"),
            event(1, "deflect", to="web"),
            event(2, "contact", "web"),
            event(3, "reply", "web"),
            event(4, "deflect", "web", to="email"),
            event(5, "contact"),
        ],
        {"deflection_loop", "channel_switch"},
    ),
    "promise broken": (
        [event(0, "contact"), event(1, "reply"), event(2, "promise", due_at=format_time(4 * HOUR))],
        {"broken_promise"},
    ),
    "promise kept within the grace": (
        [
            event(0, "contact"),
            event(1, "reply"),
            event(2, "promise", due_at=format_time(4 * HOUR)),
            event(4.2, "promise_kept"),
        ],
        set(),
    ),
    "voucher in place of a fix": (
        [event(0, "contact"), event(1, "reply"), event(1, "compensate"), event(9, "contact")],
        {"comp_in_place_of_fix"},
    ),
    "hung up twice": (
        [
            event(0, "contact", "phone", thread="a"),
            event(0.1, "abandoned", "phone", thread="a", waited_s=360),
            event(1, "contact", "phone", thread="b"),
            event(1.6, "abandoned", "phone", thread="b", waited_s=2160),
            event(2, "answered", "phone", thread="c"),
        ],
        {"abandoned", "long_hold"},
    ),
    "solved twice, opened twice": (
        [
            event(0, "contact"),
            event(1, "reply"),
            event(1, "status", **SOLVED),
            event(2, "contact"),
            event(3, "status", **SOLVED),
            event(4, "contact"),
        ],
        {"reopened", "repeat_contact"},
    ),
    "an argument in public": (
        [event(0, "contact", "social"), *(event(n, "reply", "social") for n in (1, 2, 3))],
        {"public_argument"},
    ),
    "many followers": (
        [event(0, "contact", "social", reach=20_000), event(1, "reply", "social")],
        {"spreading"},
    ),
    "searched first": (
        [event(0, "self_service_failed", "web"), event(3, "contact"), event(4, "reply")],
        {"self_service_failed"},
    ),
    "handed on three times": (
        [event(0, "contact"), event(1, "reply"), *(event(n, "transfer", to_team="x") for n in (2, 3, 4))],
        {"passed_around"},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_patterns(name):
    """Each small story shows the patterns that a reader would name, and no others."""
    happenings, expected = CASES[name]
    assert patterns_of(happenings) == expected


def test_the_truth_knows_every_pattern():
    """The observer judges by the contract's whole list."""
    assert set(HOLDS) == set(PATTERNS)


def test_a_chat_that_waited_half_an_hour():
    """A chat's wait is counted from its contact."""
    story = [event(0, "contact", "chat"), event(0.5, "answered", "chat")]
    assert patterns_of(story) == {"long_hold"}
    story = [event(0, "contact", "chat"), event((30 * MINUTE - 1000) / HOUR, "answered", "chat")]
    assert patterns_of(story) == set()


CROWD = [f"C{number}" for number in range(5)]


def crowd(*hours: float) -> Others:
    """Others' contacts on one post, by five customers."""
    posts = [(int(hour * HOUR), who) for hour, who in zip(hours, CROWD, strict=False)]
    return Others({"social": posts})


def test_a_crowd_within_a_day():
    """Five customers on one post within a day; not four, nor five in a day and a second."""
    story = [event(0, "contact", "social"), event(1, "reply", "social")]
    assert patterns_of(story, others=crowd(0, 1, 2, 3, 24)) == {"spreading"}
    assert patterns_of(story, others=crowd(0, 1, 2, 3)) == set()
    assert patterns_of(story, others=crowd(0, 1, 2, 3, 24 + SECOND / HOUR)) == set()


def test_one_text_to_five_customers_is_a_template():
    """A text that five customers get within a day is canned for all of them, said the source so or not."""

    def sent(text: str, *days: float) -> frozenset[str]:
        told = {
            name: [Happening(name, int(day * DAY), "reply", "email", "t", public=False, by="agent", text=text)]
            for name, day in zip(CROWD, days, strict=False)
        }
        return others_of(told).templates

    assert sent("Please read the pages of our help.", 0, 0.2, 0.5, 0.7, 1) == set(CROWD)
    assert sent("Please read the pages of our help.", 0, 0.2, 0.5, 0.7) == set()
    assert sent("Please read the pages of our help.", 0, 0.2, 0.5, 0.7, 1.001) == set()
    assert sent("Thank you, bye.", 0, 0.2, 0.5, 0.7, 1) == set()


def test_a_problem_that_comes_back_later_is_another():
    """A new ticket within a week of the solve is the same problem; later it is a new one, and is no repetition."""
    solved = [event(0, "contact"), event(1, "reply"), event(1, "status", **SOLVED)]
    topics = {"email": "billing", "phone": "billing", "other": "login"}
    again = [*solved, event(169, "contact", "phone"), event(169.1, "answered", "phone")]
    assert len(cases_of(again, topics)) == 1
    assert patterns_of(again) == {"repeat_contact"}
    later = [*solved, event(169.01, "contact", "phone"), event(169.1, "answered", "phone")]
    assert len(cases_of(later, topics)) == 2
    assert patterns_of(later) == set()
    assert len(cases_of([*solved, event(2, "contact", thread="other")], topics)) == 2


def test_a_solve_covers_the_earlier_attempts():
    """Solved where the customer asked last, all is solved; solved where they asked first, the last still waits."""
    asked = [event(0, "contact"), event(1, "contact", "web"), event(2, "reply", "web")]
    topics = {"email": "billing", "web": "billing"}
    [covered] = cases_of([*asked, event(3, "status", "web", **SOLVED)], topics)
    assert covered.unresolved == [[0, 3 * HOUR]]
    [waiting] = cases_of([*asked, event(3, "status", **SOLVED)], topics)
    assert waiting.unresolved == [[0, 337 * HOUR]]  # until it falls quiet


def test_merged_tickets_are_one():
    """Three tickets, two of which are merged, are two: contacts on three conversations are no more."""
    story = [
        event(0, "contact", thread="a"),
        event(0.5, "reply", thread="a"),
        event(1, "contact", thread="b"),
        event(2, "contact", thread="c"),
    ]
    assert patterns_of(story) == {"repeat_contact"}
    merged = [*story[:3], event(1.5, "merge", thread="b", into="a"), story[3]]
    assert patterns_of(merged) == set()


def test_an_unanswered_question_lapses():
    """Two weeks without a word from either side; an answered one falls quiet, and is over."""
    asked = [event(0, "contact"), event(1, "reply"), event(2, "contact")]
    assert patterns_of(asked, 339 * HOUR) == {"lapsed"}
    assert patterns_of(asked, 338 * HOUR) == {"lapsed"}
    assert patterns_of(asked, 338 * HOUR - 1) == set()
    assert patterns_of([*asked, event(3, "reply")], 400 * HOUR) == set()
    [case] = cases_of([*asked, event(3, "reply")], {"email": "billing"})
    assert case.unresolved == [[0, 338 * HOUR]]
