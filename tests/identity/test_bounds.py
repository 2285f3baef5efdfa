"""A public thread with more posts than anybody can remember: what is stored and sent stays small, and nothing is lost."""

from collections import Counter
from random import Random
from typing import Any

import pytest

from schemas.codec import dumps, loads
from streams.event import Event
from streams.identity import bounds
from streams.identity.claims import claim_of_event
from streams.identity.history import Carried
from streams.identity.links import Alias, Member, Placement
from streams.identity.pairs import CUT, LINKED, Assertion
from streams.identity.protocol import CustomerLinks, IdentityRecord, Outgoing, keep_small, on_identity
from tests.identity.build import event
from tests.identity.network import Network
from tests.identity.test_late_authors import _crowd
from tests.identity.test_protocol import _check_whole, _first_messages, _live

STORED_MAX = 1_152 * 1024


class Shard:
    """One public thread, with what it has sent."""

    def __init__(self) -> None:
        self.record = IdentityRecord()
        self.sent: Counter[str] = Counter()

    def take(self, message: Outgoing) -> list[Outgoing]:
        """Hand a message over."""
        record, out, _ = on_identity(self.record, message.message, 0)
        assert record is not None
        self.record = record
        for one in out:
            self.sent[one.key if one.to == "count" else one.message["t"]] += one.message.get("n") or 1
        return [one for one in out if one.to != "count"]

    def size(self) -> int:
        """Bytes as it is stored; it must come back the same."""
        stored = dumps(self.record.encode())
        assert IdentityRecord.decode(loads(stored)) == self.record
        return len(stored)


def _nobody(number: int, **more: Any) -> Outgoing:
    post = event(f"l{number:06}", thread="s1", at=100 + number, kind="reply", actor="human", **more)
    return claim_of_event(post, public=True, blocked=frozenset())


def _spoke(id_: str, at: int) -> Outgoing:
    order = [at, 0, id_]
    message = {"t": "spoke", "i": "thread:s1", "by": f"handle:{id_}", "c": f"cus_{id_}.0", "id": id_, "o": order}
    return Outgoing("identity", "thread:s1", {**message, "k": True})


def test_what_was_placed_once_is_not_sent_again_when_another_comes_again() -> None:
    """After a crash each message brings what it has placed itself, not the whole thread."""
    shard = Shard()
    shard.take(_spoke("a", 1))
    posts = [_nobody(number) for number in range(200)]
    assert [len(shard.take(post)) for post in posts] == [1] * 200
    assert [len(shard.take(post)) for post in posts] == [1] * 200
    assert shard.take(_spoke("a", 1)) == []


def test_who_has_placed_what_waited_sends_it_again() -> None:
    """A first contact that comes again brings all that it has placed, as it did the first time; the posts bring nothing."""
    shard = Shard()
    posts = [_nobody(number) for number in range(200)]
    assert not any(shard.take(post) for post in posts)
    placed = shard.take(_spoke("a", 1))
    assert len(placed) == 200
    assert shard.take(_spoke("a", 1)) == placed
    assert not any(shard.take(post) for post in posts)


@pytest.mark.parametrize("known", [True, False], ids=["with a first contact", "before any contact"])
def test_thousands_of_posts_by_nobody_take_bounded_room(known: bool) -> None:
    """Each is sent once; beyond the bound those that are placed are remembered no longer, or a new one stands alone."""
    shard = Shard()
    if known:
        shard.take(_spoke("a", 1))
    for number in range(5_000):
        shard.take(_nobody(number))
    waiting = 0 if known else bounds.LOOSE_MAX
    assert shard.sent["event"] == 5_000 - waiting
    assert shard.sent["thread_events_decided" if known else "thread_events_alone"] == 5_000 - bounds.LOOSE_MAX
    shard.take(_spoke("b", 0))
    assert shard.sent["event"] == 5_000 - waiting + bounds.LOOSE_MAX  # those that are remembered move
    assert shard.size() < STORED_MAX


