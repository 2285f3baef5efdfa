"""One verification, from the input to the verdict."""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from agents.brokers import apache_kafka, embedded_broker
from agents.clock import WallClock
from agents.commands.compare import run_of
from agents.commands.replay import replay
from agents.demo.source import Outgoing, outgoing, read_recording
from agents.policy_input import load_policy_or_fail
from agents.settings import Settings, settings_from
from agents.snapshot import snapshot
from agents.topic_admin import create_topics
from agents.verify.live import Backlog, Place, Workers, arrivals, send, workers
from schemas.codec import JSONDecodeError, dumps, loads
from schemas.policy import PolicyDocument
from schemas.times import MINUTE, format_time
from streams.compare import Comparison, Run, Terms, compare
from streams.policy import compile_policy

SETTLE_TIMEOUT_S = 150.0
"""How long the live side may take to say what its timers owe, once the backlog is empty. Of channel gaps
a partition tells what has changed a minute later at the latest."""
SESSION_S = 6.0
"""How long a killed worker keeps its partitions: the least that Apache Kafka allows where it is not told otherwise."""
_KILL_AFTER_S = (0.1, 0.0, 0.3)
"""When after a share of the input a worker is killed: long enough to have begun, too short to be done."""
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """What to verify: at most `lines` of `source` under `policy`, on so many partitions and workers, with kills."""

    source: str
    policy: Path
    folder: Path
    lines: int | None = None
    partitions: int = 4
    workers: int = 1
    kills: int = 0
    broker: str = "embedded"
    """`embedded`, `kafka` for an Apache Kafka of our own, or host:port of one that is there."""


class Verdict(NamedTuple):
    """What came of it. `seconds`: from the first record to the empty backlog."""

    comparison: Comparison
    records: int
    seconds: float


def verify(plan: Plan, say: Say) -> Verdict:
    """Run the input through both sides and compare. Raises VerifyError, BrokerError, TopicError, BadInput."""
    plan.folder.mkdir(parents=True, exist_ok=True)
    records = shifted_records(plan.source, plan.lines)
    say(f"{len(records)} records, moved so that they end now")
    with _settings(plan, say) as settings:
        return asyncio.run(_verify(plan, settings, records, say))


async def _verify(plan: Plan, settings: Settings, records: Sequence[Outgoing], say: Say) -> Verdict:
    await create_topics(settings)
    document = load_policy_or_fail(str(plan.policy))
    environment = settings.environment() | {"MINDGAP_POLICY": str(plan.policy)}
    with workers(environment, plan.folder, plan.workers) as pool:
        await pool.ready()
        say(f"{plan.workers} workers ready; their logs are in {plan.folder}")
        started = time.monotonic()
        async with Backlog(settings) as backlog:
            places = await _feed(plan, settings, pool, records, say)
            say("all records are at the broker")
            await backlog.drained(pool)
        seconds = time.monotonic() - started
        until = WallClock().now()
        say(f"worked off in {seconds:.0f} s ({len(records) / seconds:.0f} records/s); replaying the same")
        arrived = await arrivals(settings, {record.topic for record in records}, places)
        write_input(plan.folder, records, arrived)
        replay_input(plan.folder, plan.policy, until)
        terms = Terms(compile_policy(document), until)
        return Verdict(await compare_live(settings, document, terms, plan.folder), len(records), seconds)


async def _feed(plan: Plan, settings: Settings, pool: Workers, records: Sequence[Outgoing], say: Say) -> list[Place]:
    """Send the records in equal shares; kill -9 the oldest worker after each but the last, in the midst of its work."""
    places: list[Place] = []
    share = -(-len(records) // (plan.kills + 1))
    for number in range(plan.kills + 1):
        places += await send(settings, records[number * share : (number + 1) * share])
        if number < plan.kills:
            await asyncio.sleep(_KILL_AFTER_S[number % len(_KILL_AFTER_S)])
            say(f"kill -9 of worker {pool.kill()}, another one starts")
            await pool.ready()
    return places


async def compare_live(settings: Settings, document: PolicyDocument, terms: Terms, folder: Path) -> Comparison:
    """Compare `folder`'s replay with the live side, until both agree, or that had its time to say what its timers owe.

    `document` is the policy of `terms`, as it was written.
    """
    limit = time.monotonic() + SETTLE_TIMEOUT_S
    while True:
        await snapshot(settings, document, terms.until, folder / "live")
        comparison = compare(run_of(folder / "replay"), run_of(folder / "live"), terms=terms)
        if comparison.agree or time.monotonic() > limit:
            return comparison
        await asyncio.sleep(1)


def replay_input(where: Path, policy: Path, until: int) -> None:
    """Replay what `write_input` has written into the folder `where`, up to `until` (ms)."""
    folder = where / "replay"
    folder.mkdir(exist_ok=True)
    arguments = ["--policy", str(policy), "--until", format_time(until)]
    for name in Run._fields:
        arguments += [f"--{name}", str(folder / f"{name}.jsonl")]
    replay.main([*arguments, str(where / "input.jsonl")], standalone_mode=False)


def shifted_records(source: str, lines: int | None) -> list[Outgoing]:
    """The first `lines` of a recording, all of them without, with their times moved so that it ended a minute ago."""
    recording = read_recording(source)
    if lines is not None:
        recording = type(recording)(recording.name, recording.lines[:lines])
    start = WallClock().now() - MINUTE - recording.span
    return [outgoing(line) for line in recording.shifted(start)]


def write_input(where: Path, records: Sequence[Outgoing], arrived: Sequence[int]) -> None:
    """Write what replay reads: the same records, as they arrived at the broker (ms)."""
    with (where / "input.jsonl").open("wb") as file:
        for record, at in zip(records, arrived, strict=True):
            topic = "interactions" if record.topic.startswith("interactions.") else record.topic
            try:
                line = {"topic": topic, "arrived_at": format_time(at), "value": loads(record.value)}
            except JSONDecodeError:
                file.write(record.value + b"\n")  # set aside on both sides
                continue
            file.write(dumps(line) + b"\n")


@contextmanager
def _settings(plan: Plan, say: Say) -> Iterator[Settings]:
    """A broker of our own for the length of the block, or one that is there, where all our topics have a new prefix."""
    common = {"partitions": plan.partitions, "session_s": SESSION_S}
    if plan.broker == "embedded":
        with embedded_broker() as url:
            say(f"embedded broker on {url}")
            yield settings_from({}, broker=url, broker_kind="embedded", **common)
    elif plan.broker == "kafka":
        with apache_kafka(folder=plan.folder / "kafka") as cluster:
            say(f"Apache Kafka on {cluster.address}")
            yield settings_from(cluster.environment(), **common)
    else:
        prefix = f"verify-{WallClock().now()}-"
        yield settings_from({}, broker=plan.broker, topic_prefix=prefix, **common)
