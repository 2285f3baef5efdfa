"""`make bench`: what things cost, measured side by side in one run. Medians of several runs; read the ratios.

The machine's speed is in every absolute figure and in none of the ratios.
"""

import gzip
import random
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

from rich.console import Console
from rich.table import Table

from schemas.codec import dumps, loads
from schemas.times import HOUR, parse_time
from streams.customer import Customer
from streams.derive import derive
from streams.intake import Rejected, admit
from streams.log import Log
from streams.policy import PolicyHistory, compile_policy
from streams.policy_file import read_policy
from streams.replay import Line, Replay
from tests.bench.storms import storms

RUNS = 5
CITY = Path(__file__).parents[2].parent / "shared" / "data" / "boston311-2015-h1.jsonl.gz"
CITY_LINES = 5_000
START = parse_time("2026-06-08T13:00:00Z")
POLICY = """
version: bench
calendars:
  office: {zone: America/New_York, week: {mon-fri: ["09:00-12:00", "13:00-17:00"]}, dates: {2026-07-03: []}}
channels: {social: {public: true}}
targets: [{first_response: 8h, next_response: 8h, resolution: 40h, calendar: office}]
issue_resolution: 240h
ladders: {error: [{after: 0m, role: lead}, {after: 4h, role: head}]}
"""


def median_seconds(work: Callable[[], object], runs: int = RUNS) -> float:
    """The median of some runs."""
    taken = []
    for _ in range(runs):
        started = time.perf_counter()
        work()
        taken.append(time.perf_counter() - started)
    return statistics.median(taken)


def calendar() -> Iterator[tuple[str, str, str]]:
    """A due time costs the same for an hour and for a thousand."""
    policy = compile_policy(read_policy(POLICY, "bench"))
    office = policy.calendar("office")
    rng = random.Random(1)
    starts = [START + rng.randrange(365 * 24 * HOUR) for _ in range(2_000)]
    base = 0.0
    for hours in (1, 10, 100, 1000):
        each = median_seconds(lambda h=hours: [office.add(s, h * HOUR) for s in starts]) / len(starts)
        base = base or each
        yield f"due time, target of {hours} h", f"{each * 1e6:.2f} µs", f"{each / base:.2f}"


def derivation() -> Iterator[tuple[str, str, str]]:
    """What a customer's whole history costs to derive and to store, by its length."""
    policies = PolicyHistory(compile_policy(read_policy(POLICY, "bench")))
    base = 0.0
    for events in (10, 100, 1000):
        customer = Customer("cus_bench")
        for number in range(events):
            kind = ("contact", "reply", "contact", "status")[number % 4]
            value = {
                "id": f"e{number}",
                "occurred_at": f"2026-{6 + number // 700:02d}-{1 + number // 25 % 28:02d}T{number % 24:02d}:00:00Z",
                "channel": ("phone", "email")[number // 4 % 2],
                "kind": kind,
                "thread": f"t{number // 4}",
                "topic": f"topic {number // 20}",
                "identities": [{"type": "account", "value": "a1"}],
                "data": {"status": "solved"},
            }
            event = admit(value, START + 60 * 24 * HOUR, policies.at(START))
            assert not isinstance(event, Rejected)
            customer.fold(event)
            if number == events - 2:
                before = derive(Log(customer.log), policies)
        log = customer.log
        whole = median_seconds(lambda log=log: derive(log, policies))
        more = median_seconds(lambda log=log, before=before: derive(log, policies, before=before))
        base = base or whole / events
        size = len(dumps(customer.encode()))
        yield f"derive a log of {events} events", f"{whole * 1e3:.2f} ms", f"{whole / events / base:.2f} per event"
        yield "derive it after one more event", f"{more * 1e3:.2f} ms", f"{more / whole:.2f} of all of it"
        yield f"store a log of {events} events", f"{size / 1024:.1f} KiB", f"{size / events:.0f} B per event"


def city() -> Iterator[tuple[str, str, str]]:
    """Events per second of replay, on the city's first days."""
    if not CITY.exists():
        yield "replay of the city", "skipped", f"{CITY.name} is not there"
        return
    with gzip.open(CITY) as file:
        raws = list(islice(file, CITY_LINES))
    policy = compile_policy(read_policy(POLICY, "bench"))
    lines = [Line(parse_time(loads(raw)["occurred_at"]), "interactions", loads(raw), raw) for raw in raws]
    lines.sort(key=lambda line: line.arrived_at)
    made = 0

    def run() -> None:
        nonlocal made
        made = sum(len(outcome.escalations) for outcome in Replay(policy).run(lines))

    decode = median_seconds(lambda: [loads(raw) for raw in raws], 3)
    whole = median_seconds(run, 3)
    yield "decode the city's lines", f"{len(raws) / decode:,.0f} events/s", "1"
    yield "replay the city", f"{len(raws) / whole:,.0f} events/s", f"{whole / decode:.0f}, {made:,} revisions"


def main() -> None:
    """Run all, print one table."""
    table = Table("what", "median", "ratio", title="bench")
    for bench in (calendar, derivation, storms, city):
        for row in bench():
            table.add_row(*row)
    Console(width=100, file=sys.stdout).print(table)


if __name__ == "__main__":
    main()
