"""Channel gaps over partitions: shares, messages and totals by example and by property."""

from collections import defaultdict
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.codec import dumps, loads
from schemas.gap import validate_gap
from schemas.times import DAY, HOUR, MINUTE, format_time
from streams.gaps import Cell, Fact, GapBook, GapShare, GapTotals, Message, Sweep, WaitBlock, decode, encode, facts, key
from streams.gaps.facts import CONTACT, FIRST, WAIT
from streams.gaps.messages import narrowed
from streams.gaps.partial import EMPTY, Partial
from streams.gaps.tally import ANSWERED_MAX, Tally
from streams.gaps.waits import overtaken
from streams.intervals import FOREVER
from tests.gaps.build import T0, derived, event, solved
from tests.gaps.test_any_order import END, at_once, companies, measures, newest

BY = ("topic", "team")


def through_json(message: Message) -> Message:
    return decode(loads(dumps(encode(message))))


def newest_by(records: list[dict[str, Any]]) -> dict[Any, dict[str, Any]]:
    """Newest revision by window, channel and group, without what has vanished; revisions have no gaps."""
    found: dict[Any, dict[str, Any]] = {}
    for record in records:
        validate_gap(record)
        place = (record["window_start"], record["channel"], tuple(record.get("by", {}).items()))
        assert record["revision"] == found.get(place, {"revision": 0})["revision"] + 1
        found[place] = record
    plain = {place: {k: v for k, v in record.items() if k != "revision"} for place, record in found.items()}
    return {place: record for place, record in plain.items() if any(type(v) is int and v for v in record.values())}


@settings(max_examples=120, deadline=None)
@given(companies, st.integers(1, 4), st.randoms(use_true_random=False), st.booleans())
def test_partitions_add_up_to_what_one_place_says(company, partitions, random, restart):
    """Customers on any partition, in any order, with restarts on either side: the last revisions are a replay's.

    Messages are shuffled, doubled, and go through JSON; customers move between partitions; a source forgets what it
    has said, an aggregator starts anew from its own records.
    """
    expected = measures(at_once([facts(derived(*events)) for events in company]))
    shares = [GapShare(number) for number in range(partitions)]
    totals, told, log = GapTotals(), [], []
    known: dict[int, list[Any]] = defaultdict(list)
    arriving = [(number, each) for number, events in enumerate(company) for each in events]
    random.shuffle(arriving)
    homes = [random.randrange(partitions) for _ in company]
    for place, (number, happening) in enumerate(arriving):
        known[number].append(happening)
        if random.random() < 0.1:  # merged away, and found again elsewhere
            shares[homes[number]].drop(f"c{number}")
            homes[number] = random.randrange(partitions)
        shares[homes[number]].replace(f"c{number}", facts(derived(*known[number])))
        now = T0 + random.randrange(9) * HOUR
        for share in shares:
            log += [through_json(message) for message in share.take(place + 1, now)]
        for message in random.sample(log, min(len(log), 20)):  # old ones again, new ones late or never
            totals.take(message)
        told += totals.close(now)
    last = len(arriving) + 1
    for share in shares:
        if restart:
            share = GapShare(share.source)  # noqa: PLW2901 - it has forgotten everything
            for number, events in known.items():
                if homes[number] == share.source:
                    share.replace(f"c{number}", facts(derived(*events)))
            log += share.everything(last, END)
        else:
            log += share.take(last, END)
    if restart:
        totals = GapTotals()
        for record in told:
            totals.remember(record)
    random.shuffle(log)
    for message in [*log, *log[::3]]:
        totals.take(message)
    told += totals.close(END)
    assert measures(newest(told)) == expected
    assert totals.next_wake is None


