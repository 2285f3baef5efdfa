"""One run from a seed: processes, a broker, traffic and faults, until everything has settled."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from random import Random
from typing import Any

from faust.types import TP

from agents.settings import settings_from
from agents.worker.terms import term_of
from schemas.codec import dumps
from schemas.times import MINUTE, parse_time
from streams.policy import compile_policy
from streams.policy_file import read_policy_value
from tests.shellsim.broker import Broker, Log
from tests.shellsim.confirmed import Confirmed
from tests.shellsim.group import Group
from tests.shellsim.loop import StuckError, VirtualLoop, within
from tests.shellsim.owners import Owners
from tests.shellsim.plan import FAULTS_UNTIL_S, TRAFFIC_S, Fault, Plan, plan_of
from tests.shellsim.process import Process, Surroundings
from tests.shellsim.producer import Mishaps
from tests.shellsim.seams import replaced
from tests.shellsim.traffic import LAST_DEADLINE, NEWER, POLICY, TOPICS, Item, traffic
from topics.table import COMMANDS, INBOXES, POLICIES

START = parse_time("2026-06-08T13:00:00Z")
SPEED = MINUTE
"""Ms of the clock in a second of the loop."""
SETTLED_WITHIN_S = 120.0
_QUIET = Mishaps()


@dataclass
class Clock:
    """The clock port on the loop's time."""

    loop: VirtualLoop

    def now(self) -> int:
        """Ms since the epoch."""
        return time_of(self.loop.time())

    def wall_seconds(self, duration: int) -> float:
        """Seconds of the loop."""
        return duration / SPEED


def time_of(seconds: float) -> int:
    """What the clock shows at a second of the loop."""
    return START + int(seconds * SPEED)


