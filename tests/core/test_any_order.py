"""What is true does not depend on when it was heard."""

from hypothesis import given
from hypothesis import strategies as st

from streams.replay import Line
from tests.core.links import links
from tests.core.playing import facts, lines, played
from tests.core.strategies import CUSTOMERS, delays, interactions, versions


def by_arrival(input_: list[Line]) -> list[Line]:
    return sorted(input_, key=lambda line: line.arrived_at)


def later(line: Line, delay: int) -> Line:
    return line._replace(arrived_at=line.arrived_at + delay)


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
    """So do events and links that show only later that two customers are one, or two, or speak on a public thread."""
    events = data.draw(interactions(people=CUSTOMERS))
    late = data.draw(delays(len(events)))
    joined = data.draw(links())
    in_time, _ = played(by_arrival([*lines(events), *(line for _, line in joined)]))
    shuffled, _ = played(by_arrival([*lines(events, late), *(later(line, delay) for delay, line in joined)]))
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