@settings(max_examples=60, deadline=None)
@given(companies, st.sampled_from([(), ("topic",), ("team",), BY]), st.randoms(use_true_random=False))
def test_finer_parts_add_up_to_coarser_records(company, by, random):
    """Shares by topic and team serve totals by either, by both and by none; each is what a book by it says."""
    contributions = [
        [fact._replace(topic=random.choice(["a", "b", None]), team=random.choice(["x", None])) for fact in mine]
        for mine in (facts(derived(*events)) for events in company)
    ]
    book, share, totals = GapBook(by=by), GapShare(by=BY), GapTotals(by=by)
    for number, mine in enumerate(contributions):
        book.replace(f"c{number}", mine)
        share.replace(f"c{number}", mine)
    for message in share.take(1, END):
        totals.take(through_json(message))
    assert newest_by(totals.close(END)) == newest_by(book.close(END))


@given(
    st.lists(st.tuples(st.integers(0, 500), st.integers(0, 100)), min_size=1, max_size=30),
    st.lists(st.tuples(st.integers(0, 500), st.integers(0, 100)), max_size=30),
)
def test_the_frontier_says_who_was_overtaken(answered, waits):
    """The public responses that a partial leaves out change nothing."""
    answers = sorted((start, start + length) for start, length in answered)
    behind = [(start, start + length) for start, length in waits]
    tally = Tally.of(Fact(FIRST, "social", at, at - start, public=True) for start, at in answers)
    assert overtaken(tally.partial().answered, behind) == overtaken(answers, behind)


