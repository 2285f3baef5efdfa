"""What follows from a longer log is taken from what followed before, where that is the same."""

import gc
from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.times import DAY, parse_time
from streams.customer import Customer
from streams.derive import Derived, derive
from streams.patterns import Outside
from streams.replay import Line, Replay
from streams.simulate import Simulation
from tests.core.playing import happened, lines, policy_of
from tests.core.strategies import CUSTOMERS, END, POLICY, delays, interactions, versions

START = parse_time("2026-06-01T04:00:00Z")


def anew(customer: Customer, run: Replay) -> Derived:
    """As if nothing had been derived before."""
    return derive(customer.log, run.policies, customer.closings, customer.outside)


def same(one: Derived, other: Derived) -> bool:
    """Equal in all that is read of it, down to whose clocks and episodes belong to which issue."""
    names = ("history", "clocks", "holds", "episodes", "moments", "changes")
    return all(getattr(one, name) == getattr(other, name) for name in names) and all(
        any(clock.issue is issue for issue in one.history.issues)
        and (clock.thread is None or one.history.threads[clock.thread.id] is clock.thread)
        and all(one.history.by_thread[thread.id] is clock.issue for thread in clock.issue.threads)
        for clock in one.clocks
    )


def after_each_instant(run: Replay, input_: Iterable[Line], until: int) -> Iterable[Customer]:
    """Every customer that something happened to, after each instant."""
    for outcome in run.run(input_, until):
        for id_ in outcome.touched:
            customer = run.population.customers.get(id_)
            if customer is not None:
                yield customer


@given(st.data())
def test_what_is_kept_from_before_is_what_would_be_derived_anew(data):
    """After every event, timer, policy and merge the two are equal."""
    events = data.draw(interactions(most=20, people=CUSTOMERS))
    run = Replay(policy_of(POLICY))
    input_ = lines(events, data.draw(delays(len(events))), data.draw(versions()))
    for customer in after_each_instant(run, input_, END):
        assert same(customer.derived(run.policies), anew(customer, run))


@pytest.mark.parametrize(
    "later",
    [
        happened("9", 9, "contact", "t2", topic="shipping", tier="gold"),
        happened("9", 0, "self_service_failed", arrives=9),
        None,
    ],
    ids=["a tier", "a failed self-service", "what others heard"],
)
def test_what_is_known_of_the_customer_changes_what_follows_for_an_issue_that_nothing_happened_to(later):
    """A tier that came with another issue chooses its target; a failed search, and what others heard, make its patterns."""
    gold = {"when": {"tier": "gold"}, "next_response": "1m"}
    run = Replay(policy_of(POLICY | {"targets": [gold, {"next_response": "40m"}], "patterns": {}}))
    first = [happened(f"{n}", n, "contact" if n == 1 else "reply", "t1", topic="billing") for n in (1, 2, 3)]
    first.append(happened("4", 4, "contact", "t1"))
    list(run.run(first))
    (customer,) = run.population.customers.values()
    before = customer.derived(run.policies)
    if later is None:
        customer.look_around(Outside(canned=frozenset({"2", "3"})))
    else:
        run.arrive(later.arrived_at, [later])
    derived = customer.derived(run.policies)
    assert same(derived, anew(customer, run))
    assert derived.parts[0] != before.parts[0]


def test_what_is_kept_of_long_histories_is_what_would_be_derived_anew():
    """So they are over forty days of a company, and most issues are kept from before."""
    document = POLICY | {"issues": POLICY["issues"] | {"quiet_after": "10d"}}
    run = Replay(policy_of(document))
    input_ = (Line(line.at, line.topic, line.value) for line in Simulation(2, START, 40 * DAY, 3))
    last: dict[str, Derived] = {}
    kept = issues = 0
    for customer in after_each_instant(run, input_, START + 40 * DAY):
        derived = customer.derived(run.policies)
        known = {id(issue) for issue in last[customer.id].history.issues} if customer.id in last else set()
        kept += sum(id(issue) in known for issue in derived.history.issues)
        issues, last[customer.id] = issues + len(derived.parts), derived
        assert same(derived, anew(customer, run))
    assert kept > issues / 2


def test_what_was_derived_goes_without_the_garbage_collector():
    """Nothing in it refers back to it: with thousands of customers a collector would look for it among millions."""
    run = Replay(policy_of(POLICY))
    input_ = [Line(line.at, line.topic, line.value) for line in Simulation(1, START, 3 * DAY, 3)]
    for _ in run.run(input_, START + 3 * DAY):
        pass
    customers = list(run.population.customers.values())
    gc.collect()
    gc.disable()
    try:
        for customer in customers:
            customer.fold(replace(next(iter(customer.log)), id="one-more"))
            customer.settle(run.policies, START + 3 * DAY)
        assert gc.collect() == 0
    finally:
        gc.enable()
