"""A customer erased from nodes, as `mindgap forget` does it: what is left of it, and of whom else.

What the protocol leaves behind by itself is in `test_forget_left`.
"""

from random import Random
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agents import forget_send
from agents.forget import ROUNDS
from agents.forget_find import Target
from agents.forget_traces import Place, Search, Traces
from agents.settings import settings_from
from schemas.codec import dumps, loads
from schemas.link import Link
from schemas.times import HOUR, MINUTE, format_time
from streams.effects import Record, Send
from streams.event import Event
from streams.identity.claims import claim_of_event
from streams.identity.protocol import CustomerLinks
from streams.stored import Stored
from tests.identity.build import PUBLIC, event, link
from tests.identity.test_protocol import _input
from tests.node.cluster import Cluster, interaction, policy

T0 = 10 * HOUR
TIGHT = {"limits": {"customer_id": 1, "email": 1, "phone": 2}, "max": 4}


def text_of(event_id: str) -> str:
    """What the author of an event wrote."""
    return f"what {event_id} says"


def feed(cluster: Cluster, *records: Event | Link) -> None:
    """The records, worked off, an hour and more before what follows."""
    take(cluster, *records)
    cluster.wake(cluster.now + HOUR + MINUTE)


def take(cluster: Cluster, *records: Event | Link) -> None:
    """The records, worked off."""
    for record in records:
        if isinstance(record, Link):
            pair = {"a": record.a.model_dump(), "b": record.b.model_dump()}
            value = {"id": record.id, "occurred_at": format_time(record.occurred_at), "action": record.action, **pair}
            cluster.feed("identities.links", record.id, value, cluster.now)
        else:
            value = interaction(record, PUBLIC) | {"text": text_of(record.id)}
            claim = claim_of_event(record, public=record.thread in PUBLIC, blocked=frozenset())
            cluster.feed(f"interactions.{value['channel']}", claim.key, value, cluster.now)
    cluster.run()


def post(cluster: Cluster, outs: list[forget_send.Out]) -> None:
    """What the command sends, worked off."""
    for out in outs:
        if out.value is None:
            cluster.outputs.append(Send(out.topic, out.key, None, out.partition))
        else:
            cluster._append(out.topic, out.partition, Record(out.topic, out.key, out.value, cluster.now))
    cluster.run()


def current(cluster: Cluster) -> dict[bytes, bytes]:
    """What compaction leaves of `escalations.current`."""
    newest: dict[bytes, bytes] = {}
    for send in cluster.outputs:
        if send.topic == "escalations.current":
            newest.pop(send.key, None)
            newest |= {send.key: send.value} if send.value is not None else {}
    return newest


def look(cluster: Cluster, target: Target) -> Traces:
    """What the command finds."""
    search = Search(target.names, target.ids)
    for number, store in enumerate(cluster.stores):
        for table, topic in (("identities", "changelog.identities"), ("customers", "changelog.customers")):
            for key, value in store[table].items():
                search.take(topic, Place(number, key), value)
    for key, value in current(cluster).items():
        search.take("escalations.current", Place(cluster.owner(key.decode()), key), value)
    return search.found


def whom(cluster: Cluster, name: str) -> Target:
    """The customer that has the identity, as the command finds it."""
    (links,) = (stored.links for stored in cluster.customers().values() if name in stored.links.members)
    return Target(name, frozenset(links.members), links.id, frozenset(links.aliases))


def forget(cluster: Cluster, target: Target) -> None:
    """What the protocol does by itself."""
    post(cluster, forget_send.forget(settings_from({}, partitions=cluster.partitions), target))


def erase(cluster: Cluster, target: Target) -> Traces:
    """What the command does."""
    deployment = settings_from({}, partitions=cluster.partitions)
    forget(cluster, target)
    post(cluster, forget_send.rewrites(deployment, target.ids))
    for _ in range(ROUNDS):
        left = look(cluster, target)
        outs = forget_send.mends(deployment, target, left)
        if not outs:
            return left
        post(cluster, outs)
    raise AssertionError(outs)


def holds(cluster: Cluster, *texts: str) -> list[bytes]:
    """The keys of the states and escalations that hold any of these texts."""
    values = [pair for store in cluster.stores for table in store.values() for pair in table.items()]
    return [key for key, value in [*values, *current(cluster).items()] if any(t.encode() in key + value for t in texts)]


def without_what_others_did(stored: Stored) -> bytes:
    """A state without the events that its customer took part in, and the edges of those and of links."""
    stored.links.pairs, stored.links.refused, stored.links.ties = {}, {}, {}
    state = loads(stored.encode(0))
    if state["c"] is not None:
        state["c"]["log"] = state["c"]["identities"] = []
    return dumps(state)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(_input(), st.integers(0, 2**32), st.integers(1, 4), st.sampled_from(({}, TIGHT)))
