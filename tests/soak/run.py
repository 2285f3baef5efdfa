"""One soak: a burst, the rate that is kept up with, then half of it for minutes on end, with a kill -9 now and then."""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from agents.brokers import apache_kafka, embedded_broker
from agents.clock import WallClock
from agents.commands.compare import run_of
from agents.demo.source import Outgoing
from agents.policy_input import load_policy_or_fail
from agents.read_all import read_all
from agents.settings import Settings, settings_from
from agents.snapshot import snapshot
from agents.topic_admin import create_topics
from agents.verify.live import Backlog, Place, VerifyError, Workers, arrivals, send, workers
from agents.verify.run import replay_input, write_input
from schemas.codec import loads
from schemas.times import SECOND, parse_time
from streams.compare import Comparison, Terms, compare
from streams.policy import compile_policy
from tests.soak.feed import Feed
from tests.soak.logs import loud
from tests.soak.memory import Changelogs, resident_bytes
from tests.soak.policy import POLICY
from tests.soak.remains import keep_remains
from topics.table import DEAD, ESCALATIONS

PIECE_S = 0.5
SAMPLE_S = 5.0
NEARLY_TIMEOUT_S = 600.0
TAIL = 0.02
"""The part of a burst that its rate is not measured by."""
TIME_COSTS = 3.0
"""So many times what is kept up with a burst is worked off at, before anything is known."""
STEPS_MAX = 12
KEPT_UP_S = 2.0
"""A rate is kept up with where at some moment of a step's last third no more than so many seconds of the feed are left."""
IN_TIME_S = 8.0
"""So long nearly nothing is left where time has come up with the clock: it stands still before that, and then leaps. What
is said after the leap tells of all of it, so nobody could tell what was known at an instant within."""
SETTLE_TIMEOUT_S = 150.0
READY_TRIES = 3
GUESS = 400.0
"""Of the rate (records per second), until it is known."""
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """How long and how hard. `rate`: records per second; None for half of the top rate, which is looked for."""

    folder: Path
    minutes: float = 30.0
    customers: int = 10_000
    rate: float | None = None
    burst: int = 10_000
    step_s: float = 180.0
    """How long each rate is tried while the top rate is looked for: most of the policy's deadlines pass meanwhile."""
    step_factor: float = 1.15
    """By how much the next one differs."""
    top_at_end: bool = False
    """Look for it once more, with all the histories."""
    kill_every_s: float = 60.0
    workers: int = 2
    partitions: int = 4
    broker: str = "embedded"
    seed: int = 1
    session_s: float = 6.0
    """How long a killed worker keeps its partitions; a machine that is busy with other things needs longer."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One look. `at` in ms, `second` of the soak; `backlog` in records; `survivor`, `all` and `state` in bytes.

    The first two are memory, of the worker that is never killed and of all; the last is what stands in the changelogs.
    """

    at: int
    second: float
    backlog: int
    survivor: int
    all: int
    state: int


@dataclass(slots=True)
class Soaked:
    """What was seen."""

    burst: float = 0.0
    """Records per second at which the burst was worked off, in the beginning, when nobody had a history."""
    top: float = 0.0
    """Records per second that were kept up with after it,"""
    top_at_end: float = 0.0
    """and in the end."""
    rate: float = 0.0
    kills: int = 0
    records: list[Outgoing] = field(default_factory=list)
    places: list[Place] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)
    before_kill: list[int] = field(default_factory=list)
    """The backlog right before each kill but the first, and at the end of the feed: what is left of the one before."""
    written: int = 0
    """Bytes, to the changelogs."""
    keys: int = 0
    """Customers, with what they were called before."""
    set_aside: int = 0
    """Records among the dead letters."""
    logged: Counter[str] = field(default_factory=Counter)
    """How often the workers logged which warning or error."""
    mid: Sample | None = None
    comparison: Comparison | None = None


def soak(plan: Plan, say: Say) -> Soaked:
    """Run it. Raises VerifyError, BrokerError, TopicError."""
    plan.folder.mkdir(parents=True, exist_ok=True)
    (plan.folder / "policy.yaml").write_text(POLICY)
    with _broker(plan) as settings:
        return asyncio.run(_Soak(plan, settings, say).run())


@contextmanager
def _broker(plan: Plan) -> Iterator[Settings]:
    common = {"partitions": plan.partitions, "session_s": plan.session_s}
    if plan.broker == "kafka":
        with apache_kafka(folder=plan.folder / "kafka") as cluster:
            yield settings_from(cluster.environment(), **common)
    else:
        with embedded_broker() as url:
            yield settings_from({}, broker=url, broker_kind="embedded", **common)


async def _ready(pool: Workers) -> None:
    """On a machine that is busy with other things a start may take its time; the backlog tells what it cost."""
    for _ in range(READY_TRIES - 1):
        with contextlib.suppress(VerifyError):
            return await pool.ready()
        pool.check()
    return await pool.ready()


