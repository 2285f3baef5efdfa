"""A worker with the core of `mindgap replay` in memory, on one partition, to try the demo's orchestration with.

Nothing survives it: who is who across partitions, and state in the tables, are the real worker's.
"""

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from agents.demo.worker import work
from agents.settings import Settings
from agents.worker.ports import Incoming
from schemas.codec import dumps, loads
from streams.policy import compile_policy
from streams.policy_file import read_policy_bytes
from streams.replay import Line, Outcome, Replay


@dataclass
class Out:
    topic: str
    key: bytes
    value: bytes | None
    partition: int | None = None
    headers: Any = ()


@dataclass
class Did:
    writes: list = field(default_factory=list)
    sends: list[Out] = field(default_factory=list)
    dead: list = field(default_factory=list)
    counts: dict = field(default_factory=dict)

    def take(self, outcome: Outcome) -> None:
        for record in outcome.escalations:
            self.sends.append(Out("escalations", record["customer_id"].encode(), dumps(record)))


class ReplayNode:
    def __init__(self, run: Replay) -> None:
        self.run = run

    @property
    def next_wake(self) -> int | None:
        return self.run._timers[0][0] if self.run._timers else None

    def handle(self, records: Sequence[Incoming], now: int) -> Did:
        did = Did()
        lines = [Line(record.arrived_at, record.topic.partition(".")[0], loads(record.value)) for record in records]
        for line in lines:
            topic = "identities.links" if line.topic == "identities" else line.topic
            did.take(self.run.arrive(now, [line._replace(topic=topic)]))
        return did

    def wake(self, now: int) -> Did:
        did = Did()
        for outcome in self.run.timers(before=now + 1):
            did.take(outcome)
        return did

    def rebuild(self) -> None:
        pass


class ReplayKit:
    def __init__(self, settings: Settings) -> None:
        document = read_policy_bytes(settings.policy.read_bytes(), str(settings.policy))
        self.policy_first = compile_policy(document)

    def node(self, *_: Any) -> ReplayNode:
        return ReplayNode(Replay(self.policy_first))

    def records(self, incoming: Iterable[Incoming]) -> Sequence[Incoming]:
        return list(incoming)

    def policy(self, value: bytes, arrived_at: int) -> bool:
        raise ValueError(value)

    def policy_changed(self, node: Any, now: int) -> Did:
        return Did()


if __name__ == "__main__":
    work(sys.argv[1:], ReplayKit)
