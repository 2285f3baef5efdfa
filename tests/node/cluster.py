"""Several nodes and a broker in one process: batches of any size in any order, and crashes between all steps."""

from collections import deque
from dataclasses import dataclass, field
from random import Random
from typing import Any

from schemas.codec import dumps, loads
from schemas.policy import PolicyDocument
from schemas.times import format_time
from streams.effects import Dead, Effects, Record, Send
from streams.event import Event
from streams.kit import CoreKit
from streams.node import Node
from streams.policy import Policy, compile_policy
from streams.policy_file import read_policy_value
from streams.stored import Stored, decode_stored
from topics.partitioner import partition_of

Store = dict[str, dict[bytes, bytes]]
STEPS_MAX = 5_000
"""Batches in one run, before it is called endless."""


def policy(**more: Any) -> Policy:
    """A policy with a public channel, and a target on everything."""
    document = {
        "version": "1",
        "calendars": {"always": {"zone": "UTC", "week": {"mon-sun": ["00:00-24:00"]}}},
        "channels": {"social": {"calendar": "always", "public": True}},
        "targets": [{"first_response": "1h", "next_response": "1h", "resolution": "4h"}],
        **more,
    }
    return compile_policy(read_policy_value(document, "test"))


@dataclass
class Cluster:
    """A node per partition. A crash writes a part of the state, or sends a part of the messages, and begins anew."""

    partitions: int
    random: Random
    policy: Policy = field(default_factory=policy)
    crashes: int = 0
    now: int = 0

    def __post_init__(self) -> None:
        """Empty stores and topics."""
        self.kit = CoreKit(self.policy)
        self.stores: list[Store] = [
            {"identities": {}, "customers": {}, "aggregates": {}} for _ in range(self.partitions)
        ]
        self.queues: list[dict[str, deque[Record]]] = [{} for _ in range(self.partitions)]
        self.nodes = [self._node(number) for number in range(self.partitions)]
        self.outputs: list[Send] = []
        self.dead: list[Dead] = []
        self.counts: dict[str, int] = {}

    def owner(self, key: str) -> int:
        """The partition of a key."""
        return partition_of(key.encode(), self.partitions)

    def feed(self, topic: str, key: str, value: Any, arrived_at: int) -> None:
        """Append a record to a topic, on the partition of its key."""
        self._append(topic, self.owner(key), Record(topic, key.encode(), dumps(value), arrived_at))

    def take_policy(self, document: PolicyDocument, at: int) -> None:
        """Have every node follow a new policy; a restarted one hears of it when it is made."""
        assert self.kit.policy(dumps(document.model_dump(mode="json", by_alias=True, exclude_unset=True)), at)
        for node in self.nodes:
            self.kit.policy_changed(node, at)

    def restart(self) -> None:
        """Make every node anew from its store."""
        self.nodes = [self._node(number) for number in range(self.partitions)]

    def run(self) -> None:
        """Work until no record is left, then let the timers of this instant run; fails where that takes for ever."""
        steps = 0
        while busy := [number for number, topics in enumerate(self.queues) if any(topics.values())]:
            steps += 1
            assert steps <= STEPS_MAX, f"still busy after {STEPS_MAX} batches"
            number = self.random.choice(busy)
            records = self._some(number)
            effects = self.nodes[number].handle(records, self.now)
            if self._publish(number, effects):
                for record in records:
                    self.queues[number][record.topic].popleft()
        self.wake(self.now)

    def pass_time(self, until: int) -> None:
        """Let time pass, from timer to timer."""
        while (
            due := min((node.next_wake for node in self.nodes if node.next_wake is not None), default=until)
        ) < until:
            self.now = max(self.now, due)
            self.wake(self.now)
            self.run()
        self.now = until
        self.wake(until)
        self.run()

    def wake(self, now: int) -> None:
        """Let the time come."""
        self.now = now
        for number, node in enumerate(self.nodes):
            while node.next_wake is not None and node.next_wake <= now:
                self._publish(number, node.wake(now))
                node = self.nodes[number]  # noqa: PLW2901 - it may be another after a crash

    def customers(self) -> dict[str, Stored]:
        """What is stored, by customer id."""
        return {key.decode(): decode_stored(v) for store in self.stores for key, v in store["customers"].items()}

    def logs(self) -> set[frozenset[str]]:
        """The event ids, customer by customer."""
        live = [stored.live for stored in self.customers().values()]
        return {frozenset(event.id for event in customer.log) for customer in live if customer and len(customer.log)}

    def told(self, topic: str) -> list[dict[str, Any]]:
        """What was sent to a topic, each record once."""
        found = {
            send.value: loads(send.value) for send in self.outputs if send.topic == topic and send.value is not None
        }
        return list(found.values())

    def escalations(self) -> dict[tuple[str, int], dict[str, Any]]:
        """Every revision that was sent; fails where one was sent twice with different content."""
        found: dict[tuple[str, int], dict[str, Any]] = {}
        for send in self.outputs:
            if send.topic == "escalations" and send.value is not None:
                record = loads(send.value)
                key = (record["escalation_id"], record["revision"])
                assert found.setdefault(key, record) == record
        return found

    def _some(self, number: int) -> list[Record]:
        records: list[Record] = []
        for topic in self.random.sample(sorted(self.queues[number]), len(self.queues[number])):
            waiting = list(self.queues[number][topic])
            records += waiting[: self.random.randint(0, min(len(waiting), 5))]
        return records

    def _publish(self, number: int, effects: Effects) -> bool:
        crash = self.crashes > 0 and self.random.random() < 0.3
        writes, sends = effects.writes, effects.sends
        if crash:
            self.crashes -= 1
            written = self.random.randint(0, len(writes))
            sends = sends[: self.random.randint(0, len(sends))] if written == len(writes) else []
            writes = writes[:written]
        for table, key, value in writes:
            if value is None:
                self.stores[number][table].pop(key, None)
            else:
                self.stores[number][table][key] = value
        for send in sends:
            self._send(send)
        if crash:
            self.nodes[number] = self._node(number)
            return False
        self.dead += effects.dead
        for what, count in effects.counts.items():
            self.counts[what] = self.counts.get(what, 0) + count
        return True

    def _send(self, send: Send) -> None:
        if send.topic.endswith("-inbox"):
            assert send.partition is not None
            self._append(send.topic, send.partition, Record(send.topic, send.key, send.value, self.now))
        else:
            self.outputs.append(send)

    def _append(self, topic: str, partition: int, record: Record) -> None:
        self.queues[partition].setdefault(topic, deque()).append(record)

    def _node(self, number: int) -> Node:
        store = self.stores[number]
        tables = (store["identities"], store["customers"], store["aggregates"])
        node = self.kit.node(number, self.partitions, *tables, self.owner)
        node.rebuild()
        return node


def interaction(event: Event, public: frozenset[str]) -> dict[str, Any]:
    """The interaction record of an event, as a producer would write it."""
    data = dict(event.data) | ({"status": "open"} if event.kind == "status" else {})
    record = {
        "id": event.id,
        "occurred_at": format_time(event.at),
        "channel": "social" if event.thread in public else "chat",
        "kind": event.kind,
        "actor": {"type": event.actor},
        "identities": [{"type": identity.type, "value": identity.value} for identity in event.identities],
        "thread": event.thread,
        "in_reply_to": event.in_reply_to,
        "data": data,
    }
    return {name: value for name, value in record.items() if value is not None}