@given(st.lists(st.integers(0, 4), min_size=1, max_size=3), companies, st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_partials_join_in_any_order(cuts, company, random):
    """Associative and commutative, with nothing as the neutral element, and through JSON."""
    every = [fact for events in company for fact in facts(derived(*events)) if fact.what != WAIT]
    whole = Tally.of(every).partial()
    piles: list[list[Fact]] = [[] for _ in range(len(cuts) + 1)]
    for fact in every:
        random.choice(piles).append(fact)
    parts = [Tally.of(pile).partial() for pile in piles]
    assert all(Partial.decode(loads(dumps(part.encode()))) == part for part in parts)
    while len(parts) > 1:
        random.shuffle(parts)
        parts.append(Partial.union([parts.pop(), EMPTY, parts.pop()]))
    assert parts[0] == whole


def share_of(*customers: list[Any], **options: Any) -> GapShare:
    share = GapShare(**options)
    for number, events in enumerate(customers):
        share.replace(f"c{number}", facts(derived(*events)))
    return share


MAIL = [event(0, "contact", "email:1"), event(30, "reply", "email:1"), solved(31, "email:1")]
POST = [event(5, "contact", "social:2"), event(9, "reply", "social:2"), solved(10, "social:2")]


def test_only_what_has_changed_is_told():
    """The windows that have ended, once; then only the channel to which a late event came."""
    share = share_of(MAIL, POST)
    assert share.next_wake == T0 + HOUR
    assert not [message for message in share.take(1, T0 + HOUR - 1) if isinstance(message, Cell)]
    first = share.take(2, T0 + HOUR)
    assert sorted(message.channel for message in first) == ["email", "social"]
    assert share.take(3, T0 + HOUR) == []
    share.replace("c0", facts(derived(*MAIL, event(2, "contact", "email:1"))))
    (again,) = share.take(4, T0 + HOUR)
    assert (again.channel, again.sequence, again.partial.contacts) == ("email", 4, 2)
    assert key(again) in {key(message) for message in first}


def test_what_is_gone_is_told_as_nothing():
    """A dropped customer's window is replaced by an empty one, and the record says zero."""
    share, totals = share_of(MAIL), GapTotals()
    assert all(totals.take(message) for message in share.take(1, T0 + HOUR))
    totals.close(T0 + HOUR)
    share.drop("c0")
    for message in share.take(2, T0 + HOUR):
        totals.take(message)
    (record,) = totals.close(T0 + HOUR)
    assert (record["revision"], record["contacts"], record["resolved"]) == (2, 0, 0)


def test_an_older_message_changes_nothing():
    """Sequences decide, not the order of arrival; the same message twice counts once."""
    share, totals = share_of(MAIL), GapTotals()
    old = share.take(1, T0 + HOUR)
    share.replace("c0", facts(derived(*MAIL, event(2, "contact", "email:1"))))
    new = share.take(2, T0 + HOUR)
    assert [totals.take(message) for message in [*new, *old, *new] if isinstance(message, Cell)] == [True, False, False]
    assert [record["contacts"] for record in totals.close(T0 + HOUR)] == [2]


def test_a_source_that_starts_anew_voids_what_it_no_longer_says():
    """A contribution that went between the last message and the crash is not left standing."""
    totals = GapTotals()
    for message in share_of(MAIL, POST, source=3).take(1, T0 + HOUR):
        totals.take(message)
    totals.close(T0 + HOUR)
    messages = share_of(MAIL, source=3).everything(2, T0 + HOUR)
    assert messages[-1] == Sweep(3, 2)
    assert totals.take(messages[-1])
    for message in messages[:-1]:  # they may come after it
        totals.take(message)
    told = {record["channel"]: record for record in totals.close(T0 + HOUR)}
    assert (told["social"]["contacts"], told["social"]["revision"]) == (0, 2)
    assert (told["email"]["contacts"], told["email"]["ratio_to_public"]) == (1, None)  # nothing public is left


def test_revisions_go_on_after_a_restart_of_the_aggregator():
    """What it has told is remembered from its own records; what did not change is not told again."""
    share, first, second = share_of(MAIL, POST), GapTotals(), GapTotals()
    messages = share.take(1, T0 + HOUR)
    for message in messages:
        first.take(message)
    for record in first.close(T0 + HOUR):
        second.remember(loads(dumps(record)))
    share.replace("c0", facts(derived(*MAIL, event(2, "contact", "email:1"))))
    for message in [*messages, *share.take(2, T0 + HOUR)]:
        second.take(message)
    (record,) = second.close(T0 + HOUR)
    assert (record["channel"], record["revision"], record["contacts"]) == ("email", 2, 2)


def test_overtaken_is_counted_over_partitions():
    """A private thread of one partition is overtaken by a post of another; a late answer takes it back."""
    waiting = [event(-90, "contact", "email:1")]
    one, other, totals = share_of(waiting, source=1), share_of(POST, source=2), GapTotals()
    for message in [*other.take(1, T0 + HOUR), *one.take(1, T0 + HOUR)]:
        totals.take(through_json(message))
    told = {(r["channel"], r["window_start"]): r for r in totals.close(T0 + HOUR)}
    assert told["social", format_time(T0)]["overtaken"] == 1
    one.replace("c0", facts(derived(*waiting, event(-80, "reply", "email:1"))))
    for message in one.take(2, T0 + HOUR):
        totals.take(through_json(message))
    again = {(r["channel"], r["window_start"]): r for r in totals.close(T0 + HOUR)}
    assert (again["social", format_time(T0)]["overtaken"], again["social", format_time(T0)]["revision"]) == (0, 2)


def test_by_topic_public_and_private_are_compared_within_it():
    """A post about billing overtakes those who wait about billing; by team it overtakes all."""
    waiting = [event(0, "contact", "email:1", topic="billing"), event(40, "reply", "email:1", team="desk")]
    other = [event(0, "contact", "email:2", topic="outage")]
    post = [event(5, "contact", "social:3", topic="billing"), event(9, "reply", "social:3", team="social")]
    found = {}
    for by in ("topic", "team"):
        book = GapBook(by=(by,))
        for number, events in enumerate((waiting, other, post)):
            book.replace(f"c{number}", facts(derived(*events)))
        for record in book.close(T0 + HOUR):
            found[record["channel"], record["by"][by]] = record
    assert found["social", "billing"]["overtaken"] == 1
    assert found["social", "social"]["overtaken"] == 2
    assert found["email", "billing"]["ratio_to_public"] == found["email", "desk"]["ratio_to_public"] == 10
    assert found["email", "outage"]["first_responses"] == 0
    assert found["email", None]["contacts"] == 1  # nobody has had it


def test_a_final_window_is_let_go_on_both_sides():
    """Beyond the retention nothing is kept and nothing corrected; who still waits is not forgotten."""
    retention = 2 * DAY
    share, totals = (
        share_of(MAIL, [event(3, "contact", "phone:9")], retention=retention),
        GapTotals(retention=retention),
    )
    early = share.take(1, T0 + HOUR)
    for message in early:
        totals.take(message)
    assert len(totals.close(T0 + HOUR)) == 2
    later = T0 + 3 * DAY
    for message in share.take(2, later):
        totals.take(message)
    totals.close(later)
    assert not share._windows.keys() & {T0 // HOUR}
    assert "c0" not in share._facts
    share.replace("c0", facts(derived(*MAIL, event(2, "contact", "email:1"))))
    assert not [message for message in share.take(3, later) if isinstance(message, Cell)]
    assert not any(totals.take(message) for message in early if isinstance(message, Cell))
    assert totals.close(later) == []
    post = [event(60 * 71, "contact", "social:2"), event(60 * 71 + 1, "reply", "social:2")]
    share.replace("c7", facts(derived(*post)))
    for message in share.take(4, later):
        totals.take(message)
    told = [record for record in totals.close(later) if record["channel"] == "social"]
    assert [record["overtaken"] for record in told] == [1]


def test_state_is_bounded_by_the_retention():
    """A hundred days of mail leave a share and an aggregator with those of the retention, and of one who waits."""
    share, totals = GapShare(retention=2 * DAY), GapTotals(retention=2 * DAY)
    share.replace("waits", [Fact(WAIT, "phone", T0, FOREVER)])
    for day in range(100):
        at = T0 + day * DAY
        waited = Fact(WAIT, "email", at, at + 5 * MINUTE)
        share.replace(
            f"c{day}", [Fact(CONTACT, "email", at), Fact(FIRST, "email", at + 5 * MINUTE, 5 * MINUTE), waited]
        )
        for message in share.take(day + 1, at + HOUR):
            totals.take(message)
        totals.close(at + HOUR)
    assert len(share._facts) <= 5
    assert max(len(share._windows), len(share._told), len(totals._cells), len(totals._said)) <= 4
    assert max(len(share._waits), len(totals._blocks)) <= 5
    assert sum(map(len, share._newest.values())) <= 5


def test_a_message_fits_into_a_record():
    """However many public responses and waits one window has: they are thinned, and the last answer is kept."""
    random = Random(1)
    answers = [Fact(FIRST, "social", T0 + 500 + n, 400, public=True) for n in range(25_000)]
    waits = [
        Fact(WAIT, "email", T0 + random.randrange(MINUTE), T0 + MINUTE + random.randrange(DAY)) for _ in range(30_000)
    ]
    share = GapShare()
    share.replace("c", [*answers, *waits])
    sizes = [len(dumps(encode(message))) for message in share.take(1, T0 + HOUR)]
    assert max(sizes) < 900_000
    answered = Tally.of(answers).partial().answered
    assert len(answered) <= ANSWERED_MAX
    assert answered[-1] == (T0 + 100 + 24_999, T0 + 500 + 24_999)


def test_what_is_no_message_is_refused():
    """A ValueError that says so, for the reader to set it aside; never another exception."""
    cell = encode(Cell(1, 1, T0, "email", (), EMPTY))
    for stored in (
        {},
        {"v": 2},
        cell | {"v": 2},
        cell | {"by": 3},
        cell | {"partial": {"first": [-1]}},
        cell | {"partial": {"contacts": "x"}},
    ):
        with pytest.raises(ValueError, match=r"message|version|lengths|contacts"):
            decode(stored)
    assert decode(cell | {"later": "field"}) == Cell(1, 1, T0, "email", (), EMPTY)


def test_groups_are_narrowed_by_name():
    """A dimension that a share does not tell is not known."""
    assert narrowed((("topic", "a"), ("team", "b")), ("team",)) == (("team", "b"),)
    assert narrowed((), ("topic",)) == (("topic", None),)
    assert isinstance(WaitBlock(1, 1, T0, (), ()), tuple)
