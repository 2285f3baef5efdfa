"""The demo from beginning to end: broker, topics, worker, feed, what comes out, summary."""

import asyncio
import logging
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agents.brokers import embedded_broker
from agents.demo.feed import Feed
from agents.demo.intake import Intake
from agents.demo.pace import Pace
from agents.demo.processes import PROGRAM, WorkerError, WorkerProcess, worker_process
from agents.demo.screen import Screen
from agents.demo.source import Feedable, Outgoing
from agents.demo.summary import Fed, closing
from agents.demo.tally import GapTally, Tally
from agents.demo.watch import Watch
from agents.demo.words import count, moment, span
from agents.settings import Settings, settings_from
from agents.topic_admin import create_topics
from schemas.times import SECOND
from streams.gap_estimate import GapEstimate
from topics.table import DEAD, ESCALATIONS

PARTITIONS = 4
TOPICS_TIMEOUT_S = 30.0
INTAKE_TIMEOUT_S = 30.0
FEED_MIN_S = 5.0
"""The least time that the stream runs, however long the start has taken."""
ENDING_S = 6.0
"""What the ending takes of the time that was asked for."""
_SHOW_S = 1.0
_FOLLOW_S = 0.05
_STOP_S = 20.0
_QUIET_S = 1.2
_QUIET_LIMIT_S = 6.0


@dataclass(frozen=True, slots=True)
class Plan:
    """What to play: `lines` from `start` (virtual ms) at `speed`, for about `seconds` of real time in all."""

    lines: Callable[[], Iterator[Feedable]]
    start: int
    speed: float
    seconds: float | None
    policy: Path
    is_public: Callable[[str], bool]
    about: str


