"""The aggregates of one partition by themselves: a topic in a storm."""

from typing import Any

from schemas.times import HOUR
from streams.aggregates.desk import Desk, Shelf
from streams.aggregates.kept import decode_kept, headers
from streams.aggregates.messages import HOT, to_aggregate
from streams.effects import Effects
from streams.policy import PolicyHistory
from tests.node.cluster import policy

T0 = 10 * HOUR
KEY = "hot/billing"
POLICIES = PolicyHistory(policy(hotspots={"customers": 3}))


def message(number: int, revision: int = 1, *, gone: bool = False, at: int = T0) -> dict[str, Any]:
    """About an escalation of a customer of its own."""
    about = {"id": f"esc_{number:024}", "revision": revision, "turn": 0, "came": (revision, 0)}
    if gone:
        return to_aggregate(HOT, "billing", "storm", m={**about, "gone": True}).message
    facts = {"customer_id": f"c{number}", "severity": "error", "hot_at": at, "channels": ["chat"], "public": False}
    return to_aggregate(HOT, "billing", "storm", m={**about, **facts, "contacts": 1}).message


class Partition:
    """A store, and the shelf on it: each batch is written at once."""

    def __init__(self) -> None:
        self.values: dict[bytes, bytes] = {}
        self.shelf = Shelf(self.values)
        self.batch = 0
        self.written = 0

    def take(self, *messages: dict[str, Any], now: int = T0) -> Effects:
        """A batch of messages, and what it writes."""
        desk, effects = Desk(self.shelf, POLICIES, now), Effects()
        for each in messages:
            desk.take(each)
        for key in self.shelf.timers.due(now, 10):
            desk.look_at(key)
        self.batch += 1
        desk.end(self.batch, "ab", effects)
        for _, key, value in effects.writes:
            self.written += len(value or b"")
            if value is None:
                del self.values[key]
            else:
                self.values[key] = value
        return effects

    def restart(self) -> None:
        """Forget all that is not in the store."""
        self.shelf.reset()
        for key, header in headers(self.values):
            self.shelf.timers.set(key, header.wake)

    def ids(self) -> list[str]:
        """The escalations that count, in order."""
        found: Any = decode_kept(KEY, self.values).aggregate
        return list(found.topic.cases.by_id)
