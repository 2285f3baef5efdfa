"""What a storm costs: a topic with so many open escalations, of which each batch changes a few."""

import time
from collections.abc import Iterator
from itertools import count
from statistics import mean, median
from typing import Any

from schemas.times import HOUR
from streams.aggregates.desk import Desk, Shelf
from streams.aggregates.messages import HOT, to_aggregate
from streams.effects import Effects
from streams.policy import PolicyHistory, compile_policy
from streams.policy_file import read_policy_value

BATCHES = 300
CHANGES = 3
"""So many come, and so many go, in each batch."""
_POLICY = {"version": "bench", "hotspots": {"customers": 20}}


class Storm:
    """One topic of one partition, and its store."""

    def __init__(self) -> None:
        self.values: dict[bytes, bytes] = {}
        self._shelf = Shelf(self.values)
        self._policies = PolicyHistory(compile_policy(read_policy_value(_POLICY, "bench")))
        self._batch = count(1)

    def take(self, coming: Iterator[int] | range, going: range = range(0)) -> int:
        """A batch: these escalations come, those go. How many bytes it writes."""
        desk, effects = Desk(self._shelf, self._policies, HOUR), Effects()
        for number in coming:
            desk.take(_message(number, 1, customer_id=f"c{number}", severity="error", hot_at=HOUR))
        for number in going:
            desk.take(_message(number, 2, gone=True))
        desk.end(next(self._batch), "", effects)
        for _, key, value in effects.writes:
            if value is None:
                del self.values[key]
            else:
                self.values[key] = value
        return sum(len(value or b"") for _, _, value in effects.writes)


def storms() -> Iterator[tuple[str, str, str]]:
    """The work of a batch, and what it writes beside what all of the topic takes, by how many are open."""
    base = 0.0
    for cases in (20, 200, 2_000 - CHANGES):
        storm, taken, written = Storm(), [], []
        storm.take(range(cases))
        whole = len(max(storm.values.values(), key=len))
        for first in range(0, BATCHES * CHANGES, CHANGES):
            coming, going = range(cases + first, cases + first + CHANGES), range(first, first + CHANGES)
            started = time.perf_counter()
            written.append(storm.take(coming, going))
            taken.append(time.perf_counter() - started)
        base = base or median(taken)
        yield (
            f"a batch, {cases} escalations open on its topic",
            f"{median(taken) * 1e3:.2f} ms",
            f"{median(taken) / base:.2f}",
        )
        yield "what it writes", f"{mean(written) / 1024:.1f} KiB", f"{mean(written) / whole:.2f} of the topic"


def _message(number: int, revision: int, **more: Any) -> dict[str, Any]:
    about = {"id": f"esc_{number:024}", "revision": revision, "turn": 0, "came": (revision, 0)}
    facts = {"channels": ["chat"], "public": False, "contacts": 1, "issue_id": f"iss_{number:024}"}
    return to_aggregate(HOT, "billing", "storm", m={**about, **facts, **more}).message
