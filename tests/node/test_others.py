"""What others do: crowds on public threads, and the same text sent to many, over partitions as in one place."""

from random import Random
from typing import Any

import pytest

from schemas.codec import dumps
from schemas.link import Link
from schemas.times import DAY, HOUR, MINUTE, format_time
from streams.customer import Customer
from streams.facts import episode_records
from streams.intake import Rejected, admit
from streams.policy import Policy, PolicyHistory
from streams.population import Population
from tests.node.cluster import Cluster, policy

T0 = 40 * DAY
RULES = {"limits": {"email": 99}, "max": 1000}
TEXT = "Thank you for your message, we shall come back to you as soon as we can."
Value = dict[str, Any]


def post(number: int, who: int, at: int, thread: str = "post", **more: Any) -> Value:
    """A public contact."""
    return {
        "id": f"e{number}",
        "occurred_at": format_time(at),
        "channel": "social",
        "kind": "contact",
        "identities": [{"type": "email", "value": f"p{who}@x"}],
        "thread": thread,
        **more,
    }


def answer(number: int, who: int, at: int, text: str = TEXT) -> Value:
    """An agent's reply in a thread of the customer's own."""
    return post(number, who, at, f"t{who}", channel="chat", kind="reply", actor={"type": "agent"}, text=text)


def link(number: int, a: int, b: int, at: int, action: str = "link") -> Value:
    """Two people are one, or are not."""
    pair = {"a": {"type": "email", "value": f"p{a}@x"}, "b": {"type": "email", "value": f"p{b}@x"}}
    return {"id": f"l{number}", "occurred_at": format_time(at), "action": action, **pair}


def feed(cluster: Cluster, values: list[Value], at: int) -> None:
    """Give the records to the cluster, and have it take them in."""
    cluster.now = max(cluster.now, at)
    for value in values:
        topic = "identities.links" if "action" in value else f"interactions.{value['channel']}"
        key = value["id"] if "action" in value else f"email:{value['identities'][0]['value']}"
        cluster.feed(topic, key, value, at)
    cluster.run()


def in_one_place(values: list[tuple[int, Value]], rules: Policy) -> Population:
    """The same without partitions, each at its arrival."""
    population = Population(rules)
    for at, value in values:
        if "action" in value:
            list(population.link(Link.model_validate(value), at, rules))
        else:
            event = admit(value, at, rules)
            assert not isinstance(event, Rejected)
            list(population.place(event, rules))
    return population


def facts(customers: list[Customer], policies: PolicyHistory, now: int) -> list[bytes]:
    """All episodes, without whose they are."""
    found = []
    for customer in customers:
        records = episode_records(customer, policies, now)
        found += [dumps({name: value for name, value in r.items() if name != "customer_id"}) for r in records]
    return sorted(found)


def histories(cluster: Cluster) -> list[Customer]:
    """Every customer that is one."""
    return [stored.live for stored in cluster.customers().values() if stored.live is not None]


def patterns(cluster: Cluster) -> dict[str, int]:
    """By pattern how many histories are open with it."""
    newest: dict[str, Value] = {}
    for _, record in sorted(cluster.escalations().items()):
        newest[record["escalation_id"]] = record
    found: dict[str, int] = {}
    for record in newest.values():
        for name in record.get("patterns", ()) if record["status"] == "open" else ():
            found[name] = found.get(name, 0) + 1
    return found


@pytest.mark.parametrize("seed", range(4))
def test_a_crowd_over_partitions(seed: int) -> None:
    """The fifth customer within a day makes a thread spread, for all who spoke there; four make nothing."""
    cluster = Cluster(4, Random(seed), policy(targets=[], identities=RULES), crashes=15)
    feed(cluster, [post(n, n, T0 + n) for n in range(4)], T0 + 10)
    assert "spreading" not in patterns(cluster)
    feed(cluster, [post(4, 4, T0 + HOUR)], T0 + HOUR)
    assert patterns(cluster)["spreading"] == 5


def test_nobody_is_told_of_a_few() -> None:
    """Where too few speak for any pattern, no customer hears of another; later ones do not stir the early ones for ever."""
    cluster = Cluster(4, Random(1), policy(targets=[], identities=RULES))
    feed(cluster, [post(n, n, T0 + n) for n in range(4)], T0 + 10)
    assert "sent_customer_around" not in cluster.counts
    for number in range(4, 40):
        feed(cluster, [post(number, number, T0 + number)], T0 + number)
    assert cluster.counts["sent_customer_around"] < 40 * 9


def test_a_merge_and_an_unlink_count_people_anew() -> None:
    """Two of five who prove to be one are a crowd of four; told apart again, they are five."""
    cluster = Cluster(4, Random(2), policy(targets=[], identities=RULES), crashes=20)
    feed(cluster, [post(n, n, T0 + n) for n in range(5)], T0 + 10)
    assert patterns(cluster)["spreading"] == 5
    feed(cluster, [link(1, 0, 1, T0 + HOUR)], T0 + HOUR)
    assert "spreading" not in patterns(cluster)
    feed(cluster, [link(2, 0, 1, T0 + 2 * HOUR, "unlink")], T0 + 2 * HOUR)
    assert patterns(cluster)["spreading"] == 5


