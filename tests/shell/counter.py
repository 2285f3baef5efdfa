"""A tiny core to test the shell with: counts events per customer, and sends one output per event.

An event is `{"id", "customer"}`; it counts once per id, at the partition of its customer (elsewhere it is sent
on through the inbox). With `"poison": true` it makes the node raise; what is no JSON is refused.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from agents.worker.ports import Incoming, Owner, State
from schemas.codec import JSONDecodeError, dumps, loads


@dataclass
class Out:
    topic: str
    key: bytes
    value: bytes | None
    partition: int | None = None
    headers: Any = ()


@dataclass
class Refusal:
    record: Incoming
    reason: str
    detail: str = ""


@dataclass
class Did:
    writes: list[tuple[str, bytes, bytes | None]] = field(default_factory=list)
    sends: list[Out] = field(default_factory=list)
    dead: list[Refusal] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)


class CounterNode:
    """State per customer: the ids counted, and the outputs of the last batch as an outbox."""

    def __init__(self, partition: int, customers: State, owner: Owner) -> None:
        self.partition = partition
        self.customers = customers
        self.owner = owner
        self.next_wake: int | None = None
        self.unconfirmed: list[bytes] = []
        self.open_timers = 0
        self.backlog: int | None = None

    def handle(self, records: Sequence[Incoming], now: int, *, provisional: bool = False) -> Did:
        did = Did()
        changed: dict[bytes, dict[str, Any]] = {}
        for record in records:
            try:
                event = loads(record.value or b"")
            except JSONDecodeError:
                did.dead.append(Refusal(record, "not_json"))
                continue
            if event.get("poison"):
                raise ValueError(event)
            key = event["customer"].encode()
            home = self.owner(event["customer"])
            if home != self.partition:
                did.sends.append(Out("customer-inbox", key, record.value, partition=home))
                continue
            state = changed.get(key) or loads(self.customers.get(key, b'{"ids":[],"outbox":[]}'))
            if key not in changed:
                if key in self.unconfirmed:  # goes out with what is decided now
                    self.unconfirmed.remove(key)
                else:
                    state["outbox"] = []
                changed[key] = state
            if event["id"] not in state["ids"]:
                state["ids"].append(event["id"])
                output = {"customer": event["customer"], "n": len(state["ids"]), "id": event["id"]}
                state["outbox"].append(output)
        for key, state in changed.items():
            did.writes.append(("customers", key, dumps(state)))
            did.sends += [Out("escalations", key, dumps(output)) for output in state["outbox"]]
        return did

    def wake(self, now: int, *, provisional: bool = False, most: int = 500) -> Did:
        self.next_wake = None
        keys, self.unconfirmed = self.unconfirmed, []
        return Did(sends=[Out("escalations", k, dumps(o)) for k in keys for o in loads(self.customers[k])["outbox"]])

    def begin_backlog(self, until: int | None) -> Did:
        self.backlog = until
        return Did()

    def end_backlog(self) -> Did:
        self.backlog = None
        return Did()

    def rebuild(self) -> None:
        self.unconfirmed = [key for key, value in self.customers.items() if loads(value)["outbox"]]
        self.next_wake = 0 if self.unconfirmed else None


class CounterPolicies:
    """Policies that all let time wait for a minute, and page."""

    max_stall = 60_000
    version = "1"
    paging = True
    paging_off_reason = None

    def at(self, when: int) -> "CounterPolicies":
        return self


class CounterKit:
    """Makes counters; a policy is any JSON object with a version, and makes every customer's count be sent again."""

    def __init__(self) -> None:
        self.versions: list[str] = []
        self.policies = CounterPolicies()

    def node(
        self, partition: int, partitions: int, identities: State, customers: State, aggregates: State, owner: Owner
    ) -> CounterNode:
        return CounterNode(partition, customers, owner)

    def is_sound(self, table: str, key: bytes, value: bytes) -> bool:
        return value.startswith(b"{")

    def records(self, incoming: Iterable[Incoming]) -> Sequence[Incoming]:
        return list(incoming)

    def policy(self, value: bytes, arrived_at: int) -> bool:
        version = loads(value)["version"]
        if version in self.versions:
            return False
        self.versions.append(version)
        return True

    def policy_changed(self, node: Any, now: int) -> Did:
        return Did(
            sends=[
                Out("notifications", key, dumps({"customer": key.decode(), "policy": self.versions[-1]}))
                for key in node.customers
            ]
        )
