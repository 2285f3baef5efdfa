"""Channel gaps over arbitrary histories: the order of contributions leaves no trace."""

from collections import defaultdict
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.gap import validate_gap
from schemas.times import HOUR
from streams.event import Event
from streams.gaps import Fact, GapBook, facts, summary
from streams.gaps.facts import FIRST, WAIT
from streams.gaps.tally import Tally
from tests.gaps.build import T0, derived, event, solved

END = T0 + 5000 * HOUR

Records = dict[tuple[str, str], dict[str, Any]]

THREADS = ("phone:1", "email:2", "social:3", "community:4", "social:5")
happenings = st.tuples(
    st.integers(0, 300),
    st.sampled_from(["contact", "contact", "reply", "reply", "solved", "merge"]),
    st.sampled_from(THREADS),
    st.sampled_from(THREADS),
)


@st.composite
def histories(draw: st.DrawFn) -> list[Event]:
    """One customer's events."""
    events = []
    for number, (at, kind, thread, into) in enumerate(draw(st.lists(happenings, max_size=10))):
        id_ = f"e{number}"
        if kind == "solved":
            events.append(solved(at, thread))
        elif kind == "merge":
            events.append(event(at, "merge", thread, id=id_, data={"into": into}))
        else:
            events.append(event(at, kind, thread, id=id_))
    return events


companies = st.lists(histories(), min_size=1, max_size=4)


def newest(records: list[dict[str, Any]]) -> Records:
    """The highest revision of each window and channel; they come without gaps."""
    found: Records = {}
    for record in records:
        validate_gap(record)
        key = (record["window_start"], record["channel"])
        assert record["revision"] == found.get(key, {"revision": 0})["revision"] + 1
        found[key] = record
    return found


def measures(found: Records) -> Records:
    """What they say, but for the revision; a channel in which nothing is left says nothing."""
    plain = {key: {k: v for k, v in record.items() if k != "revision"} for key, record in found.items()}
    return {key: record for key, record in plain.items() if any(type(v) is int and v for v in record.values())}


def at_once(company: list[list[Fact]]) -> Records:
    """All contributions, and then one close."""
    book = GapBook()
    for number, mine in enumerate(company):
        book.replace(f"c{number}", mine)
    return newest(book.close(END))


@settings(max_examples=150, deadline=None)
@given(companies, st.randoms(use_true_random=False), st.lists(st.integers(0, 8), max_size=8))
def test_contributions_in_any_order_give_the_same_windows(company, random, closes):
    """However events arrive, and whenever windows are closed meanwhile, their last revisions are the same."""
    expected = measures(at_once([facts(derived(*events)) for events in company]))
    arriving = [(number, each) for number, events in enumerate(company) for each in events]
    random.shuffle(arriving)
    book, known, told = GapBook(), defaultdict(list), []
    hours = sorted(closes)
    for place, (number, happening) in enumerate(arriving):
        known[number].append(happening)
        book.replace(f"c{number}", facts(derived(*known[number])))
        if hours and place % 3 == 2:
            told += book.close(T0 + hours.pop(0) * HOUR, partial=place % 2 == 0)
    told += book.close(END)
    assert measures(newest(told)) == expected
    assert book.next_wake is None


@settings(max_examples=150, deadline=None)
@given(companies)
def test_overtaken_is_what_a_plain_count_says(company):
    """Against every pair of a public first response and a private wait; a window's as well as a whole run's."""
    every = [fact for events in company for fact in facts(derived(*events))]
    waits = [fact for fact in every if fact.what == WAIT]
    answers = [fact for fact in every if fact.what == FIRST and fact.public]
    found = at_once([facts(derived(*events)) for events in company])

    def count(mine: list[Fact]) -> int:
        began = [(answer.at - answer.value, answer.at) for answer in mine]
        return sum(any(w.at < start and w.value > at for start, at in began) for w in waits)

    by_key: dict[tuple[int, str], list[Fact]] = defaultdict(list)
    for answer in answers:
        by_key[answer.at // HOUR, answer.channel].append(answer)
    total = {key: count(mine) for key, mine in by_key.items() if count(mine)}
    told = {}
    for record in found.values():
        if record["overtaken"]:
            told[record["window_start"], record["channel"]] = record["overtaken"]
    assert sorted(told.values()) == sorted(total.values())
    for row in summary(every):
        channel = row["channel"]
        assert row["overtaken"] == count([answer for answer in answers if answer.channel == channel])
        assert row["contacts"] == sum(r["contacts"] for r in found.values() if r["channel"] == channel)


@settings(max_examples=100, deadline=None)
@given(companies)
def test_a_tally_of_many_is_the_tally_of_each(company):
    """Counting all at once, one by one, or with some taken out again gives the same."""
    every = [fact for events in company for fact in facts(derived(*events)) if fact.what != WAIT]
    one_by_one = Tally()
    for fact in [*every, *every[::2]]:
        one_by_one.add(fact)
    for fact in every[::2]:
        one_by_one.remove(fact)
    assert one_by_one == Tally.of(every)
