"""What is true does not depend on when it was heard."""

from hypothesis import given
from hypothesis import strategies as st

from tests.core.playing import facts, lines, played
from tests.core.strategies import CUSTOMERS, delays, interactions, versions


@given(st.data())
def test_any_order_of_arrival_gives_the_same_facts(data):
    """Events that arrive late, in whatever order, leave the customers, clocks and episodes that they would have left in time."""
    events = data.draw(interactions())
    policies = data.draw(versions())
    late = data.draw(delays(len(events)))
    in_time, _ = played(lines(events, (), policies))
    shuffled, _ = played(lines(events, late, policies))
    assert facts(shuffled) == facts(in_time)


@given(st.data())
def test_any_order_gives_the_same_facts_where_customers_merge(data):
    """So do events that show only later that two customers are one, or that speak on a public thread."""
    events = data.draw(interactions(people=CUSTOMERS))
    late = data.draw(delays(len(events)))
    in_time, _ = played(lines(events))
    shuffled, _ = played(lines(events, late))
    assert facts(shuffled) == facts(in_time)


@given(st.data())
def test_duplicates_change_nothing(data):
    """An event that arrives again, then or later, says nothing and changes nothing."""
    events = data.draw(interactions(people=CUSTOMERS))
    again = data.draw(st.lists(st.sampled_from(events), max_size=6))
    late = [0] * len(events) + data.draw(delays(len(again)))
    once, said_once = played(lines(events))
    twice, said_twice = played(lines([*events, *again], late))
    assert facts(twice) == facts(once)
    assert said_twice == said_once