def test_an_answer_whose_question_comes_late_moves_however_many_are_answered_meanwhile() -> None:
    """On a thread that everybody reads nearly all answers are to what is known: they take no room from the others."""
    shard = Shard()
    shard.take(_spoke("a", 1))
    (early,) = shard.take(_nobody(0, reply_to="late"))
    assert early.key == "cus_a.0"
    for number in range(1, 2_000):
        shard.take(_spoke(f"p{number}", 10 + number))
        (answer,) = shard.take(_nobody(number, reply_to=f"p{number}"))
        assert answer.key == f"cus_p{number}.0"
        assert shard.take(_nobody(number, reply_to=f"p{number}")) == [answer]
    assert not shard.sent["thread_events_decided"]
    moved, released = shard.take(_spoke("late", 9))
    assert (moved.message["id"], moved.message["num"], released.message["to"]) == ("l000000", 1, "handle:late")
    assert shard.size() < STORED_MAX


def test_answers_that_are_heard_before_their_questions_all_move() -> None:
    """A question comes by its author's partition and can be later than its answer, each time: those that moved go first."""
    shard = Shard()
    shard.take(_spoke("a", 1))
    for number in range(2_000):
        (early,) = shard.take(_nobody(number, reply_to=f"p{number}"))
        assert early.key == "cus_a.0"
        moved, released = shard.take(_spoke(f"p{number}", 10 + number))
        assert (moved.message["id"], released.message["to"]) == (f"l{number:06}", f"handle:p{number}")
        assert shard.take(_spoke(f"p{number}", 10 + number)) == [moved, released]
    assert not shard.sent["thread_events_decided"]
    assert shard.size() < STORED_MAX


def test_thousands_of_speakers_take_bounded_room() -> None:
    """The oldest are forgotten, counted; never the first contact, which what names nobody follows."""
    shard = Shard()
    for number in range(20_000):
        shard.take(_spoke(f"p{number:06}", 10 + number))
    assert shard.sent["thread_speakers_let_go"] > 13_000
    assert shard.size() < STORED_MAX
    (placed,) = shard.take(_nobody(1))
    assert placed.key == "cus_p000000.0"
    (answer,) = shard.take(_nobody(2, reply_to="p019999"))
    assert answer.key == "cus_p019999.0"


def test_contacts_that_come_backwards_do_not_move_everything_for_ever() -> None:
    """An event that has moved often stays: what is remembered of where it was is bounded, too."""
    shard = Shard()
    for number in range(300):
        shard.take(_nobody(number))
    for number in range(1_000):
        shard.take(_spoke(f"p{number}", -number))
    assert shard.sent["thread_moves_refused"]
    assert shard.size() < STORED_MAX
    assert sum(shard.sent[tag] for tag in ("event", "release")) < 50_000


def test_who_answers_what_was_let_go_follows_it_still() -> None:
    """What is decided is known as a speaker is: an answer that comes later goes to the same customer."""
    shard = Shard()
    shard.take(_spoke("a", 1))
    shard.take(_spoke("b", 2))
    shard.take(_nobody(0, reply_to="b"))
    for number in range(1, bounds.LOOSE_MAX + 10):
        shard.take(_nobody(number))
    assert shard.record.speakers is not None
    assert "l000000" not in shard.record.speakers.loose
    (answer,) = shard.take(_nobody(9_999, reply_to="l000000"))
    assert answer.key == "cus_b.0"


def _once(some: list[Event], network: Network) -> None:
    placed = Counter(id_ for customer in _live(network).values() for id_ in customer.ids)
    assert set(placed.values()) <= {1}
    contact = any(e.thread == "s1" and e.kind == "contact" and e.identities for e in some)
    assert set(placed) == {e.id for e in some} or not contact


