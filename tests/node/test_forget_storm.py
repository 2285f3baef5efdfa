"""A customer of a storm, erased: a topic's open escalations are stored whole now and then only."""

from dataclasses import replace
from random import Random

from agents import forget_send
from agents.forget import ROUNDS
from agents.forget_find import Target
from agents.forget_traces import Place, Search, Traces
from agents.settings import settings_from
from schemas.times import HOUR, MINUTE, SECOND
from streams.aggregates.kept import changes_key
from tests.node.cluster import Cluster, policy
from tests.node.test_forget import forget, post, whom
from tests.node.test_storms import NOTIFY, T0, contact, feed

DEPLOYED = settings_from({}, partitions=2)


def test_a_storm_that_goes_on_does_not_keep_who_is_erased():
    """Its escalations are resolved, it is erased, and what still names it is stored anew."""
    rules = policy(targets=[{"first_response": "1h"}], notify=NOTIFY, hotspots={"customers": 20})
    cluster = Cluster(2, Random(1), rules)
    for number in range(60):
        feed(cluster, [contact(number, T0 + number * SECOND, topic="outage")], T0 + number * SECOND)
    cluster.pass_time(T0 + HOUR + 3 * MINUTE)
    target = whom(cluster, "email:p7@x")
    live = cluster.customers()[str(target.customer_id)].live
    assert live is not None
    target = replace(target, escalations=tuple(standing.id for standing in live.emitted.standing))
    for out in forget_send.resolves(DEPLOYED, target, cluster.now):
        post(cluster, [out])
    forget(cluster, target)
    post(cluster, forget_send.rewrites(DEPLOYED, target.ids))
    left = _left(cluster, target)
    assert left.elsewhere == {"hot/outage"}
    assert any(key.startswith(changes_key("")) for store in cluster.stores for key in store["aggregates"])
    for _ in range(ROUNDS):
        post(cluster, forget_send.mends(DEPLOYED, target, left))
        left = _left(cluster, target)
    assert not left.elsewhere


def _left(cluster: Cluster, target: Target) -> Traces:
    search = Search(target.names, target.ids)
    for number, store in enumerate(cluster.stores):
        for table, values in store.items():
            for key, value in values.items():
                search.take(f"changelog.{table}", Place(number, key), value)
    return search.found