class World:
    """`run` lets it all happen; the rest is there to be looked at."""

    def __init__(self, seed: int, plan: Plan | None = None) -> None:
        self.seed = seed
        self.plan = plan or plan_of(Random(f"{seed} plan"))
        self.loop = VirtualLoop(Random(f"{seed} order"), self.plan.disorder)
        self.clock = Clock(self.loop)
        self.broker = Broker(self.loop, Random(f"{seed} network"), self.clock.now, self.plan.network)
        self.group = Group(self.loop, Random(f"{seed} group"), self.plan.partitions, self.plan.session_s, 2.5)
        self.topics = (*TOPICS, COMMANDS, *INBOXES)
        self.policy = POLICY | {"watermark": {"max_stall": self.plan.max_stall}}
        self.around = Surroundings(
            self.broker,
            self.group,
            self.clock,
            _settings(self.plan),
            compile_policy(read_policy_value(self.policy, "simulation")),
            self.topics,
            Mishaps(),
            Random(f"{seed} producers"),
        )
        self.random = Random(f"{seed} faults")
        self.items = traffic(Random(f"{seed} traffic"), self.plan, time_of)
        self.until = time_of(TRAFFIC_S) + LAST_DEADLINE
        self.workers: list[Process | None] = []
        self.lives: list[Process] = []
        self.story: list[str] = []
        self.confirmed = Confirmed(self.broker, self.group, self.around.faults)
        self.owners = Owners(self.broker, self.group, self.around.faults)

    def run(self) -> None:
        """Let it happen. Raises AssertionError where it does not come to an end."""
        with replaced(Random(f"{self.seed} names"), self.tell, self.owners):
            try:
                self.loop.run_until_complete(self._all())
            finally:
                self.broker.closed = True
                self.around.faults += self.loop.failures()
                self.around.faults += [f"in the loop: {problem.get('exception')!r}" for problem in self.loop.problems]
                self.loop.problems = []
                self.loop.finish()

    def tell(self, what: str) -> None:
        """Note something for the story of this run."""
        self.story.append(f"{self.loop.time():9.3f} {what}")

    def fingerprint(self) -> bytes:
        """Of every record that was ever appended and is still there; equal runs, equal fingerprints."""
        digest = blake2b(digest_size=16)
        for tp, log in sorted(self.broker.logs.items()):
            for record in log.records:
                digest.update(repr((tp, record.offset, record.timestamp, record.key, record.value)).encode())
        return digest.digest()

    # -- what happens -------------------------------------------------------------------------------------------

    async def _all(self) -> None:
        for number in range(self.plan.workers):
            self.workers.append(None)
            self._start(number)
        for item in self.items:
            self.loop.call_at(item.at_s, self._send, item)
        for fault in self.plan.faults:
            self.loop.call_at(fault.at_s, self._begin, fault)
        await asyncio.sleep(max(TRAFFIC_S, FAULTS_UNTIL_S))
        self._heal()
        limit = self.loop.time() + SETTLED_WITHIN_S
        while (waiting := self._waiting_for()) is not None:
            if self.loop.time() > limit:
                raise StuckError(f"not settled within {SETTLED_WITHIN_S:.0f} s: {waiting}")
            await asyncio.sleep(0.5)
        for log in self._changelogs():
            log.compact(log.end)  # what is judged is the least that compaction may leave in the end

    def _send(self, item: Item) -> None:
        record = self.broker.append(TP(item.topic, item.partition), item.key, item.value)
        self.tell(f"> {item.topic}/{item.partition}:{record.offset} {item.value.decode()}")

    def _start(self, number: int) -> None:
        if self.workers[number] is not None and self.workers[number].alive:
            return
        process = Process(f"w{number}.{len(self.lives)}", self.around)
        self.lives.append(process)
        self.loop.know(process)
        self.workers[number] = process
        self.tell(f"{process.name} starts")
        process.start()

    def _begin(self, fault: Fault) -> None:
        process = self.workers[fault.worker]
        if fault.what in ("stall", "mishaps", "compact", "policy", "add"):
            getattr(self, f"_{fault.what}")(fault)
        elif process is None or not process.alive:
            return
        elif fault.steps and fault.what in ("kill", "stop"):
            process.trip = (process.steps + fault.steps, lambda: self._strike(fault, process))
        else:
            self._strike(fault, process)

    def _strike(self, fault: Fault, process: Process) -> None:
        if not process.alive or process.stopped:
            return
        self.tell(f"{process.name}: {fault.what} for {fault.for_s:.1f} s")
        with within(None):
            if fault.what == "kill":
                process.dead = True
                self.loop.call_later(fault.for_s, self._start, fault.worker)
            elif fault.what == "stop":
                process.stopped = True
                self.loop.call_later(fault.for_s, self._go_on, process)
            elif fault.what == "cut":
                self.broker.cut_off[process] = self.loop.time() + fault.for_s
            else:
                with within(process):
                    ending = process.spawn(process.terminate())
                ending.add_done_callback(lambda _: self._start(fault.worker))

    def _go_on(self, process: Process) -> None:
        if process.stopped:
            self.tell(f"{process.name} goes on")
            self.loop.resume(process)

    def _stall(self, fault: Fault) -> None:
        self.tell(f"the broker stalls for {fault.for_s:.1f} s")
        self.broker.stalled_until = max(self.broker.stalled_until, self.loop.time() + fault.for_s)

    def _mishaps(self, fault: Fault) -> None:
        self.tell(f"sends go wrong for {fault.for_s:.1f} s: {self.plan.mishaps}")
        vars(self.around.mishaps).update(vars(self.plan.mishaps))
        self.loop.call_later(fault.for_s, lambda: vars(self.around.mishaps).update(vars(_QUIET)))

    def _compact(self, fault: Fault) -> None:
        """What is older than a few seconds."""
        before = time_of(self.loop.time() - 1 - fault.for_s)
        self.tell("changelogs are compacted")
        for log in self._changelogs():
            newest = next((record.offset for record in log.records if record.timestamp >= before), log.end)
            log.compact(min(newest, _closed(log)))

    def _changelogs(self) -> Iterator[Log]:
        return (log for tp, log in self.broker.logs.items() if tp.topic.startswith("changelog."))

    def _policy(self, _: Fault) -> None:
        self.tell("a newer policy")
        self.broker.append(TP(POLICIES, 0), b"2", dumps(NEWER | {"watermark": {"max_stall": self.plan.max_stall}}))

    def _add(self, fault: Fault) -> None:
        self.workers.append(None)
        self._start(len(self.workers) - 1)

    def _heal(self) -> None:
        self.tell("no more faults")
        vars(self.around.mishaps).update(vars(_QUIET))
        self.broker.stalled_until = 0.0
        self.broker.cut_off.clear()
        self.broker.network = self.broker.network.__class__()
        for number, process in enumerate(self.workers):
            if process is not None:
                process.trip = None
                self._go_on(process)
            self._start(number)

    # -- has it settled? ----------------------------------------------------------------------------------------

    def _waiting_for(self) -> Any:
        """What has still to happen; None where all is settled."""
        if self.group.preparing:
            return "the group shares out"
        for tp, log in self.broker.logs.items():
            if tp.topic in self.topics and self.group.committed.get(tp, 0) < log.end:
                return f"{tp.topic}/{tp.partition} is committed to {self.group.committed.get(tp, 0)} of {log.end}"
        worked_on = 0
        for process in self.workers:
            if process is None or not process.alive:
                return "a worker is down"
            if process.app.rebalancing or not process.partitions.are_open:
                return f"{process.name} is not open"
            for number, (lane, _) in process.partitions._lanes.items():
                now, due = lane.time.now(), lane.next_wake()
                if now is None or now.at <= self.until:
                    return f"time of partition {number} on {process.name}: {now}, until {self.until}"
                if lane.busy_since is not None or (due is not None and due <= now.at):
                    return f"partition {number} on {process.name} is at work"
            worked_on += len(process.partitions._lanes)
        return None if worked_on >= self.plan.partitions else "a partition is nobody's"


def _closed(log: Log) -> int:
    """Where the newest segment of a changelog begins, at the latest, which is not compacted: with its owner's last write.

    A late record behind that lies in the same segment: the broker leaves what is young alone (ADR 0008).
    """
    terms = [(term_of(record), record.offset) for record in log.records]
    return max(terms, default=(0, 0))[1]


def _settings(plan: Plan) -> Any:
    return settings_from(
        {},
        partitions=plan.partitions,
        batch_records_max=plan.batch_records,
        buffered_batches_max=2,
        session_s=plan.session_s,
        commit_interval_s=0.5,
        broker_kind="embedded",
    )
