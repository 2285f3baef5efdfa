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
from schemas.policy_patterns import PATTERNS
from schemas.times import DAY, HOUR, MINUTE, parse_time
from schemas.vocabulary import CHANNELS, KINDS
from streams.simulate import LINKS, TIDY, Line, Simulation, simulate
from streams.simulation.people import KIOSK, number_of
from streams.simulation.words import OUTAGE

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
    """Four hundred customers in ten days make some thousand events over all channels and of all kinds."""
    lines, _ = run(1)
    events = interactions(lines)
    assert 4_000 < len(events) < 7_000
    assert {event["channel"] for event in events} == set(CHANNELS)
    assert {event["kind"] for event in events} == set(KINDS)


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


def test_tidy_records_arrive_once_and_at_their_time():
    """Without what goes wrong, there are no duplicates, no fast clocks, nothing that is hours late, no wrong link."""
    lines = list(Simulation(1, START, 6 * DAY, 200, untidy=TIDY))
    events = [line for line in lines if line.topic != LINKS]
    assert len({line.value["id"] for line in events}) == len(events)
    lags = [line.at - parse_time(line.value["occurred_at"]) for line in events]
    assert 0 < min(lags) <= max(lags) < HOUR
    assert {line.value["action"] for line in lines if line.topic == LINKS} == {"link"}
    phones = [one["value"] for line in events for one in line.value.get("identities", ()) if one["type"] == "phone"]
    assert all(phone.startswith("+1212555") for phone in phones)


def test_what_is_untidy_about_identities():
    """Some numbers are withheld, shops have telephones that many people use, and a link is put right some hours later."""
    lines, _ = run(2, 400, 30)
    users: dict[str, set[str]] = {}
    placeholders = set()
    for event in interactions(lines):
        named = {one["type"]: one["value"] for one in event.get("identities", ())}
        if named.get("phone", "").startswith(KIOSK):
            users.setdefault(named["phone"], set()).add(named["customer_id"])
        elif "phone" in named and not named["phone"].startswith("+"):
            placeholders.add(named["phone"])
    assert max(map(len, users.values())) > 5
    assert len(placeholders) > 3
    links = [line.value for line in lines if line.topic == LINKS]
    mistaken = [link for link in links if link["action"] == "unlink"]
    assert mistaken
    for unlink in mistaken:
        told = [link["b"]["value"] for link in links if link["a"] == unlink["a"] and link["action"] == "link"]
        assert unlink["b"]["value"] in told
        assert told[-1] != unlink["b"]["value"]  # the last word is another customer's


def test_an_outage_is_a_storm_on_one_topic():
    """On the afternoon of an outage most that comes in is about it, much of it on one public thread."""
    lines, _ = run(1)
    contacts = [event for event in interactions(lines) if event["kind"] == "contact"]
    days = Counter(event["occurred_at"][:10] for event in contacts if event["topic"] == OUTAGE)
    worst = max(days, key=days.__getitem__)
    outage = [e for e in contacts if e["topic"] == OUTAGE and e["occurred_at"][:10] == worst]
    usual = Counter(e["topic"] for e in contacts if e["occurred_at"][:10] == worst and e["topic"] != OUTAGE)
    assert len(outage) > 3 * max(usual.values())
    posts: dict[str, set[str]] = {}
    for event in outage:
        if event["channel"] == "social":
            posts.setdefault(event["thread"], set()).add(event["identities"][0]["value"])
    assert max(map(len, posts.values())) >= 5


def test_nobody_has_anothers_number():
    """However many customers there are, a telephone number belongs to one, but where it is shared on purpose."""
    assert len({number_of(index) for index in range(0, 1_000_000, 997)}) == len(range(0, 1_000_000, 997))


@pytest.mark.parametrize("seed", [1, 2])
def test_truth_covers_the_patterns(seed):
    """The stories of a month show every pattern, and most can be joined from the input."""
    lines, simulation = run(seed, 400, 30)
    truths = list(simulation.truth())
    shown = Counter(pattern for truth in truths for pattern in truth.patterns)
    assert shown["went_public"] > 20
    assert set(shown) == set(PATTERNS)
    assert sum(truth.joined for truth in truths) > 0.8 * len(truths)
    threads = {event.get("thread") for event in interactions(lines)}
    assert all(thread in threads for truth in truths for thread, _ in truth.threads)
    for truth in truths:
        assert all(truth.first_contact_at <= at <= simulation.end for at in truth.since.values())


def test_a_conversation_belongs_to_one_problem():
    """No private thread is told of in two problems: the truth of an issue is one record's."""
    _, simulation = run(1)
    told = Counter(
        thread
        for truth in simulation.truth()
        for thread, channel in truth.threads
        if channel not in ("social", "community")
    )
    assert max(told.values()) == 1


def test_refuses_an_empty_company():
    """A simulation without customers or time says so."""
    with pytest.raises(ValueError, match="at least one customer"):
        Simulation(1, START, DAY, 0)
