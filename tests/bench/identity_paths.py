"""What each path of an event costs: known people, a new thread, a merge. Run `python -m tests.bench.identity_paths`.

All partitions are in one process and share one core, so the figures compare paths; they are not those of a deployment.
"""

import sys
import time
from random import Random
from statistics import median

from schemas.times import HOUR
from streams.event import Event
from tests.identity.build import event
from tests.node.cluster import Cluster, interaction, policy

PEOPLE, PARTITIONS, RUNS = 300, 8, 3


def _take(cluster: Cluster, some: list[Event]) -> tuple[float, dict[str, int]]:
    """Events per second, and what was counted, with everything that follows from them."""
    for one in some:
        value = interaction(one, frozenset())
        cluster.feed("interactions.chat", str(one.identities[0]), value, cluster.now)
    before = dict(cluster.counts)
    begun = time.perf_counter()
    cluster.run()
    spent = time.perf_counter() - begun
    return len(some) / spent, {name: n - before.get(name, 0) for name, n in cluster.counts.items()}


def main() -> None:
    """Print a line for each path: events per second against the first, messages and second hops per event."""
    rates: dict[str, list[float]] = {}
    counts: dict[str, dict[str, int]] = {}
    for run in range(RUNS):
        cluster = Cluster(PARTITIONS, Random(run), policy())
        cluster.now = 10 * HOUR
        people = range(PEOPLE)
        first = [event(f"f{n}", f"customer_id:C{n}", f"email:c{n}@x", thread=f"t{n}") for n in people]
        paths = {
            "known people": [
                event(f"k{n}", f"customer_id:C{n}", f"email:c{n}@x", thread=f"t{n}", at=1) for n in people
            ],
            "a new thread": [event(f"n{n}", f"customer_id:C{n}", thread=f"u{n}", at=2) for n in people],
            "a merge": [
                event(f"m{n}", f"customer_id:C{n}", f"phone:55501{n:05}", thread=f"t{n}", at=3) for n in people
            ],
        }
        alone = [event(f"p{n}", f"phone:55501{n:05}", thread=f"v{n}") for n in people]
        _take(cluster, first + alone)
        for name, some in paths.items():
            rate, counted = _take(cluster, some)
            rates.setdefault(name, []).append(rate)
            counts[name] = counted
    base = median(rates["known people"])
    for name, found in rates.items():
        sent = sum(n for what, n in counts[name].items() if what.startswith("sent_"))
        hops = counts[name].get("sent_customer_event", 0)
        sys.stdout.write(
            f"{name:14} {median(found):7.0f} events/s ({median(found) / base:.2f}), "
            f"{sent / PEOPLE:.2f} messages and {hops / PEOPLE:.2f} second hops per event\n"
        )


if __name__ == "__main__":
    main()
