"""What it takes to come back: `python -m tests.bench.recovery --customers 10000 50000`.

A few customers with one open issue each are made by the core itself; the others are their copies under other names.
Measured are the stored bytes, the memory in the worker's store, a node's rebuilding, a customer's first reading, and,
with `--worker`, a real worker from its start to readiness on an embedded broker whose changelogs hold them all.
"""

import argparse
import asyncio
import gc
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from aiokafka import AIOKafkaProducer
from rich.console import Console
from rich.table import Table

from agents.brokers import embedded_broker
from agents.clock import WallClock
from agents.connection import client_options
from agents.settings import Settings, settings_from
from agents.topic_admin import create_topics
from agents.verify import live
from schemas.codec import dumps
from schemas.times import HOUR, MINUTE, format_time
from streams.effects import Effects, Record
from streams.kit import CoreKit
from streams.node import Node
from streams.policy import Policy, compile_policy
from streams.policy_file import read_policy
from streams.simulate import simulate
from streams.stored import decode_stored
from tests.soak.memory import resident_bytes
from topics.table import CHANGELOGS

POLICY = Path(__file__).parents[2] / "deploy/policy/default.yaml"
TOKEN = "00000000"
"""Stands in every name of a pattern customer, and is replaced by the copy's number."""
UNCONFIRMED_MAX = 5_000
BATCH = 200
START_TIMEOUT_S = 1_800.0
STORIES = (
    (("chat", "contact", 0),),
    (("phone", "contact", 0), ("phone", "answered", 4), ("email", "contact", 90)),
    (("email", "contact", 0), ("email", "reply", 120), ("email", "contact", 180), ("chat", "contact", 300), ("social", "contact", 400)),
    (("web", "contact", 0), ("web", "reply", 30), ("web", "promise", 31), ("web", "contact", 700)),
)  # fmt: skip
"""Channel, kind and minute of what happened: one open issue each, of 1 to 5 events."""


class Pattern(NamedTuple):
    """One customer as it is stored: its id, its value, and the values of its identities."""

    id: str
    value: bytes
    identities: list[tuple[bytes, bytes]]


class Stores(NamedTuple):
    """What a worker's stores hold."""

    identities: dict[bytes, bytes]
    customers: dict[bytes, bytes]


class Cost(NamedTuple):
    """Of so many customers: bytes stored and in memory, seconds of the processor."""

    customers: int
    stored: int
    memory: int
    rebuild_s: float
    read_us: float


def make_node(policy: Policy, stores: Stores) -> Node:
    """A node of the only partition."""
    return CoreKit(policy).node(0, 1, stores.identities, stores.customers, {}, lambda key: 0)


def apply(stores: Stores, effects: Effects) -> int:
    """Write what a batch wrote; the bytes that it would have taken in the changelogs."""
    written = 0
    for table, key, value in effects.writes:
        store: dict[bytes, bytes] = getattr(stores, table, {})
        written += len(key) + len(value or b"")
        if value is None:
            store.pop(key, None)
        else:
            store[key] = value
    return written


def patterns(policy: Policy, now: int) -> list[Pattern]:
    """One customer of each story, as the core stores it when its outputs are confirmed."""
    found = []
    for story in STORIES:
        stores = Stores({}, {})
        node = make_node(policy, stores)
        for number, (channel, kind, minute) in enumerate(story):
            value = {
                "id": f"e{TOKEN}-{number}",
                "occurred_at": format_time(now - 12 * HOUR + minute * MINUTE),
                "channel": channel,
                "kind": kind,
                "thread": f"{channel}:{TOKEN}",
                "topic": "billing",
                "text": "I was charged twice for the same order and nobody has come back to me since last week",
                "identities": [
                    {"type": "customer_id", "value": f"C{TOKEN}"},
                    {"type": "email", "value": f"person.{TOKEN}@example.org"},
                ],
                "data": {"due_at": format_time(now + HOUR)} if kind == "promise" else {},
            }
            at = now - 12 * HOUR + minute * MINUTE
            drive(node, stores, [Record(f"interactions.{channel}", b"", dumps(value), at)], at)
        drive(node, stores, [], now)
        (id_, value), *none = stores.customers.items()
        assert not none
        found.append(Pattern(id_.decode(), value, list(stores.identities.items())))
    return found


def copies(made: list[Pattern], count: int) -> Iterator[tuple[str, bytes, bytes]]:
    """Table, key and value of so many customers and their identities."""
    token = TOKEN.encode()
    for number in range(count):
        pattern = made[number % len(made)]
        mine, id_ = b"%08d" % (number + 1), f"cus_{number + 1:016x}.0".encode()
        for key, value in pattern.identities:
            yield "identities", key.replace(token, mine), value.replace(token, mine).replace(pattern.id.encode(), id_)
        yield "customers", id_, pattern.value.replace(token, mine).replace(pattern.id.encode(), id_)


def measure(policy: Policy, made: list[Pattern], count: int) -> Cost:
    """In this process: memory of the stores, a node's rebuilding, the first reading of a customer."""
    gc.collect()
    before = resident_bytes("self")
    stores, stored = Stores({}, {}), 0
    for table, key, value in copies(made, count):
        getattr(stores, table)[key] = value
        stored += len(key) + len(value)
    memory = resident_bytes("self") - before
    started = time.process_time()
    node = make_node(policy, stores)
    node.rebuild()
    rebuild_s = time.process_time() - started
    assert node.open_timers == count, "a copy is not what it was copied from"
    some = list(stores.customers.values())[: min(count, 2_000)]
    started = time.process_time()
    for value in some:
        decode_stored(value)
    return Cost(count, stored, memory, rebuild_s, (time.process_time() - started) / len(some) * 1e6)


