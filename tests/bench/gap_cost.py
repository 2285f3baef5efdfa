"""What the channel gaps cost a worker: the same input over nodes, with and without them.

Run `python -m tests.bench.gap_cost [--per-minute 2 20 80]`. All partitions are in one process and share one core, so
read the ratio; the figures are not those of a deployment.
"""

import argparse
import sys
import time
from random import Random
from statistics import median
from typing import NamedTuple

from schemas.times import MINUTE, format_time, parse_time
from streams.node import Node
from streams.policy import Policy, compile_policy
from streams.policy_file import read_policy
from streams.replay import Line
from tests.bench.recovery import POLICY
from tests.node.cluster import Cluster

START = parse_time("2026-06-01T13:00:00Z")
PARTITIONS, RUNS = 4, 3
TOGETHER = 20
"""So many records arrive before time goes on."""


class Plain(Cluster):
    """Nodes that measure no gaps: nothing is noted, so nothing is ever due."""

    def _node(self, number: int) -> Node:
        node = super()._node(number)
        feed = node._place.gap_feed
        feed.touch = lambda *_: None  # type: ignore[method-assign]
        return node


class Cost(NamedTuple):
    """Of one run: seconds of the processor, messages and changelog bytes of the gaps, and records told."""

    seconds: float
    messages: int
    stored: int
    records: int


def measured(kind: type[Cluster], policy: Policy, lines: list[Line]) -> Cost:
    """Have the nodes take the input in, and time pass until a while after."""
    cluster = kind(PARTITIONS, Random(1), policy)
    begun = time.process_time()
    for first in range(0, len(lines), TOGETHER):
        group = lines[first : first + TOGETHER]
        cluster.pass_time(group[-1].arrived_at)
        for line in group:
            cluster.feed(line.topic, f"email:{line.value['identities'][0]['value']}", line.value, line.arrived_at)
        cluster.run()
    cluster.pass_time(lines[-1].arrived_at + 40 * MINUTE)
    spent = time.process_time() - begun
    stored = sum(
        len(key) + len(value)
        for store in cluster.stores
        for key, value in store["aggregates"].items()
        if key.startswith(b"gap")
    )
    return Cost(spent, cluster.counts.get("sent_aggregate_gap", 0), stored, len(cluster.told("channel-gaps")))


def traffic(per_minute: int) -> list[Line]:
    """An hour's contacts, so many a minute, each answered within half an hour, a third of them in public."""
    random, found = Random(per_minute), []
    for number in range(60 * per_minute):
        at = START + number * MINUTE // per_minute
        channel = ("chat", "email", "social")[number % 3]
        later = at + random.randrange(MINUTE, 30 * MINUTE)
        for kind, when, actor in (("contact", at, "customer"), ("reply", later, "agent")):
            value = {
                "id": f"{kind}{number}",
                "occurred_at": format_time(when),
                "channel": channel,
                "kind": kind,
                "actor": {"type": actor},
                "thread": f"{channel}:{number}",
                "identities": [{"type": "email", "value": f"p{number}@example.com"}],
            }
            found.append(Line(when, f"interactions.{channel}", value))
    return sorted(found, key=lambda line: line.arrived_at)


def main() -> None:
    """Print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--per-minute", type=int, nargs="*", default=[2, 20, 80])
    policy = compile_policy(read_policy(POLICY.read_text(), str(POLICY)))
    for per_minute in parser.parse_args().per_minute:
        lines = traffic(per_minute)
        costs: dict[str, list[Cost]] = {"without": [], "with": []}
        for _ in range(RUNS):  # in turn: the machine's speed changes
            costs["without"].append(measured(Plain, policy, lines))
            costs["with"].append(measured(Cluster, policy, lines))
        base = median(cost.seconds for cost in costs["without"])
        for name, found in costs.items():
            seconds, cost = median(one.seconds for one in found), found[0]
            sys.stdout.write(
                f"{per_minute} contacts a minute, {name:7} {len(lines) / seconds:6.0f} events/s "
                f"({seconds / base:.2f} of the time without), {cost.messages / len(lines):.2f} messages per event, "
                f"{cost.stored / 1024:.0f} KiB stored, {cost.records} records\n"
            )


if __name__ == "__main__":
    main()
