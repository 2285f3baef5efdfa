"""The inputs and inboxes of one partition: how far each is worked off, and as of when that is known.

That nothing was left when we last looked says nothing about now: a record may have been appended since, and be on its
way. An input is worked off as of the moment at which the broker was asked for more, when its answer was that there is
none. When a request was sent is not told, but it was sent after the answer before it had come; and that one came after
the last look that did not show it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from faust.types import TP

from agents.worker.tracking import PartitionFacts


class Standing(NamedTuple):
    """How a partition of a topic stands. Everything before offset `done_to` is worked off; None where unknown.

    `clear`: the broker's newest answer, which `answer` names, tells of nothing that is not worked off.
    `oldest`: append time (ms) of the oldest record that was fetched and is not worked off.
    """

    done_to: int | None
    clear: bool
    oldest: int | None
    answer: int | None


UNKNOWN = Standing(None, clear=False, oldest=None, answer=None)


@dataclass(slots=True)
class _Look:
    """What is known of one input. Times in ms of the clock; `bound`: all that was appended before is worked off."""

    bound: int | None = None
    newest: int | None = None
    came_after: int | None = None
    asked_after: int | None = None
    looked: int | None = None

    def see(self, standing: Standing, now: int) -> int | None:
        if standing.answer is not None and standing.answer != self.newest:
            self.asked_after, self.came_after, self.newest = self.came_after, self.looked, standing.answer
        self.looked = now
        found = self.asked_after if standing.clear else standing.oldest
        if found is not None:
            self.bound = found
        return self.bound


@dataclass(slots=True)
class Inputs:
    """One partition's topics. `inputs` carry the outside's records, `inboxes` (by logical name) those of partitions."""

    inputs: tuple[TP, ...]
    inboxes: Mapping[str, TP]
    standing: Callable[[TP], Standing]
    _looks: dict[TP, _Look] = field(default_factory=dict)
    _low: int | None = None

    @property
    def tps(self) -> tuple[TP, ...]:
        """All of its topics."""
        return (*self.inputs, *self.inboxes.values())

    @property
    def low(self) -> int | None:
        """As of when (ms) all inputs are worked off, by the last look; None where that is not known."""
        return self._low

    def look(self, now: int) -> PartitionFacts:
        """What is true of the partition, looked at when the clock shows `now` (ms). To be called often."""
        low: int | None = None
        mark, known = 0, True
        for tp in self.inputs:
            standing = self.standing(tp)
            bound = self._looks.setdefault(tp, _Look()).see(standing, now)
            if bound is None:
                known = False
            elif low is None or bound < low:
                low, mark = bound, standing.done_to or 0
        if known and low is not None:
            self._low = low if self._low is None else max(self._low, low)
        done = {inbox: self.standing(tp).done_to or 0 for inbox, tp in self.inboxes.items()}
        return PartitionFacts(self._low, mark, done)