def processor_s(pid: int) -> float:
    """Seconds of the processor that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def fill(settings: Settings, made: list[Pattern], count: int) -> None:
    """Write the changelogs of so many customers."""
    producer = AIOKafkaProducer(linger_ms=5, acks="all", **client_options(settings))
    await producer.start()
    try:
        waiting = []
        for table, key, value in copies(made, count):
            waiting.append(await producer.send(CHANGELOGS[table], value, key=key, partition=0))
            if len(waiting) >= UNCONFIRMED_MAX:
                await asyncio.gather(*waiting)
                waiting.clear()
        await asyncio.gather(*waiting)
    finally:
        await producer.stop()


class Recovered(NamedTuple):
    """A worker that is ready: seconds since its start, by the wall and of the processor, and its bytes of memory."""

    wall_s: float
    cpu_s: float
    memory: int


async def recover(made: list[Pattern], count: int) -> list[Recovered]:
    """A worker over empty changelogs, and one over full ones."""
    live.READY_TIMEOUT_S = START_TIMEOUT_S
    found = []
    for size in (0, count):
        with embedded_broker() as url:
            settings = settings_from({}, broker=url, broker_kind="embedded", partitions=1, session_s=6.0)
            await create_topics(settings)
            await fill(settings, made, size)
            environment = {"MINDGAP_BROKER": url, "MINDGAP_BROKER_KIND": "embedded", "MINDGAP_PARTITIONS": "1"}
            environment |= {"MINDGAP_SESSION_S": "6", "MINDGAP_POLICY": str(POLICY)}
            folder = Path(tempfile.mkdtemp(prefix="mindgap-recovery-"))
            started = time.monotonic()
            with live.workers(environment, folder, 1) as pool:
                await pool.ready()
                pid = pool.running[0].pid
                found.append(Recovered(time.monotonic() - started, processor_s(pid), resident_bytes(pid)))
    return found


def changelog_bytes(policy: Policy, now: int, customers: int = 300, days: float = 7) -> tuple[int, float]:
    """Of a simulated company: how many events, and changelog bytes per event, in batches of `BATCH` as they come."""
    stores = Stores({}, {})
    node, written, events = make_node(policy, stores), 0, 0
    batch: list[Record] = []
    start = now - int(days * 24 * HOUR)
    for line in simulate(1, start, int(days * 24 * HOUR), customers):
        topic = line.topic if line.topic != "interactions" else f"interactions.{line.value['channel']}"
        batch.append(Record(topic, b"", dumps(line.value), line.at))
        events += 1
        if len(batch) < BATCH:
            continue
        written += drive(node, stores, batch, line.at)
        batch = []
    return events, written / events


def drive(node: Node, stores: Stores, batch: list[Record], now: int) -> int:
    """A batch, all messages that follow from it, and the timers that are due; the bytes written."""
    written = 0
    while batch:
        effects = node.handle(batch, now)
        written += apply(stores, effects)
        batch = [Record(s.topic, s.key, s.value, now) for s in effects.sends if s.topic.endswith("-inbox")]
    while (due := node.next_wake) is not None and due <= now:
        effects = node.wake(now)
        written += apply(stores, effects)
        batch = [Record(s.topic, s.key, s.value, now) for s in effects.sends if s.topic.endswith("-inbox")]
        if batch:
            written += apply(stores, node.handle(batch, now))
    return written


def main() -> None:
    """One table, and two sentences."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.recovery", description=__doc__)
    parser.add_argument("--customers", type=int, nargs="+", default=[10_000, 50_000])
    parser.add_argument("--worker", action="store_true", help="a real worker on an embedded broker, too")
    given = parser.parse_args()
    policy = compile_policy(read_policy(POLICY.read_text(encoding="utf-8"), "default"))
    now = WallClock().now()
    made = patterns(policy, now)
    table = Table(title="recovery of customers with one open issue each")
    heads = ("customers", "stored, B each", "memory, B each", "rebuild, CPU s", "first reading, CPU µs each")
    for head in (*heads, "worker ready, s", "CPU s", "memory, MiB", "with nothing: s", "CPU s", "MiB"):
        table.add_column(head, justify="right")
    for count in given.customers:
        cost = measure(policy, made, count)
        each = (f"{count:,}", f"{cost.stored / count:.0f}", f"{cost.memory / count:.0f}")
        row = [*each, f"{cost.rebuild_s:.2f}", f"{cost.read_us:.0f}"]
        for worker in reversed(asyncio.run(recover(made, count))) if given.worker else ():
            row += [f"{worker.wall_s:.1f}", f"{worker.cpu_s:.1f}", f"{worker.memory / 2**20:.0f}"]
        table.add_row(*row, *[""] * (11 - len(row)))
    console = Console(width=140)
    console.print(table)
    events, written = changelog_bytes(policy, now)
    console.print(f"changelogs: {written:,.0f} bytes per event, of {events:,} events in batches of {BATCH}")


if __name__ == "__main__":
    main()