def test_a_merge_keeps_what_holds_anyway() -> None:
    """Where six are five by a merge, it still spreads: no escalation ends and comes again, and nobody is paged anew."""
    for seed in range(10):
        cluster = Cluster(4, Random(seed), policy(targets=[], identities=RULES), crashes=10)
        feed(cluster, [post(n, n, T0 + n) for n in range(6)], T0 + 10)
        before = {id_ for id_, _ in cluster.escalations()}
        feed(cluster, [link(1, 0, 1, T0 + HOUR)], T0 + HOUR)
        assert patterns(cluster)["spreading"] == 5
        assert {id_ for id_, _ in cluster.escalations()} == before, seed
        ended = {record["reason"] for record in cluster.escalations().values() if record["status"] == "resolved"}
        assert ended == {"merged"}, seed


def test_a_merge_with_one_who_said_nothing_stirs_nobody() -> None:
    """One of five proves to be somebody older who never spoke there: they are five all the time, and nothing is resolved."""
    for seed in range(10):
        cluster = Cluster(4, Random(seed), policy(targets=[], identities=RULES), crashes=5)
        feed(cluster, [post(20, 9, T0 - HOUR, "mine", channel="chat")], T0 - HOUR)
        feed(cluster, [post(n, n, T0 + n) for n in range(5)], T0 + 10)
        before = {id_ for id_, _ in cluster.escalations()}
        cluster.crashes = 5
        feed(cluster, [link(1, 9, 1, T0 + HOUR)], T0 + HOUR)
        assert patterns(cluster)["spreading"] == 5
        assert {id_ for id_, _ in cluster.escalations()} - before == set(), seed
        assert not any(record["status"] == "resolved" for record in cluster.escalations().values()), seed


@pytest.mark.parametrize("seed", range(4))
def test_a_template_over_partitions(seed: int) -> None:
    """The same text to five customers within a day is a template for all of them; another text is none."""
    rules = policy(targets=[], identities=RULES, patterns={"canned_only": {"count": 1}})
    cluster = Cluster(4, Random(seed), rules, crashes=15)
    asked = [post(n, n, T0 + n, f"t{n}", channel="chat") for n in range(6)]
    replies = [answer(10 + n, n, T0 + MINUTE + n) for n in range(4)]
    feed(
        cluster,
        [*asked, *replies, answer(20, 5, T0 + MINUTE, "Nobody else was ever written this sentence.")],
        T0 + HOUR,
    )
    assert "canned_only" not in patterns(cluster)
    feed(cluster, [answer(14, 4, T0 + 2 * HOUR)], T0 + 2 * HOUR)
    assert patterns(cluster)["canned_only"] == 5


def test_forgotten_after_a_month() -> None:
    """What lies too far back to count is deleted; what customers were told by it stays true."""
    cluster = Cluster(2, Random(3), policy(targets=[], identities=RULES, issues={"quiet_after": "300d"}), crashes=5)
    feed(cluster, [post(n, n, T0 + n) for n in range(5)], T0 + 10)
    assert any(key.startswith(b"crowd/") for store in cluster.stores for key in store["aggregates"])
    cluster.pass_time(T0 + 32 * DAY)
    assert not any(key.startswith(b"crowd/") for store in cluster.stores for key in store["aggregates"])
    feed(cluster, [post(9, 0, T0 + 33 * DAY)], T0 + 33 * DAY)
    assert patterns(cluster)["spreading"] == 5


def test_the_same_as_in_one_place() -> None:
    """Whatever the order, the batches and the crashes: the episodes of one place, with merges and splits in between."""
    for seed in range(60):
        random = Random(seed)
        rules = policy(
            targets=[{"first_response": "1h"}],
            identities=RULES,
            canned={"customers": 3},
            patterns={"canned_only": {"count": 1}, "spreading": {"customers": 3}},
        )
        values = _some(random)
        cluster = Cluster(random.randint(1, 4), random, rules, crashes=15)
        at = T0 + 3 * DAY
        waiting = list(values)
        while waiting:
            size = random.randint(1, 12)
            some, waiting = waiting[:size], waiting[size:]
            feed(cluster, some, at)
        cluster.pass_time(at + HOUR)
        population = in_one_place([(at, value) for value in values], rules)
        whole = [customer for customer in population.customers.values() if len(customer.log)]
        assert facts(histories(cluster), cluster.kit.policies, at) == facts(whole, cluster.kit.policies, at), seed


def _some(random: Random) -> list[Value]:
    values: list[Value] = []
    for number in range(random.randint(10, 40)):
        who, at = random.randrange(8), T0 + random.randrange(2 * DAY)
        if random.random() < 0.5:
            values.append(post(number, who, at, random.choice(("post", "other"))))
        else:
            text = random.choice((TEXT, "Something quite different is said in this text."))
            values += [post(number, who, at - MINUTE, f"t{who}", channel="chat"), answer(100 + number, who, at, text)]
    for number in range(random.randint(0, 4)):
        a, b = random.sample(range(8), 2)
        action = random.choice(("link", "link", "unlink"))
        values.append(link(number, a, b, T0 + random.randrange(2 * DAY), action))
    random.shuffle(values)
    return values
