"""The truth told of a story, on stories small enough to judge by eye."""

from typing import Any

import pytest

from schemas.times import HOUR, MINUTE, format_time
from streams.simulation.stories import Happening
from streams.simulation.truth import patterns_of

END = 240 * HOUR


def event(hours: float, kind: str, channel: str = "email", *, by: str = "", thread: str = "", **data: Any) -> Happening:
    by = by or ("customer" if kind in ("contact", "abandoned", "confirmed", "self_service_failed") else "agent")
    human = by == "agent" and (kind == "answered" or (kind == "reply" and not data.get("canned")))
    return Happening(
        at=int(hours * HOUR),
        kind=kind,
        channel=channel,
        thread=thread or channel,
        public=channel in ("social", "community"),
        human=human,
        by_company=by in ("agent", "bot"),
        data=data,
        identities=(),
    )


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
    assert patterns_of(happenings, END) == expected


def test_a_chat_that_waited_half_an_hour():
    """A chat's wait is counted from its contact."""
    story = [event(0, "contact", "chat"), event(0.5, "answered", "chat")]
    assert patterns_of(story, END) == {"long_hold"}
    story = [event(0, "contact", "chat"), event((30 * MINUTE - 1000) / HOUR, "answered", "chat")]
    assert patterns_of(story, END) == set()
