"""What it costs to write customers' states: `python -m tests.bench.produce` (Apache Kafka, by `make up`'s means).

The states are those of a soak's customers, made by the core. Each way of writing takes its turn in every round, so that
the rounds' ratios are of things measured side by side; their medians count.
"""

import argparse
import asyncio
import tempfile
import time
from pathlib import Path
from statistics import mean, median

from aiokafka import AIOKafkaProducer
from rich.console import Console
from rich.table import Table

from agents.brokers import apache_kafka
from agents.connection import client_options
from agents.settings import Settings, settings_from
from agents.topic_admin import create_topics
from agents.worker.app import PRODUCE_BATCH_BYTES, PRODUCE_BYTES_MAX
from streams.effects import Record
from streams.policy import compile_policy
from streams.policy_file import read_policy
from tests.bench.recovery import Stores, apply, make_node
from tests.soak.feed import Feed
from tests.soak.policy import POLICY
from topics.table import physical

ROUNDS = 7
STATES = 400
BATCH = 100
RATE = 20.0
"""Records per second of the feed."""
FAUST_BATCH_BYTES = 16_384
WAYS: tuple[tuple[str, int, str | None], ...] = (
    ("batches of 16 KiB, as Faust's default is", FAUST_BATCH_BYTES, None),
    ("batches of 256 KiB", PRODUCE_BATCH_BYTES, None),
    ("the same, snappy", PRODUCE_BATCH_BYTES, "snappy"),
    ("the same, lz4", PRODUCE_BATCH_BYTES, "lz4"),
    ("the same, zstd", PRODUCE_BATCH_BYTES, "zstd"),
    ("the same, gzip", PRODUCE_BATCH_BYTES, "gzip"),
)


def states(lines: int, customers: int) -> list[tuple[bytes, bytes]]:
    """Keys and values of the customers that so many lines of a soak's feed lead to; the largest `STATES` of them."""
    feed, stores, now = Feed(1, customers, RATE), Stores({}, {}), 1_800_000_000_000
    node = make_node(compile_policy(read_policy(POLICY, "soak")), stores)
    for first in range(0, lines, BATCH):
        arrivals = [now + round(n / RATE * 1000) for n in range(first, first + BATCH)]
        records = [Record(sent.topic, sent.key, sent.value, sent.at) for sent in feed.take(arrivals)]
        apply(stores, node.handle(records, arrivals[-1]))
        while node.next_wake is not None and node.next_wake <= arrivals[-1]:
            apply(stores, node.wake(arrivals[-1]))
    return sorted(stores.customers.items(), key=lambda item: len(item[1]))[-STATES:]


async def write(settings: Settings, values: list[tuple[bytes, bytes]], most: int, codec: str | None) -> float:
    """Seconds until all are confirmed, on one partition, from an idempotent producer as a worker's is."""
    topic = physical(settings.topic_prefix, "changelog.customers")
    async with AIOKafkaProducer(
        acks="all",
        enable_idempotence=True,
        max_batch_size=most,
        max_request_size=PRODUCE_BYTES_MAX,
        compression_type=codec,
        **client_options(settings),
    ) as producer:
        await producer.send_and_wait(topic, b"", key=b"first", partition=0)
        started = time.perf_counter()
        await asyncio.gather(*[await producer.send(topic, value, key=key, partition=0) for key, value in values])
        return time.perf_counter() - started


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.produce", description=__doc__)
    parser.add_argument("--lines", type=int, default=6_000, help="records of the feed that the states come from")
    given = parser.parse_args()
    values = states(given.lines, 300)
    seconds: dict[str, list[float]] = {name: [] for name, _, _ in WAYS}
    stored: dict[str, int] = {}
    with tempfile.TemporaryDirectory() as folder, apache_kafka(folder=Path(folder)) as cluster:
        places = {
            name: settings_from(cluster.environment(), topic_prefix=f"w{n}.") for n, (name, *_) in enumerate(WAYS)
        }
        for settings in places.values():
            asyncio.run(create_topics(settings))
        for _ in range(ROUNDS):
            for name, most, codec in WAYS:
                seconds[name].append(asyncio.run(write(places[name], values, most, codec)))
        for name, settings in places.items():
            files = cluster.brokers[0].data.glob(f"{settings.topic_prefix}changelog.customers-0/*.log")
            stored[name] = sum(file.stat().st_size for file in files)
    table = Table(title=f"{len(values)} states of {mean(len(value) for _, value in values) / 1024:.1f} KiB")
    for column in ("", "ms", "ratio", "bytes on the broker, ratio"):
        table.add_column(column, justify="left" if not column else "right")
    first = WAYS[0][0]
    for name, _, _ in WAYS:
        took, base = median(seconds[name]), median(seconds[first])
        table.add_row(name, f"{took * 1e3:.0f}", f"{took / base:.2f}", f"{stored[name] / stored[first]:.2f}")
    Console().print(table)


if __name__ == "__main__":
    main()