def test_who_is_erased_is_named_nowhere_but_in_what_others_did(
    records: tuple[list[Event], list[Link]], seed: int, partitions: int, limits: dict[str, Any]
) -> None:
    """After crashes: marks without content, no identity, no text, no escalation; others keep their own events."""
    cluster = Cluster(partitions, Random(seed), policy(identities=limits), crashes=10)
    cluster.now = T0
    feed(cluster, *records[0][::2], *records[1])
    feed(cluster, *records[0][1::2])
    customers = {id_: stored for id_, stored in cluster.customers().items() if stored.links.members}
    if not customers:
        return
    stored = customers[sorted(customers)[seed % len(customers)]]
    target = whom(cluster, min(stored.links.members))
    texts = [text_of(one.id) for one in stored.customer.log] if stored.customer else []
    cluster.crashes = 0  # what a crash in between leaves: see `test_forget_left`
    left = erase(cluster, target)
    assert not left.records
    assert set(holds(cluster, *texts)) <= {place.key for place in left.shared}
    assert not target.names & {key.decode() for store in cluster.stores for key in store["identities"]}
    after = cluster.customers()
    for id_ in target.ids & after.keys():
        mark = after[id_]
        assert (mark.links, mark.customer, mark.outbox, mark.mail) == (CustomerLinks(id_, forgotten=True), None, [], [])
    names = [dumps(name) for name in target.names]
    for id_ in after.keys() - target.ids:
        value = without_what_others_did(after[id_])
        assert not any(name in value for name in names), value
    assert not {loads(value)["customer_id"] for value in current(cluster).values()} & target.ids


def cluster_of(*records: Event | Link, partitions: int = 3, **more: Any) -> Cluster:
    """A calm cluster to which these records have come, one after the other."""
    cluster = Cluster(partitions, Random(1), policy(**more))
    cluster.now = T0
    for record in records:
        feed(cluster, record)
    return cluster


def test_an_event_that_comes_afterwards_makes_a_new_customer() -> None:
    """Also one that was known before: whatever is delivered again begins anew, with nothing of the past."""
    first, second = (event(id_, "email:a@x", thread=id_, at=T0) for id_ in ("one", "two"))
    cluster = cluster_of(first, second)
    erase(cluster, whom(cluster, "email:a@x"))
    assert cluster.logs() == set()
    feed(cluster, first)
    assert cluster.logs() == {frozenset({"one"})}


def test_who_is_known_as_a_speaker_of_what_was_let_go_is_erased_there_too() -> None:
    """The command finds a public thread that no event of the customer's history names any more."""
    cluster = cluster_of(event("one", "email:a@x", thread="s1", at=T0), event("two", "email:a@x", thread="t", at=T0))
    target = whom(cluster, "email:a@x")
    stored = cluster.customers()[str(target.customer_id)]
    assert stored.customer is not None
    stored.customer.log.take(["one"])
    for number, store in enumerate(cluster.stores):
        if str(target.customer_id).encode() in store["customers"]:
            store["customers"][str(target.customer_id).encode()] = stored.encode(0)
            cluster.nodes[number] = cluster._node(number)
    forget(cluster, target)
    assert holds(cluster, "a@x")
    erase(cluster, target)
    assert not holds(cluster, "a@x")


def test_an_event_that_moved_is_erased_from_the_state_that_it_moved_from() -> None:
    """The message that carried it is still kept with the other's state; the command has that written again."""
    cluster = moved_cluster()
    left = erase(cluster, whom(cluster, "customer_id:A"))
    assert not holds(cluster, text_of("a"), text_of("b"))
    assert len(left.others) == 1, "the edge stays, and is told"


def test_what_was_said_of_somebody_else_while_they_were_one_stays_and_is_told() -> None:
    """After a split an escalation of the one part may quote the other, until it is said anew."""
    cluster = split_cluster()
    left = erase(cluster, whom(cluster, "email:b@x"))
    said = {place.key for place in left.shared}
    assert said
    assert set(holds(cluster, text_of("b"), text_of("both"))) == said
    assert holds(cluster, text_of("a"))


def test_revisions_that_a_crash_has_held_up_are_erased() -> None:
    """What was written and not sent is sent with the erasing, and does not outlive it."""
    cluster = cluster_of(event("a", "email:a@x", thread="t1", at=T0), partitions=1)
    target = whom(cluster, "email:a@x")
    assert written_not_sent(cluster)
    erase(cluster, target)
    assert cluster.escalations()
    assert current(cluster) == {}


def written_not_sent(cluster: Cluster) -> int:
    """Ten hours later a crash comes between state and outputs, on the only partition; how many outputs it holds up."""
    cluster.now += 10 * HOUR
    effects = cluster.nodes[0].wake(cluster.now)
    for table, key, value in effects.writes:
        assert value is not None
        cluster.stores[0][table][key] = value
    cluster.nodes[0] = cluster._node(0)
    return len(effects.sends)


def moved_cluster() -> Cluster:
    """`customer_id:B` has just written on a private thread of `customer_id:A`, whose the event is now."""
    cluster = cluster_of(event("a", "customer_id:A", thread="t1", at=T0), identities=TIGHT)
    take(cluster, event("b", "customer_id:B", thread="t1", at=T0 + 1))
    return cluster


def split_cluster() -> Cluster:
    """`customer_id:A` and `email:b@x` were one customer, and have just become two."""
    cluster = cluster_of(
        event("a", "customer_id:A", thread="t1", at=T0),
        event("b", "email:b@x", thread="t2", at=T0 + MINUTE),
        event("both", "email:b@x", "phone:5550002", thread="t3", at=T0 + MINUTE),
        link("l", "customer_id:A", "email:b@x", at=T0),
    )
    take(cluster, link("u", "customer_id:A", "email:b@x", action="unlink", at=T0 + 1))
    return cluster
