"""What the simulated stream promises: order, validity, determinism, and stories of every kind."""

import hashlib
import os
import subprocess
import sys
from collections import Counter
from functools import lru_cache
from itertools import pairwise
from statistics import median

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.codec import dumps, loads
from schemas.interaction import Interaction
from schemas.link import Link
from schemas.times import DAY, HOUR, MINUTE, parse_time
from schemas.vocabulary import CHANNELS, KINDS
from streams.simulate import LINKS, Line, Simulation, simulate

START = parse_time("2026-06-01T04:00:00Z")


@lru_cache(maxsize=4)
def run(seed: int, customers: int = 400, days: int = 10) -> tuple[list[Line], Simulation]:
    simulation = Simulation(seed, START, days * DAY, customers)
    return list(simulation), simulation


def interactions(lines: list[Line]) -> list[dict]:
    return [line.value for line in lines if line.topic != LINKS]


@given(seed=st.integers(0, 2**63), customers=st.integers(1, 80), days=st.integers(1, 12))
@settings(max_examples=25, deadline=None)
def test_every_line_is_valid_input(seed, customers, days):
    """Whatever the seed, each line is a valid record and arrives in order and not before its time allows."""
    last = 0
    for line in simulate(seed, START, days * DAY, customers):
        model = Link if line.topic == LINKS else Interaction
        record = model.model_validate(loads(dumps(line.value)))
        assert START <= record.occurred_at <= START + days * DAY
        assert line.at >= last
        assert line.at > record.occurred_at - 5 * MINUTE
        last = line.at


def test_same_seed_same_bytes_in_another_process():
    """The same seed gives the same bytes, also where hashes are salted differently."""
    command = [sys.executable, "-m", "agents.cli", "simulate", "--seed", "7", "--customers", "60", "--days", "4"]
    digests = set()
    for salt in ("1", "2"):
        done = subprocess.run(
            command, env={**os.environ, "PYTHONHASHSEED": salt}, capture_output=True, timeout=60, check=True
        )
        digests.add(hashlib.sha256(done.stdout).hexdigest())
        assert done.stdout.count(b"\n") > 200
    assert len(digests) == 1


def test_other_seed_other_stories():
    """Another seed tells other stories."""
    assert run(1)[0] != run(2)[0]


def test_default_size():
    """Four hundred customers in ten days make some thousand events over all channels and nearly all kinds."""
    lines, _ = run(1)
    events = interactions(lines)
    assert 4_000 < len(events) < 7_000
    assert {event["channel"] for event in events} == set(CHANNELS)
    assert set(KINDS) - {event["kind"] for event in events} <= {"merge"}


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_public_is_answered_first(seed):
    """The median private first response takes many times as long as the public one."""
    first: dict[tuple, list] = {}
    for event in sorted(interactions(run(seed)[0]), key=lambda value: value["occurred_at"]):
        at = parse_time(event["occurred_at"])
        data = event.get("data") or {}
        human = event.get("actor", {}).get("type") == "agent" and not data.get("canned")
        if event["kind"] == "contact":
            first.setdefault((event["thread"],), [at, event.get("public", False), None])
        elif event["kind"] in ("answered", "reply") and human:
            thread = first.get((event["thread"],))
            if thread and thread[2] is None:
                thread[2] = at
    waits = {
        public: median(end - begin for begin, is_public, end in first.values() if end and is_public == public)
        for public in (True, False)
    }
    assert waits[True] < 30 * MINUTE
    assert waits[False] > 3 * waits[True]


def test_some_arrive_late_twice_or_out_of_order():
    """The input is as untidy as a real one: late events, duplicates, clocks that run fast."""
    lines, _ = run(1)
    events = [line for line in lines if line.topic != LINKS]
    lags = [line.at - parse_time(line.value["occurred_at"]) for line in events]
    assert any(lag > HOUR for lag in lags)
    assert any(lag < 0 for lag in lags)
    assert max(Counter(line.value["id"] for line in events).values()) == 2
    assert any(a.value["occurred_at"] > b.value["occurred_at"] for a, b in pairwise(events))


def test_ids_are_unique_but_for_duplicates():
    """Two events share an id only where one is the other's copy."""
    seen: dict[str, dict] = {}
    for event in interactions(run(2)[0]):
        assert seen.setdefault(event["id"], event) == event


def test_praise_is_no_contact():
    """A kind word is feedback on a thread where nothing was asked."""
    events = interactions(run(1)[0])
    asked = {event["thread"] for event in events if event["kind"] == "contact"}
    praise = [event for event in events if event["kind"] == "feedback" and event["thread"] not in asked]
    assert len(praise) > 10


@pytest.mark.parametrize("seed", [1, 2])
def test_truth_covers_the_patterns(seed):
    """The stories show every pattern that ten days can show, and most can be joined from the input."""
    lines, simulation = run(seed)
    truths = list(simulation.truth())
    shown = Counter(pattern for truth in truths for pattern in truth.patterns)
    assert shown["went_public"] > 20
    assert set(shown) >= {
        "channel_switch",
        "third_channel",
        "went_public",
        "repeat_contact",
        "deflection_loop",
        "handoff_dropped",
        "broken_promise",
        "comp_in_place_of_fix",
        "canned_only",
        "ignored",
        "abandoned",
        "long_hold",
        "passed_around",
        "spreading",
        "self_service_failed",
    }
    assert sum(truth.joined for truth in truths) > 0.8 * len(truths)
    threads = {event.get("thread") for event in interactions(lines)}
    assert all(thread in threads for truth in truths for thread, _ in truth.threads)


def test_a_customer_has_one_story_per_topic():
    """No customer has the same topic twice, but for outages, so that the truth of an issue is a story's."""
    _, simulation = run(1)
    pairs = Counter((truth.customer_id, truth.topic) for truth in simulation.truth() if truth.topic != "outage")
    assert max(pairs.values()) == 1


def test_refuses_an_empty_company():
    """A simulation without customers or time says so."""
    with pytest.raises(ValueError, match="at least one customer"):
        Simulation(1, START, DAY, 0)