@dataclass(slots=True)
class Demo:
    """One run and all that it has seen."""

    plan: Plan
    screen: Screen
    partitions: int = PARTITIONS
    program: Sequence[str] = PROGRAM
    begun: float = field(default_factory=time.monotonic)
    tally: Tally = field(default_factory=Tally)
    windows: GapTally = field(default_factory=GapTally)
    pace: Pace = field(default_factory=Pace)
    dead: Counter[str] = field(default_factory=Counter)
    intake: Intake = field(default_factory=Intake)
    gap: GapEstimate = field(default_factory=GapEstimate)
    feed: Feed | None = None
    fed_s: float = 0.0
    folder: Path | None = None
    """Where the logs are."""
    followed: int = 0
    """The virtual time (ms) that the worker was told."""

    def run(self) -> None:
        """Play. Raises BrokerError, TopicError, WorkerError, FeedError; KeyboardInterrupt after a clean end."""
        self.gap.is_public = self.plan.is_public
        self.folder = folder = Path(tempfile.mkdtemp(prefix="mindgap-demo-"))
        self.screen.step(f"{self.plan.about}, from {moment(self.plan.start)} UTC, {_pace(self.plan.speed)}")
        with self.screen:
            self.screen.status("starting the broker")
            with _quietly(folder / "demo.log"), _embedded_broker(folder) as address:
                self.screen.step(f"broker up on {address}")
                asyncio.run(self._with_broker(address, folder))

    async def _with_broker(self, address: str, folder: Path) -> None:
        task = asyncio.current_task()
        assert task is not None
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        settings = settings_from(
            {}, broker=address, broker_kind="embedded", partitions=self.partitions, policy=self.plan.policy
        )
        self.screen.status("creating topics")
        async with asyncio.timeout(TOPICS_TIMEOUT_S):
            created = await create_topics(settings)
        self.screen.step(f"{count(len(created), 'topic')} created, {count(self.partitions, 'partition')} each")
        log = folder / "worker.log"
        plan, environment = self.plan, _environment(settings)
        with worker_process(environment, plan.start, plan.speed, log, self.program) as worker:
            self.screen.status("the worker joins its group and recovers its tables")
            async with Watch(settings, self._take) as watch:
                await worker.ready()
                took = time.monotonic() - self.begun
                self.screen.step(f"worker ready after {took:.1f} s; its log: {log}")
                self.screen.say("")
                await self._play(settings, worker, watch)
            self.screen.status("ending")

    async def _play(self, settings: Settings, worker: WorkerProcess, watch: Watch) -> None:
        plan = self.plan
        self.feed = Feed(settings, plan.lines(), plan.start, plan.speed, self.intake, self._look)
        following = asyncio.create_task(self._follow(worker), name="follow")
        showing = asyncio.create_task(self._show(worker, watch), name="show")
        feeding = asyncio.create_task(self._feed(worker, watch), name="feed")
        tasks = {following, showing, feeding}
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks, timeout=_STOP_S)
            self._print()

    async def _feed(self, worker: WorkerProcess, watch: Watch) -> None:
        """Feed, then let the worker take in the rest, then let its last words come."""
        assert self.feed is not None
        begun = time.monotonic()
        left = float("inf")
        if self.plan.seconds is not None:
            left = max(FEED_MIN_S, self.plan.seconds - (begun - self.begun) - ENDING_S)
        try:
            await self.feed.run(left)
        finally:
            self.fed_s = time.monotonic() - begun
        await self._taken_in(self.feed, worker)
        await watch.quiet(_QUIET_S, _QUIET_LIMIT_S)

    async def _taken_in(self, feed: Feed, worker: WorkerProcess) -> None:
        """Return when the worker has taken in all that was fed; WorkerError where it makes no headway."""
        taken, since = -1, 0.0
        while self.followed < feed.position:
            if taken != self.intake.taken:
                taken, since = self.intake.taken, time.monotonic()
            elif time.monotonic() - since > INTAKE_TIMEOUT_S:
                total = feed.events + feed.links
                msg = f"the worker has stopped at {taken:,} of {total:,} records; its log is {worker.log}"
                raise WorkerError(msg)
            await asyncio.sleep(_FOLLOW_S)

    async def _follow(self, worker: WorkerProcess) -> None:
        """Tell the worker the time, as far as it has taken in what was fed."""
        while True:
            sample = await worker.counts()
            at = self.intake.sample(sample) if sample is not None else None
            if at is not None:
                self.followed = at
                worker.tell(at)
            await asyncio.sleep(_FOLLOW_S)

    async def _show(self, worker: WorkerProcess, watch: Watch) -> None:
        while True:
            await asyncio.sleep(_SHOW_S)
            worker.check()
            watch.check()
            self._print()

    def _print(self) -> None:
        for line in self.pace.show():
            self.screen.say(line)
        if self.feed is not None:
            self.screen.status(
                f"{moment(self.feed.position)}  {count(self.feed.events, 'event')}, "
                f"{count(self.tally.escalations, 'escalation')}, {self.tally.open:,} open"
            )

    def _take(self, topic: str, record: dict[str, Any]) -> None:
        if topic == DEAD:
            self.dead[str(record.get("reason"))] += 1
        elif topic != ESCALATIONS:
            self.windows.add(record)
        elif self.tally.add(record):
            self.pace.add(record)

    def _look(self, line: Feedable) -> None:
        if isinstance(line, Outgoing):
            return
        try:
            self.gap.add(line.value)
        except (KeyError, TypeError, ValueError, AttributeError):
            return  # not an interaction: the processor sets it aside, and says so

    def summary(self) -> None:
        """Print the closing summary of what was played so far."""
        if self.feed is None or not self.feed.events:
            return
        fed = Fed(self.feed.events, self.feed.links, self.feed.position - self.plan.start, self.fed_s)
        self.screen.say(closing(fed, self.tally, self.gap.gap(), self.windows, self.dead))


@contextmanager
def _embedded_broker(folder: Path) -> Iterator[str]:
    """The broker, deaf to Ctrl-C, which a terminal sends to every process: what is in hand is put down first."""
    with ExitStack() as stack:
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            address = stack.enter_context(embedded_broker(log_dir=folder))
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        yield address


@contextmanager
def _quietly(log: Path) -> Iterator[None]:
    """What libraries log goes to a file, not to the screen."""
    root, handler = logging.getLogger(), logging.FileHandler(log, delay=True)
    root.addHandler(handler)
    try:
        yield
    finally:
        root.removeHandler(handler)
        handler.close()


def _environment(settings: Settings) -> dict[str, str]:
    """The settings, as the worker's environment; nothing that the user set for another deployment stays."""
    return {
        "MINDGAP_ENV": "development",
        "MINDGAP_BROKER": settings.broker,
        "MINDGAP_BROKER_KIND": settings.broker_kind,
        "MINDGAP_TOPIC_PREFIX": settings.topic_prefix,
        "MINDGAP_PARTITIONS": str(settings.partitions),
        "MINDGAP_POLICY": str(settings.policy),
        "MINDGAP_LOG_FORMAT": "json",
        "MINDGAP_WEB_ENABLED": "true",
        "MINDGAP_SECURITY_PROTOCOL": "PLAINTEXT",
        "MINDGAP_INSTANCE_ID": "",
    }


def _pace(speed: float) -> str:
    return f"{span(speed * SECOND)} a second"
