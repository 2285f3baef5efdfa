"""A core over stores of its own, as a worker drives it."""

from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings

from schemas.times import DAY
from streams.effects import Effects, Record
from streams.kit import CoreKit
from streams.node import Node
from streams.policy import compile_policy
from streams.policy_file import read_policy

ROOT = Path(__file__).resolve().parents[2]
POLICY = compile_policy(read_policy((ROOT / "deploy/policy/default.yaml").read_text(), "default"))


def examples(quick: int) -> settings:
    """So many examples in a quick run, and in proportion under another profile."""
    many = max(1, quick * settings.default.max_examples // 100)
    return settings(max_examples=many, deadline=None, suppress_health_check=list(HealthCheck))


class Core:
    """One partition, the only one. Nothing here catches anything."""

    def __init__(self) -> None:
        self.stores: dict[str, dict[bytes, bytes]] = {"identities": {}, "customers": {}, "aggregates": {}}
        self.dead: list[Any] = []
        self.offset = 0
        self.node = self.fresh()

    def fresh(self) -> Node:
        """A node over the stores, as after a restart."""
        node = CoreKit(POLICY).node(0, 1, *self.stores.values(), lambda key: 0)
        node.rebuild()
        return node

    def take(self, records: list[tuple[str, bytes | None]], now: int) -> Effects:
        """A batch of topics and values, and what it sends to the inboxes, until nothing is left."""
        first = self._apply(self.node.handle([self.record(topic, value, now) for topic, value in records], now))
        effects = first
        for _ in range(1000):
            inbox = [self.record(s.topic, s.value, now) for s in effects.sends if s.topic.endswith("-inbox")]
            if not inbox:
                return first
            effects = self._apply(self.node.handle(inbox, now))
        raise AssertionError("the messages do not end")

    def wait(self, now: int, days: int = 20) -> None:
        """Restart, and let every timer of the next days run; at most a thousand calls."""
        self.node = self.fresh()
        end = now + days * DAY
        for _ in range(1000):
            due = self.node.next_wake
            if due is None or due > end:
                return
            now = max(now, due)
            self._apply(self.node.wake(now))
        raise AssertionError("the timers do not end")

    def record(self, topic: str, value: bytes | None, now: int) -> Record:
        """As it would be read from the broker."""
        self.offset += 1
        return Record(topic, b"k", value, now, 0, self.offset)

    def _apply(self, effects: Effects) -> Effects:
        for table, key, value in effects.writes:
            if value is None:
                self.stores[table].pop(key, None)
            else:
                self.stores[table][key] = value
        self.dead += effects.dead
        return effects
