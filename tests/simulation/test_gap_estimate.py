"""The estimated channel gap, on runs small enough to count by hand."""

from itertools import permutations
from typing import Any

import pytest

from schemas.times import MINUTE, format_time, parse_time
from streams.gap_estimate import GapEstimate, percentile

START = parse_time("2026-06-08T13:00:00Z")


def event(minute: float, kind: str, thread: str, channel: str = "email", **more: Any) -> dict[str, Any]:
    at = format_time(START + int(minute * MINUTE))
    who = more.pop("who", None)
    if who:
        more["identities"] = [{"type": kind_, "value": value} for kind_, _, value in (w.partition(":") for w in who)]
    return {
        "id": f"{thread}-{kind}-{minute}",
        "occurred_at": at,
        "kind": kind,
        "thread": thread,
        "channel": channel,
    } | more


def estimate(*events: dict[str, Any]):
    found = GapEstimate()
    for value in events:
        found.add(value)
    return found.gap()


LINK = {"action": "link", "a": {"type": "handle", "value": "Ann"}, "b": {"type": "email", "value": "a@example.com"}}


def test_ratio_and_queue_jump_in_any_order():
    """A public answer after 10 minutes, while the same person's email waits 100, is one queue jump, ratio 10."""
    story = [
        event(0, "contact", "m1", who=["email:a@example.com"], topic="billing"),
        event(20, "contact", "p1", "social", who=["handle:@ann"], topic="billing"),
        event(30, "reply", "p1", "social"),
        event(100, "reply", "m1"),
        LINK,
    ]
    for order in permutations(story):
        gap = estimate(*order)
        assert gap.queue_jumps == gap.overtaken == 1
        assert gap.private.p50_s == 6000
        assert gap.public.p50_s == 600
        assert gap.private.ratio_to_public == 10


def test_without_the_link_it_is_only_overtaken():
    """Two strangers: the private one is overtaken, but nobody jumped their own queue."""
    gap = estimate(
        event(0, "contact", "m1", who=["email:a@example.com"]),
        event(20, "contact", "p1", "social", who=["handle:ann"]),
        event(30, "reply", "p1", "social"),
    )
    assert (gap.queue_jumps, gap.overtaken) == (0, 1)


@pytest.mark.parametrize("data", [{"auto": True}, {"canned": True}])
def test_form_letters_answer_nothing(data):
    """An automatic or canned reply is no first response."""
    gap = estimate(event(0, "contact", "m1"), event(1, "reply", "m1", data=data), event(9, "reply", "m1"))
    assert gap.private.p50_s == 540


def test_a_bot_answers_nothing():
    """A bot's reply is no first response."""
    gap = estimate(event(0, "contact", "m1"), event(1, "reply", "m1", actor={"type": "bot"}))
    assert (gap.private.threads, gap.private.answered, gap.private.p50_s) == (1, 0, None)


def test_each_author_of_a_public_thread_waits_alone():
    """On a public thread an answer counts for the author whom it answers."""
    first, second = (event(n, "contact", "p", "social", who=[f"handle:h{n}"]) for n in (0, 5))
    gap = estimate(first, second, event(6, "reply", "p", "social", in_reply_to=second["id"]))
    assert (gap.public.threads, gap.public.answered, gap.public.p50_s) == (2, 1, 60)


def test_an_abandoned_call_waits_no_longer():
    """Who has hung up is not overtaken."""
    gap = estimate(
        event(0, "contact", "c1", "phone", who=["phone:+12125550100"]),
        event(3, "abandoned", "c1", "phone"),
        event(20, "contact", "p1", "social", who=["handle:ann"]),
        event(30, "reply", "p1", "social"),
    )
    assert gap.overtaken == 0


def test_percentile_is_nearest_rank():
    """Percentiles are values that occurred."""
    assert percentile([1, 2, 3, 4], 0.5) == 2
    assert percentile([1, 2, 3, 4, 5], 0.5) == 3
    assert percentile(list(map(float, range(1, 11))), 0.9) == 9
    assert percentile([7], 0.9) == 7
    assert percentile([], 0.5) is None