async def _wait_for_it(_second: float) -> None:
    """Nothing is looked at meanwhile."""


class _Soak:
    def __init__(self, plan: Plan, settings: Settings, say: Say) -> None:
        self.plan = plan
        self.settings = settings
        self.say = say
        self.seen = Soaked()
        self.clock = WallClock()
        self.started = 0.0
        self.changelogs = Changelogs(settings)

    async def run(self) -> Soaked:
        plan, seen = self.plan, self.seen
        await create_topics(self.settings)
        with workers(self._environment(), plan.folder, plan.workers) as pool:
            await pool.ready()
            async with Backlog(self.settings) as backlog, self.changelogs.followed():
                feed = await self._burst(pool, backlog)
                if plan.rate is None:
                    seen.top = await self._top(feed, pool, backlog, seen.burst / TIME_COSTS)
                    self.say(f"top rate {seen.top:.0f} records/s with {plan.workers} workers")
                seen.rate = plan.rate or seen.top / 2
                feed.runs_at(seen.rate)
                self.say(f"fed at {seen.rate:.0f} records/s")
                if plan.rate is None:  # what came faster than can be kept up with has its deadlines still before it
                    await self._paced(feed, seen.rate, plan.step_s, _wait_for_it)
                await self._feed(feed, pool, backlog)
                if plan.top_at_end:
                    await self._nearly(pool, backlog, seen.rate)
                    seen.top_at_end = await self._top(feed, pool, backlog, seen.top or seen.rate)
                await self._nearly(pool, backlog, seen.rate, lasting_s=IN_TIME_S)
                until = self.clock.now()
                self.say(f"{len(seen.records)} records worked off, {seen.kills} kills")
                await self.changelogs.to_the_end()
                seen.written, seen.keys = self.changelogs.written, self.changelogs.customers
                self.say("replaying the same")
                arrived = await arrivals(self.settings, {record.topic for record in seen.records}, seen.places)
                write_input(plan.folder, seen.records, arrived)
                await asyncio.to_thread(replay_input, plan.folder, plan.folder / "policy.yaml", until)
                seen.comparison = await self._compare(until)
                seen.set_aside = len([record async for record in read_all(self.settings, DEAD)])
                seen.logged = loud(plan.folder)
                if not seen.comparison.agree:
                    self.say(f"ended with: {[each.poll() for each in pool.running]}; left:")
                    left = await backlog.left()
                    for partition, (begin, end) in left.items():
                        self.say(f"  {partition.topic} {partition.partition}: {begin} to {end}")
                    await keep_remains(self.settings, left, plan.folder)
        return seen

    def _environment(self) -> dict[str, str]:
        return self.settings.environment() | {"MINDGAP_POLICY": str(self.plan.folder / "policy.yaml")}

    async def _burst(self, pool: Workers, backlog: Backlog) -> Feed:
        """Send many records at once, which makes histories: how fast they are worked off while time stands still."""
        plan, now = self.plan, self.clock.now()
        feed = Feed(plan.seed, plan.customers, GUESS)
        begin = now - plan.burst / GUESS * 1000
        started = time.monotonic()
        await self._send(feed.take([round(begin + (now - begin) * i / plan.burst) for i in range(plan.burst)]))
        left = await self._nearly(pool, backlog, plan.burst * TAIL)
        self.seen.burst = (plan.burst - left) / (time.monotonic() - started)
        self.say(f"a burst was worked off at {self.seen.burst:.0f} records/s")
        return feed

    async def _top(self, feed: Feed, pool: Workers, backlog: Backlog, guess: float) -> float:
        """The highest rate (records per second) that is kept up with, with all that time leads to meanwhile.

        A burst shows more than can be kept up, for time stands still until it is worked off. This is the sustainable
        throughput of Karimov et al., Benchmarking distributed stream data processing systems, ICDE 2018.
        """
        rate, kept_up, too_fast = guess, 0.0, False
        for _ in range(STEPS_MAX):
            if await self._keeps_up(feed, pool, backlog, rate):
                kept_up = rate
            else:
                too_fast = True
            if kept_up and too_fast:
                break
            rate = rate * self.plan.step_factor if kept_up else rate / self.plan.step_factor
        if not kept_up:
            raise VerifyError(f"the workers do not keep up with {rate:.0f} records/s, nor with more")
        return kept_up

    async def _keeps_up(self, feed: Feed, pool: Workers, backlog: Backlog, rate: float) -> bool:
        step_s, least = self.plan.step_s, float("inf")

        async def look(second: float) -> None:
            nonlocal least
            if second > step_s * 2 / 3:
                least = min(least, await backlog.size())

        feed.runs_at(rate)
        await self._paced(feed, rate, step_s, look)
        self.say(f"at {rate:.0f} records/s {least:.0f} are left ({least / rate:.1f} s)")
        await self._nearly(pool, backlog, rate)
        return least <= KEPT_UP_S * rate

    async def _nearly(self, pool: Workers, backlog: Backlog, most: float, lasting_s: float = 0.0) -> int:
        """Wait until no more than `most` are left, for so long; how many are.

        What timers say keeps it from being none for long.
        """
        limit = time.monotonic() + NEARLY_TIMEOUT_S
        since = time.monotonic()
        while (left := await backlog.size()) > most or time.monotonic() < since + lasting_s:
            pool.check()
            if left > most:
                since = time.monotonic()
            if time.monotonic() > limit:
                raise VerifyError(f"{left} records were left after {NEARLY_TIMEOUT_S:.0f} s")
            await asyncio.sleep(PIECE_S / 2)
        return left

    async def _paced(self, feed: Feed, rate: float, seconds: float, each: Callable[[float], Awaitable[None]]) -> None:
        """Feed for so long at a rate, in pieces; `each` is told the second after each."""
        begin, started, sent = self.clock.now(), time.monotonic(), 0
        while (second := time.monotonic() - started) < seconds:
            due = int(second * rate)
            await self._send(feed.take([begin + round(n / rate * 1000) for n in range(sent, due)]))
            sent = due
            await each(second)
            await asyncio.sleep(max(0.0, PIECE_S - (time.monotonic() - started - second)))

    async def _feed(self, feed: Feed, pool: Workers, backlog: Backlog) -> None:
        plan, seen = self.plan, self.seen
        survivor = pool.running[0]
        self.started = time.monotonic()
        end = plan.minutes * 60
        sampling = asyncio.create_task(self._sample(pool, backlog, survivor.pid))
        next_kill = min(plan.kill_every_s, end / 3)
        ready: asyncio.Task[None] | None = None

        async def kill_in_time(second: float) -> None:
            nonlocal next_kill, ready
            if second >= next_kill and (ready is None or ready.done()):
                next_kill = second + plan.kill_every_s
                ready = await self._kill(pool, survivor, ready)

        try:
            await self._paced(feed, seen.rate, end, kill_in_time)
            if ready is not None:
                await ready
            seen.before_kill.append(seen.samples[-1].backlog if seen.samples else 0)
        finally:
            sampling.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await sampling
        seen.mid = next((each for each in seen.samples if each.second >= end / 2), None)

    async def _kill(self, pool: Workers, survivor: object, ready: "asyncio.Task[None] | None") -> "asyncio.Task[None]":
        """Kill -9 of the oldest but one: the survivor's memory is looked at over the whole time."""
        if ready is not None:
            await ready
            self.seen.before_kill.append(self.seen.samples[-1].backlog)
        pool.check()
        if pool.running[0] is survivor and len(pool.running) > 1:
            pool.running.append(pool.running.pop(0))
        pool.kill()
        self.seen.kills += 1
        return asyncio.create_task(_ready(pool))

    async def _sample(self, pool: Workers, backlog: Backlog, survivor: int) -> None:
        while True:
            size = await backlog.size()
            memory = sum(resident_bytes(process.pid) for process in pool.running)
            second, state = time.monotonic() - self.started, self.changelogs.state
            sample = Sample(self.clock.now(), second, size, resident_bytes(survivor), memory, state)
            self.seen.samples.append(sample)
            if len(self.seen.samples) % 6 == 0:
                mib = sample.survivor / 2**20
                self.say(f"{second:6.0f} s: {len(self.seen.records)} sent, backlog {size}, survivor {mib:.0f} MiB")
            await asyncio.sleep(SAMPLE_S)

    async def _send(self, records: list[Outgoing]) -> None:
        self.seen.places += await send(self.settings, records)
        self.seen.records += records

    async def _compare(self, until: int) -> Comparison:
        document = load_policy_or_fail(str(self.plan.folder / "policy.yaml"))
        limit = time.monotonic() + SETTLE_TIMEOUT_S
        terms = Terms(compile_policy(document), until)
        while True:
            await snapshot(self.settings, document, until, self.plan.folder / "live")
            await self._said(until, self.plan.folder / "live" / "escalations.jsonl")
            comparison = compare(run_of(self.plan.folder / "replay"), run_of(self.plan.folder / "live"), terms=terms)
            if comparison.agree or time.monotonic() > limit:
                return comparison
            await asyncio.sleep(1)

    async def _said(self, until: int, path: Path) -> None:
        """Write what was said of what was true by `until`: live it takes a moment longer until that is said."""
        with path.open("wb") as file:
            async for record in read_all(self.settings, ESCALATIONS):
                value = loads(record.value)
                if parse_time(value["detected_at"]) - value["detection_lag_s"] * SECOND <= until:
                    file.write(record.value + b"\n")
