"""Gatherings by themselves: shares that come twice, late and from customers who are one by now."""

from random import Random

import pytest

from schemas.codec import dumps, loads
from schemas.times import DAY, HOUR
from streams.aggregates.gatherings import Crowd
from streams.aggregates.sender import hear, tell_shares, withdraw
from streams.canned import canned_views
from streams.crowds import crowd_views
from streams.customer import Customer
from streams.gathering import ITEMS_MAX, MEMBERS_MAX, Gathering
from streams.identity.protocol import CustomerLinks
from streams.patterns import Outside
from streams.patterns.contacts import _crowded
from streams.policy import PolicyHistory
from streams.stored import Stored
from tests.identity.build import event
from tests.node.cluster import policy

T0 = 40 * DAY
POLICIES = PolicyHistory(policy(targets=[]))


def crowd(times: dict[str, list[int]]) -> Gathering:
    """A thread on which these customers spoke at these times."""
    gathering = Gathering()
    for number, (id_, ats) in enumerate(times.items(), 1):
        gathering.take(id_, number, [(at, f"{id_}{at}") for at in sorted(ats)])
    return gathering


def test_a_view_holds_all_that_matters() -> None:
    """When a contact is crowded follows from the view as it does from all contacts, for any window and count up to ours."""
    random = Random(5)
    for _ in range(300):
        times = {f"c{n}": [random.randrange(40) * HOUR for _ in range(random.randint(1, 3))] for n in range(12)}
        gathering = crowd(times)
        views = crowd_views(gathering, POLICIES)
        for id_, ats in times.items():
            others = sorted((at, other) for other, theirs in times.items() if other != id_ for at in theirs)
            view = [(at, who) for at, who in views[id_]]
            for at in ats:
                for count in (2, 3, 5):
                    window = random.randrange(1, 30) * HOUR
                    assert _crowded(at, view, count, window) == _crowded(at, others, count, window)


def test_an_older_share_changes_nothing() -> None:
    """Of a customer's shares the highest number counts, in whatever order they come."""
    gathering = crowd({f"c{n}": [T0 + n] for n in range(5)})
    gathering.answers(crowd_views(gathering, POLICIES))
    gathering.take("c0", 9, [(T0 + 7, "new")])
    gathering.take("c0", 1, [(T0, "old")])
    assert gathering.shares["c0"].items == ((T0 + 7, "new"),)


def test_only_what_is_new_is_told() -> None:
    """Nobody is told twice what they know; who tells anew is answered anew."""
    gathering = crowd({f"c{n}": [T0 + n] for n in range(5)})
    assert len(gathering.answers(crowd_views(gathering, POLICIES))) == 5
    assert gathering.answers(crowd_views(gathering, POLICIES)) == []
    gathering.take("c0", 50, [(T0, "c0")])
    (answer,) = gathering.answers(crowd_views(gathering, POLICIES))
    assert (answer.customer_id, answer.number, answer.turn) == ("c0", 50, 6)
    assert Gathering.decode(loads(dumps(gathering.encode()))).encode() == gathering.encode()


@pytest.mark.parametrize("alias_first", [True, False])
def test_two_who_are_one_count_once_all_the_time(alias_first: bool) -> None:
    """Whichever of the two is heard of first, at no time is anybody missing, nor counted twice."""
    gathering = crowd({f"c{n}": [T0 + n] for n in range(5)})
    steps = [
        lambda: gathering.take("c4", 10, (), into="c9"),
        lambda: gathering.take("c9", 1, [(T0 + 4, "c44")], aliases=["c4"]),
    ]
    for step in steps if alias_first else reversed(steps):
        step()
        assert len({owner for _, owner, _ in gathering.contacts()}) == 5
    assert set(gathering.shares) == {"c0", "c1", "c2", "c3", "c9"}


def test_it_is_bounded() -> None:
    """Of very many the newest are remembered."""
    gathering = crowd({f"c{n}": [T0 + n] for n in range(MEMBERS_MAX + 50)})
    assert len(gathering.shares) == MEMBERS_MAX
    assert min(at for at, _, _ in gathering.contacts()) == T0 + 50