@pytest.mark.parametrize("seed", range(0, 600, 60))
def test_nothing_is_lost_or_doubled_where_there_is_room_for_one(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """With duplicates and crashes between all steps, each event is in one log, although almost none is remembered."""
    for number in range(seed, seed + 60):
        monkeypatch.setattr(bounds, "LOOSE_MAX", number % 3)
        some, assertions = _crowd(Random(number))
        network = Network(1 + number % 4, Random(number), some)
        network.feed(*_first_messages([*some, *assertions]))
        network.run(duplicates=12, crashes=12)
        _check_whole(network)
        _once(some, network)


def _unread(links: CustomerLinks) -> CustomerLinks:
    """As it comes back from the store."""
    return CustomerLinks.decode(loads(dumps(links.encode())))


def test_a_customer_with_thousands_of_threads_keeps_those_of_its_log() -> None:
    """The others are nobody's again, and are told so once; the identities that are somebody's stay."""
    names = ["customer_id:C", "email:e1@x", *(f"thread:t{number}" for number in range(5_000))]
    links = CustomerLinks("cus_1.0", names[0], members={name: Member(1, "e", 0) for name in names})
    log = [Carried("e", ["customer_id:C", "thread:t0", "event:e"], "thread:t0")]
    out = keep_small(links, lambda: log)
    told = {one.key for one in out if one.to == "identity"}
    assert told == set(names) - set(links.members)
    assert {(one.message["t"], one.message["c"], one.message["n"]) for one in out if one.to == "identity"} == {
        ("relabel", None, 2)
    }
    assert {"customer_id:C", "email:e1@x", "thread:t0", "thread:t4999"} <= set(links.members)
    assert len(dumps(links.encode())) < bounds.THREADS_BYTES_MAX
    assert keep_small(links, lambda: log) == []


def test_nothing_is_let_go_while_another_decides() -> None:
    """Who has told its counts keeps still."""
    links = CustomerLinks("cus_1.0", "customer_id:C", members={"customer_id:C": Member(1, "e", 0)})
    links.members |= {f"thread:t{number}": Member(1, "e", 0) for number in range(5_000)}
    links.locked = ("cus_0.0", 1)
    assert keep_small(links, list) == []
    links.locked = None
    assert keep_small(links, list)


def test_what_a_customer_knows_of_others_is_bounded() -> None:
    """Refusals, link records, ties, aliases, marks and events of others: the oldest go, and are counted."""
    links = CustomerLinks("cus_1.0", "customer_id:C", members={"customer_id:C": Member(1, "e", 0)})
    links.members["email:kept@x"] = Member(1, "l", 0)
    links.pairs["customer_id:C", "email:kept@x"] = Assertion(-1, "l", LINKED)
    for number in range(5_000):
        other = f"email:x{number}@x"
        links.refused["customer_id:C", other] = "limit:email"
        links.pairs["customer_id:C", other] = Assertion(number, f"l{number}", CUT)
        links.ties["customer_id:C", other] = None
        links.aliases[f"cus_{number}.0"] = Alias(other, 0)
        links.taken[f"cus_{number}.0"] = None
        links.parts.append(f"cus_{number}.0")
        links.placements[f"e{number}"] = Placement(1, here=False, identity="customer_id:C", to=other)
    links.note_heard(f"event/a-long-name-for-an-event-{number}" for number in range(5_000))
    counts = {one.key: one.message["n"] for one in keep_small(links, list) if one.to == "count"}
    expected = {"link_records", "refusals", "ties", "aliases", "placements", "marks"}
    assert counts.keys() == {f"{what}_let_go" for what in expected}
    assert len(dumps(links.encode())) < STORED_MAX
    assert links.pairs["customer_id:C", "email:kept@x"].state == LINKED  # what holds two members together
    assert ("customer_id:C", "email:x4999@x") in links.refused
    assert "e4999" in links.placements
    assert _unread(links) == links


def test_what_link_records_say_about_one_identity_is_bounded() -> None:
    """Thousands of link records about one number: the oldest are let go, links before unlinks."""
    record = IdentityRecord()
    gone = 0
    for number in range(2_000):
        tag = "cut" if number < 100 else "link"
        said = {"j": f"phone:{number}", "id": f"l{number}", "at": number, "far": False, "ar": number}
        left, out, _ = on_identity(record, {"t": tag, "i": "email:e1@x", **said}, 0)
        assert left is not None
        record = left
        gone += sum(one.message["n"] for one in out if one.key == "link_records_let_go")
    assert gone == 2_000 - len(record.pairs)
    assert len(dumps(record.encode())) <= bounds.PAIRS_BYTES_MAX + 200
    assert sum(assertion.state == CUT for assertion in record.pairs.values()) == 100
