"""A cluster that begins over a backlog: fed from recorded lines, and read out as a run to be compared with replay's."""

from collections.abc import Iterable
from typing import Any

from streams.compare import Run
from streams.replay import Line
from tests.compare.replayed import stored_run
from tests.node.cluster import Cluster

Record = dict[str, Any]


def begin(cluster: Cluster, at: int) -> None:
    """Every partition starts for the first time at `at` (ms), over whatever waits."""
    crashes, cluster.crashes = cluster.crashes, 0
    for number in range(cluster.partitions):
        assert cluster._publish(number, cluster.nodes[number].begin_backlog(at))
    cluster.crashes = crashes


def end(cluster: Cluster, at: int, partitions: Iterable[int] | None = None) -> None:
    """The backlog of these partitions (default: all) is worked off, and the time is `at`: in spite of crashes."""
    cluster.now = at
    for number in range(cluster.partitions) if partitions is None else partitions:
        while cluster.nodes[number].backlog is not None:
            cluster._publish(number, cluster.nodes[number].end_backlog())
    cluster.run()


def append(cluster: Cluster, lines: Iterable[Line]) -> None:
    """Put the lines into their topics."""
    for line in lines:
        topic = f"interactions.{line.value['channel']}" if line.topic == "interactions" else line.topic
        cluster.feed(topic, _key(line.value), line.value, line.arrived_at)


def _key(value: Record) -> str:
    """What a producer takes for the key."""
    if names := value.get("identities"):
        return f"{names[0]['type']}:{names[0]['value']}"
    return str(value.get("customer_id", value["id"]))


def live(cluster: Cluster, lines: Iterable[Line], until: int) -> None:
    """Take the lines in as they arrive, with the time passing between them."""
    for line in lines:
        cluster.pass_time(line.arrived_at)
        append(cluster, [line])
        cluster.run()
    cluster.pass_time(until)


def run_of(cluster: Cluster) -> Run:
    """What the cluster has stored and said, as `mindgap snapshot` would write it."""
    said = [record for _, record in sorted(cluster.escalations().items())]
    return stored_run(cluster.customers().values(), cluster.kit.policies, cluster.now, said)


def paged(cluster: Cluster) -> set[str]:
    """The escalations that any notification names."""
    return {id_ for note in cluster.told("notifications") for id_ in note["escalation_ids"]}
