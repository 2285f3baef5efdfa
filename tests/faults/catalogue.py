"""Every fault by name, with what it needs, and how one run of it goes."""

import asyncio
import itertools
import random
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from agents.brokers import Cluster, apache_kafka
from agents.brokers.ports import lasting_ports
from agents.demo.source import Outgoing
from agents.settings import Settings, settings_from
from agents.verify.run import shifted_records
from schemas.codec import dumps
from schemas.times import DAY, parse_time
from streams.simulate import simulate
from tests.faults.on_brokers import BROKER_FAULTS
from tests.faults.on_records import RECORD_FAULTS
from tests.faults.on_redis import REDIS_FAULTS
from tests.faults.on_state import STATE_FAULTS
from tests.faults.on_workers import SHARE, WORKER_FAULTS, Fault
from tests.faults.proxy import proxy
from tests.faults.trial import FaultError, Trial, trial

ROOT = Path(__file__).resolve().parents[2]
ALONE = """
patterns: {spreading: {customers: 1000000}}
canned: {customers: 1000000}
identities: {limits: {customer_id: 1000, email: 1000, phone: 1000, handle: 1000}, max: 10000}
"""
"""Added to the default policy, because live and replay may differ there (docs/semantics.md): no pattern depends on other
customers, and no limit refuses an edge, which one depends on the order of arrival over partitions."""
START = parse_time("2026-06-01T04:00:00Z")
SESSION_S = 6.0
_numbers = itertools.count(1)


class Entry(NamedTuple):
    """A fault, and what it needs.

    `brokers`: how many; `shares`: how many of the input each time takes; `disk_mb`: on a disk of this size, which is to
    be full; `cut`: clients reach the broker through a proxy.
    """

    happen: Fault
    brokers: int = 1
    shares: int = 2
    disk_mb: int | None = None
    cut: bool = False


FAULTS: dict[str, Entry] = {
    **{name: Entry(happen) for name, happen in (WORKER_FAULTS | RECORD_FAULTS | STATE_FAULTS | REDIS_FAULTS).items()},
    **{name: Entry(WORKER_FAULTS[name], shares=1) for name in ("kill", "kill-two", "crash-between")},
    "oversleep": Entry(WORKER_FAULTS["oversleep"], shares=3),
    **{name: Entry(happen) for name, happen in BROKER_FAULTS.items()},
    **{name: Entry(BROKER_FAULTS[name], brokers=3) for name in ("broker-kill", "leader-change", "broker-cut-off")},
    "disk-full": Entry(BROKER_FAULTS["disk-full"], disk_mb=400),
    "connections-cut": Entry(BROKER_FAULTS["connections-cut"], cut=True),
}


def run(entry: Entry, times: int, chance: random.Random, folder: Path, cluster: Cluster | None = None) -> str:
    """Have it happen so many times in one run, on a cluster of its own if none is given; what was seen.

    Raises FaultError where something was lost, and whatever else went wrong.
    """
    with ExitStack() as stack:
        between = None
        if cluster is None:
            where = folder / "kafka"
            if entry.disk_mb is not None:
                stack.enter_context(disk(where, entry.disk_mb))
            if entry.cut:
                port, target = lasting_ports(2)
                between = stack.enter_context(proxy(port, target))
                told = {"advertised.listeners": f"CLIENT://127.0.0.1:{port}"}
                cluster = stack.enter_context(apache_kafka(folder=where, ports=(target,), properties=told))
            else:
                cluster = stack.enter_context(apache_kafka(entry.brokers, folder=where))
        settings = settings_on(cluster)
        policy = alone(folder)
        records = company(folder, chance.randrange(10_000), (times + 1) * entry.shares * SHARE)
        one = stack.enter_context(trial(cluster, settings, policy, folder / "trial", records, chance))
        one.proxy = between
        asyncio.run(_happen(entry, one, times))
        return _counted(one.seen) + f"{len(records)} records"


async def _happen(entry: Entry, one: Trial, times: int) -> None:
    await entry.happen(one, times)
    await one.agree()


@contextmanager
def disk(where: Path, megabytes: int) -> Iterator[None]:
    """A disk of its own at `where`, in memory."""
    where.mkdir(parents=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(where)]
    if subprocess.run(mount, check=False).returncode != 0:
        raise FaultError("a disk of its own is mounted, which needs root")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(where)], check=True)


def _counted(seen: list[str]) -> str:
    return "".join(f"{number} x {text}, " for text, number in Counter(seen).items())


def settings_on(cluster: Cluster) -> Settings:
    """Settings with a topic prefix that no other run uses."""
    prefix = f"fault{next(_numbers)}."
    return settings_from(cluster.environment(), topic_prefix=prefix, partitions=2, session_s=SESSION_S)


def alone(folder: Path) -> Path:
    """The policy that is delivered, but for what depends on other customers."""
    path = folder / "policy.yaml"
    path.write_text((ROOT / "deploy/policy/default.yaml").read_text() + ALONE)
    return path


def company(folder: Path, seed: int, count: int) -> list[Outgoing]:
    """So many records of a simulated company, the last a minute ago: links, merges, public threads, late events."""
    customers = max(30, count // 12)
    lines = list(itertools.islice(simulate(seed, START, 20 * DAY, customers), count))
    path = folder / "simulated.jsonl"
    path.write_bytes(b"".join(dumps(line.as_record()) + b"\n" for line in lines))
    return shifted_records(str(path), None)
