"""What the worker has taken in, told from its metrics; and the time that it may therefore take it to be."""

import re
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from topics.table import INBOXES

_HOPS = 5
"""Inboxes that a record may pass through one after the other, where identities that are new ask and answer."""
_SAMPLE = re.compile(r'^mindgap_(events_in|outputs)_total\{topic="([^"]+)"\} ([0-9.e+]+)$', re.MULTILINE)
_INBOXES = frozenset(INBOXES)


class Counts(NamedTuple):
    """Records by topic: those that the worker has worked off, and those that it has sent to its inboxes."""

    read: Mapping[str, int]
    sent: Mapping[str, int]


def counts(metrics: str) -> Counts:
    """The counts of a worker's `/metrics`."""
    found: dict[str, dict[str, int]] = {"events_in": {}, "outputs": {}}
    for name, topic, value in _SAMPLE.findall(metrics):
        if name == "events_in" or topic in _INBOXES:
            found[name][topic] = int(float(value))
    return Counts(found["events_in"], found["outputs"])


_Stage = deque[tuple[Mapping[str, int], int]]


@dataclass(slots=True)
class Intake:
    """Follows positions in virtual time through the worker.

    `fed` notes that everything up to a position is at the broker; `sample` gives the newest position that has been
    worked off, the hops from inbox to inbox included. Counts are by topic, because topics overtake one another.
    """

    taken: int = 0
    """Records that the worker has worked off, of those that were fed."""
    _fed: Counter[str] = field(default_factory=Counter)
    _stages: tuple[_Stage, ...] = field(default_factory=lambda: tuple(deque() for _ in range(_HOPS + 1)))

    def sent(self, topic: str) -> None:
        """One more record of `topic` is on its way."""
        self._fed[topic] += 1

    def fed(self, position: int) -> None:
        """What was sent so far is all there is up to `position` (virtual ms)."""
        self._stages[0].append((dict(self._fed), position))

    def sample(self, now: Counts) -> int | None:
        """The newest position that is done with, as of these counts; None where there is no news."""
        self.taken = sum(number for topic, number in now.read.items() if topic not in _INBOXES)
        done = _passed(self._stages[0], now.read)
        for stage in self._stages[1:]:
            if done is not None:
                stage.append((now.sent, done))
            done = _passed(stage, now.read)
        return done


def _passed(stage: _Stage, read: Mapping[str, int]) -> int | None:
    found = None
    while stage and all(read.get(topic, 0) >= number for topic, number in stage[0][0].items()):
        found = stage.popleft()[1]
    return found
