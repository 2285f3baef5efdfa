"""What each path of an event costs, and how often which is taken. Run `python -m tests.bench.identity_paths`.

The paths: known people, a new thread, a merge. How often events take a second hop (from the partition of an identity
to that of its customer): a city's requests, in which people are told by one identity, and simulated people, who have
several. All partitions are in one process and share one core, so the figures compare paths; they are not those of a deployment.
"""

import sys
import time
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from random import Random
from statistics import median

from agents.demo.source import Outgoing, outgoing, read_recording
from schemas.times import DAY, HOUR
from streams.effects import Record
from streams.event import Event
from streams.simulate import simulate
from tests.identity.build import event
from tests.node.cluster import Cluster, interaction, policy

PEOPLE, PARTITIONS, RUNS = 300, 8, 3
CITY = Path(__file__).parents[2].parent / "shared" / "data" / "boston311-2015-h1.jsonl.gz"
LINES, AT_ONCE = 10_000, 50
START = 1_780_000_000_000


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


def _share(records: Iterable[Outgoing]) -> str:
    """What the events of a recording cost, a few at a time in order of arrival."""
    cluster, begun = Cluster(PARTITIONS, Random(1), policy()), time.perf_counter()
    for number, record in enumerate(islice(records, LINES)):
        cluster.now = max(cluster.now, record.at)
        partition = cluster.owner(record.key.decode())
        cluster._append(record.topic, partition, Record(record.topic, record.key, record.value, record.at))
        if number % AT_ONCE == AT_ONCE - 1:
            cluster.run()
    cluster.run()
    events = cluster.counts["events"]
    hops = cluster.counts.get("sent_customer_event", 0)
    identities = sum(n for what, n in cluster.counts.items() if what.startswith(("sent_identity_", "sent_customer_")))
    rate = events / (time.perf_counter() - begun)
    return f"{events} events, {rate:.0f}/s, {hops / events:.4f} second hops and {identities / events:.2f} messages each"


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
    if CITY.exists():
        sys.stdout.write(f"city           {_share(map(outgoing, read_recording(str(CITY)).shifted(START)))}\n")
    else:
        sys.stdout.write(f"city           skipped: {CITY.name} is not there\n")
    sys.stdout.write(f"simulated      {_share(map(outgoing, simulate(1, START, 10 * DAY, 400)))}\n")


if __name__ == "__main__":
    main()