def test_a_text_within_a_day() -> None:
    """A reply is canned where it lies in a day in which so many customers got the text, both ends included."""
    gathering = crowd({"a": [T0], "b": [T0 + HOUR], "c": [T0 + DAY], "d": [T0 + 3 * DAY]})
    assert set(canned_views(gathering, 3)) == {"a", "b", "c"}
    gathering.take("c", 9, [(T0 + DAY + 1, "c")])
    assert canned_views(gathering, 3) == {}


def spoken(number: int) -> Stored:
    """A customer who spoke so often on a public thread."""
    customer = Customer("c.0")
    for n in range(number):
        customer.fold(event(f"e{n}", "email:a@x", thread="post", at=T0 + n))
    return Stored(CustomerLinks("c.0"), customer)


def test_an_answer_to_an_older_share_is_not_for_us() -> None:
    """What follows from a share that has been replaced is on its way to nowhere: the newer one is answered, too."""
    rules = policy(targets=[], channels={"chat": {"public": True}, "phone": {"public": True}})
    stored = spoken(2)
    live = stored.customer
    assert live is not None
    (post,) = tell_shares(stored, live, rules, T0 + 10)
    assert tell_shares(stored, live, rules, T0 + 10) == []
    answer = {"c": "c.0", "t": "around", "k": post.key, "q": post.message["q"], "n": 3, "v": [[T0, "x"]]}
    hear(stored, live, answer | {"q": post.message["q"] - 1}, rules, T0 + 10)
    assert live.outside == Outside()
    hear(stored, live, answer, rules, T0 + 10)
    hear(stored, live, answer | {"n": 2, "v": []}, rules, T0 + 10)
    assert live.outside == Outside({"post": [(T0, "x")]})
    live.fold(event("e9", "email:a@x", thread="post", at=T0 + 20))
    (post,) = tell_shares(stored, live, rules, T0 + 20)
    assert post.message["h"]
    assert len(post.message["s"]) == 3


def test_who_is_an_alias_says_whose() -> None:
    """An alias tells once into whom it went; one that is forgotten just leaves."""
    rules = policy(targets=[], channels={"chat": {"public": True}, "phone": {"public": True}})
    for survivor in ("c.1", None):
        stored = spoken(1)
        assert stored.customer is not None
        tell_shares(stored, stored.customer, rules, T0)
        stored.links.alias_of, stored.customer = survivor, None
        (post,) = withdraw(stored)
        assert post.message.get("to") == survivor
        assert withdraw(stored) == []


def test_a_share_is_bounded() -> None:
    """Of very many contacts of one customer the newest count."""
    rules = policy(targets=[], channels={"chat": {"public": True}, "phone": {"public": True}})
    stored = spoken(ITEMS_MAX + 5)
    assert stored.customer is not None
    (post,) = tell_shares(stored, stored.customer, rules, T0)
    assert len(post.message["s"]) == ITEMS_MAX


def test_answers_that_are_too_much_at_a_time_are_given_bit_by_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is given once, the rest is due at once, also after a restart; one alone is given however long it is."""
    whole = crowd({f"c{n}": [T0 + n] for n in range(40)})
    views = crowd_views(whole, POLICIES)
    monkeypatch.setattr("streams.gathering.ANSWERS_BYTES_MAX", 1_000)
    gathering = crowd({f"c{n}": [T0 + n] for n in range(40)})
    told = {}
    for turn in range(41):
        answers = gathering.answers(views)
        assert answers or turn
        assert len(dumps([answer.view for answer in answers])) <= 1_100
        assert not told.keys() & {answer.customer_id for answer in answers}
        told |= {answer.customer_id: answer.view for answer in answers}
        assert (Crowd("t1", gathering).next_wake == 0) == gathering.more
        if not gathering.more:
            break
        gathering = Gathering.decode(loads(dumps(gathering.encode())))
    assert turn > 1
    assert told == views
    monkeypatch.setattr("streams.gathering.ANSWERS_BYTES_MAX", 1)
    again = crowd({f"c{n}": [T0 + n] for n in range(40)})
    assert len(again.answers(views)) == 1
