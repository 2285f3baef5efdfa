"""What comes late, or once more: authors of public threads, unlinks of people nobody knew, questions already answered."""

from collections import Counter
from random import Random

import pytest

from schemas.link import Link
from streams.event import Event
from streams.identity.messages import Outgoing
from tests.identity.build import event, link
from tests.identity.network import Log, Network
from tests.identity.test_protocol import Records as Both
from tests.identity.test_protocol import _check, _first_messages, _run

Records = tuple[list[Event], list[Link]]


def _crowd(random: Random) -> Records:
    """A public thread where people speak, whom links join and unlinks part, and events that name nobody."""
    people = [*(f"handle:h{n}" for n in range(random.randint(2, 4))), "email:e1@x"]
    some = [
        event(
            f"p{n}",
            *random.sample(people, random.choice((1, 1, 1, 2))),
            thread=random.choice(("s1", "s1", "t1")),
            at=random.randint(0, 30),
        )
        for n in range(random.randint(2, 6))
    ]
    spoken = [one.id for one in some if one.thread == "s1"]
    for number in range(random.randint(1, 4)):
        reply_to = random.choice(spoken) if spoken and random.random() < 0.4 else None
        kind = random.choice(("contact", "reply"))
        some.append(event(f"l{number}", thread="s1", at=random.randint(0, 30), kind=kind, reply_to=reply_to))
        spoken.append(f"l{number}")
    actions = (random.choice(("link", "unlink")) for _ in range(random.randint(0, 4)))
    return some, [
        link(f"k{n}", *random.sample(people, 2), at=random.randint(0, 9), action=a) for n, a in enumerate(actions)
    ]


@pytest.mark.parametrize("seed", range(0, 400, 40))
def test_whoever_the_author_proves_to_be_has_the_event(seed: int) -> None:
    """First contacts that come late, with merges and splits, duplicates and crashes between: each event in one log."""
    for number in range(seed, seed + 40):
        some, assertions = _crowd(Random(number))
        _check(_run(some, assertions, number, 1 + number % 4), some, assertions)


@pytest.mark.parametrize("seed", range(0, 600, 60))
def test_an_event_that_moves_is_begun_once(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """However often its author changes: no second copy overtakes the event with what was said about it."""
    begun: Counter[str] = Counter()
    fold = Log.fold

    def counted(log: Log, event_id: str) -> None:
        begun[event_id] += not log.has(event_id)
        fold(log, event_id)

    monkeypatch.setattr(Log, "fold", counted)
    for number in range(seed, seed + 60):
        begun.clear()
        some, assertions = _crowd(Random(number))
        _run(some, assertions, number, 1 + number % 4)
        assert set(begun.values()) == {1}, f"{number}: {begun.most_common(2)}"


def test_an_unlink_of_people_nobody_knew_yet_counts() -> None:
    """It is remembered beside the identities, and told to the customer that they become members of."""
    some = [
        event("a", "email:e1@x", "handle:h1", thread="s1", at=3),
        event("b", "handle:h0", "handle:h1", thread="t1", at=4),
    ]
    first = link("u1", "handle:h0", "handle:h1", action="unlink", at=1)
    joined = link("l", "email:e1@x", "handle:h0", at=2)
    last = link("u2", "email:e1@x", "handle:h1", action="unlink", at=5)
    network = Network(3, Random(1), some)
    records: Both = [first, joined, *some, last]
    for record in records:
        network.feed(*_first_messages([record]))
        network.run()
    _check(network, some, [first, joined, last])
    assert network.pointers()["handle:h1"] is None


@pytest.mark.parametrize("seed", range(10))
def test_a_public_event_that_names_a_private_thread_holds_nobody_together(seed: int) -> None:
    """What is said in public joins no thread: neither when it comes nor when an unlink asks what is left."""
    some = [
        event("a", "customer_id:B", "email:e1@x", thread="t2"),
        event("b", "customer_id:B", thread="s1", kind="merge", into="t1"),
        event("c", "customer_id:A", "email:e1@x", thread="t1"),
    ]
    network = Network(3, Random(seed), some)
    records: Both = [*some, link("u", "customer_id:A", "email:e1@x", action="unlink")]
    for record in records:
        network.feed(*_first_messages([record]))
        network.run()
    _check(network, some, [record for record in records if isinstance(record, Link)])


def test_a_question_that_comes_once_more_grants_nothing() -> None:
    """What was granted and let go stays nobody's, though the old question overtakes the news of the unlink."""
    asked: list[Outgoing] = []
    held: list[Outgoing] = []

    def keep(_cause: Outgoing, sent: Outgoing) -> bool:
        tag = sent.message.get("t")
        asked.extend([sent] if tag == "ask" else [])
        held.extend([sent] if tag == "cut" and sent.key == "handle:h1" else [])
        return sent not in held

    some = [event("a", "email:e1@x", "handle:h1", thread="s1", at=3)]
    cut = link("u", "email:e1@x", "handle:h1", action="unlink", at=5)
    network = Network(3, Random(1), some, keep=keep)
    for messages in (_first_messages(some), _first_messages([cut]), asked, held):
        network.feed(*messages[:1])
        network.run()
        assert len(asked) == 1
    _check(network, some, [cut])


def test_a_link_counts_though_news_of_it_comes_before_it() -> None:
    """Who was told that an unlink forbids it, by somebody who knew of the newer link, takes that when it comes."""
    held: list[Outgoing] = []

    def keep(_cause: Outgoing, sent: Outgoing) -> bool:
        tag = sent.message.get("t")
        late = (tag == "link" and sent.to == "customer") or (tag == "cut" and sent.key == "handle:h1")
        late = late and sent not in held
        held.extend([sent] if late else [])
        return not late

    some = [event("a", "handle:h0", thread="s1"), event("b", "handle:h1", thread="s1")]
    both = event("c", "handle:h1", "handle:h0", thread="s1")
    pair = ("handle:h0", "handle:h1")
    assertions = [link("u", *pair, action="unlink", at=1), link("k1", *pair, at=6), link("k2", *pair, at=9)]
    network = Network(3, Random(1), [*some, both], keep=keep)
    records: Both = [*some, *assertions, both]
    for record in records:
        network.feed(*_first_messages([record]))
        network.run()
    assert [sent.message["id"] for sent in held] == ["u", "k1", "k2"]
    for sent in [*held[1:], held[0]]:
        network.feed(sent)
        network.run()
    _check(network, [*some, both], assertions)
