"""The order of arrival does not change the facts (contract, section 11): simulated weeks, replayed in order and not."""

from random import Random

import pytest

from schemas.times import DAY, HOUR, parse_time
from streams.compare import compare
from streams.replay import Line
from tests.compare.replayed import all_at_the_end, delayed, replayed, simulated

ARRIVALS = {
    "a backlog": all_at_the_end,
    "hours late": lambda lines, random: delayed(lines, random, 12 * HOUR),
    "some of them days late": lambda lines, random: delayed(lines, random, 3 * DAY, share=0.1),
}


def differences(seed: int, how: str, customers: int, days: float) -> list:
    lines = simulated(seed, customers, days)
    until = max(line.arrived_at for line in lines) + 3 * DAY
    shuffled = ARRIVALS[how](lines, Random(seed))
    result = compare(replayed(lines, until), replayed(shuffled, until))
    return [difference for section in result.sections for difference in section.differences]


@pytest.mark.parametrize("how", ARRIVALS)
@pytest.mark.parametrize("seed", [1, 2])
def test_the_order_of_arrival_changes_no_fact(seed, how):
    """However late its events arrive, a simulated week ends with the same customers, issues, clocks and episodes."""
    assert differences(seed, how, customers=25, days=6) == []


@pytest.mark.slow
@pytest.mark.parametrize("how", ARRIVALS)
@pytest.mark.parametrize("seed", range(10, 15))
def test_the_order_of_arrival_changes_no_fact_of_more_weeks(seed, how):
    """The same for more and larger weeks."""
    assert differences(seed, how, customers=80, days=10) == []


def test_a_replay_has_nothing_to_excuse():
    """In order of arrival, with no late event, every escalation that was made stands for an episode."""
    lines = simulated(3)
    by_time = sorted(
        (line._replace(arrived_at=parse_time(line.value["occurred_at"])) for line in lines),
        key=lambda line: line.arrived_at,
    )
    until = by_time[-1].arrived_at + 3 * DAY
    run = replayed(by_time, until)
    result = compare(run, run, strict=True)
    assert result.agree, [d for s in result.sections for d in s.differences]


def event(id_: str, at: str, arrived_at: str, channel: str, kind: str, thread: str, **data) -> Line:
    value = {
        "id": id_,
        "occurred_at": f"2026-06-{at}Z",
        "channel": channel,
        "kind": kind,
        "thread": thread,
        "identities": [{"type": "email", "value": "kim@example.com"}],
        "topic": "roaming",
        "data": data,
    }
    return Line(parse_time(f"2026-06-{arrived_at}Z"), "interactions", value)


LATE_SOLVE = [
    event("e1", "01T22:00:00", "01T22:00:00", "email", "contact", "t1"),
    event("e2", "02T14:00:00", "02T14:00:00", "in_person", "contact", "t2"),
    event("e3", "02T14:30:00", "02T23:00:00", "in_person", "status", "t2", status="solved"),
]
"""Second channel at 14:00, solved at 14:30; that is heard of only when the issue has seemed ignored for an hour."""


def test_a_disproved_raise_leaves_the_true_episode_on_record():
    """An escalation raised by what proves wrong still stands, unretracted, for what was so before."""
    in_order = [line._replace(arrived_at=parse_time(line.value["occurred_at"])) for line in LATE_SOLVE]
    until = parse_time("2026-06-03T00:00:00Z")
    assert compare(replayed(in_order, until), replayed(in_order, until), strict=True).agree
    late = replayed(LATE_SOLVE, until)
    result = compare(replayed(in_order, until), late)
    assert result.agree, [d for s in result.sections for d in s.differences]


def post(id_: str, at: str, arrived_at: str, kind: str, *authors: str) -> Line:
    line = event(id_, at, arrived_at, "social", kind, "p1")
    return line._replace(value=line.value | {"identities": [{"type": "email", "value": author} for author in authors]})


LATE_AUTHOR = [
    post("e1", "08T13:10:00", "08T13:10:00", "contact", "kim@example.com"),
    post("e2", "09T13:00:00", "09T13:00:00", "confirmed"),
    post("e3", "09T14:00:00", "09T14:00:00", "contact"),
    post("e4", "08T13:00:00", "11T13:00:00", "contact", "lee@example.com"),
]
"""A public thread whose author proves, days later, to be another: what names nobody moves to that other."""


def test_an_escalation_moves_with_its_event():
    """Where an event proves to be another customer's, no revision of its escalation is said with two contents."""
    until = parse_time("2026-06-12T00:00:00Z")
    late = replayed(LATE_AUTHOR, until)
    result = compare(late, late)
    assert result.agree, [d for s in result.sections for d in s.differences]
