"""A core over stores of its own, as a worker drives it."""

from pathlib import Path
from typing import Any

from schemas.times import DAY
from streams.effects import Effects, Record
from streams.kit import CoreKit
from streams.node import Node
from streams.policy import compile_policy
from streams.policy_file import read_policy

ROOT = Path(__file__).resolve().parents[2]
POLICY = compile_policy(read_policy((ROOT / "deploy/policy/default.yaml").read_text(), "default"))


class Core:
    """One partition, the only one. Nothing here catches anything."""

    def __init__(self) -> None:
        self.stores: dict[str, dict[bytes, bytes]] = {"identities": {}, "customers": {}}
        self.dead: list[Any] = []
        self.offset = 0
        self.node = self.fresh()

    def fresh(self) -> Node:
        """A node over the stores, as after a restart."""
        node = CoreKit(POLICY).node(0, 1, self.stores["identities"], self.stores["customers"], lambda key: 0)
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

    def wait(self, now: int, days: int = 120) -> None:
        """Restart, and let every timer of the next time run; at most a thousand calls."""
        self.node = self.fresh()
        for _ in range(1000):
            due = self.node.next_wake
            if due is None or due > now + days * DAY:
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
