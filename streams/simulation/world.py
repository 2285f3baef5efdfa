"""Virtual time, and what is recorded of it: a queue of things to do, and the lines that they leave."""

import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any

from schemas.times import HOUR, MINUTE, SECOND, format_time
from streams.simulation.line import INTERACTIONS, LINKS, Line
from streams.simulation.untidy import USUAL, Untidy

_SKEW_MAX = 2 * MINUTE
"""How far a source's clock may run ahead; less than the contract's `limits.max_future`."""

_DELAYS: dict[str, tuple[int, int]] = {
    "phone": (2 * SECOND, 40 * SECOND),
    "in_person": (30 * SECOND, 20 * MINUTE),
    "partner": (MINUTE, 45 * MINUTE),
    "email": (SECOND, 30 * SECOND),
}
"""Shortest and longest usual way (ms) of an event from its source, where it is not a matter of a moment."""


@dataclass(slots=True, eq=False)
class World:
    """The simulation's clock (ms), its agenda, and the lines on their way to the input."""

    rng: Random
    seed: int
    now: int
    end: int
    untidy: Untidy = USUAL
    heard_at: int = 0
    """The last arrival so far: the end of the input, once all lines have been read."""
    _agenda: list[tuple[int, int, Callable[[], None]]] = field(default_factory=list)
    _sequence: int = 0
    _outbox: list[tuple[int, int, Line]] = field(default_factory=list)

    def later(self, at: int, action: Callable[[], None]) -> None:
        """Do `action` at `at`, unless the simulation has ended by then."""
        if at <= self.end:
            self._sequence += 1
            heapq.heappush(self._agenda, (max(at, self.now), self._sequence, action))

    def run(self) -> Iterator[Line]:
        """The lines in order of arrival, until the end."""
        while self._agenda:
            self.now, _, action = heapq.heappop(self._agenda)
            action()
            yield from self._arrived(self.now - _SKEW_MAX)
        yield from self._arrived(None)

    def _arrived(self, until: int | None) -> Iterator[Line]:
        while self._outbox and (until is None or self._outbox[0][0] < until):
            yield heapq.heappop(self._outbox)[2]

    def next_id(self, prefix: str) -> str:
        """An id that no other event or thread of this simulation has."""
        self._sequence += 1
        return f"{prefix}-{self.seed}-{self._sequence}"

    def emit(self, value: dict[str, Any]) -> int:
        """An interaction: what happened now. It arrives a little later, sometimes much later or twice.

        The time (ms) that it counts with is returned: that of its arrival, where a clock ran ahead.
        """
        arrival = self.now + self._delay(value["channel"])
        self._send(Line(INTERACTIONS, arrival, value))
        if self.rng.random() < self.untidy.duplicates:
            self._send(Line(INTERACTIONS, arrival + self.rng.randint(SECOND, 10 * MINUTE), value))
        return min(self.now, arrival)

    def link(self, a: tuple[str, str], b: tuple[str, str], source: str, *, action: str = "link") -> None:
        """A link record: two identities are the same customer, or (`unlink`) they are not."""
        value = {
            "id": self.next_id("link"),
            "occurred_at": format_time(self.now),
            "action": action,
            "a": {"type": a[0], "value": a[1]},
            "b": {"type": b[0], "value": b[1]},
            "source": source,
        }
        self._send(Line(LINKS, self.now + self.rng.randint(200, 2 * SECOND), value))

    def _delay(self, channel: str) -> int:
        chance, untidy = self.rng.random(), self.untidy
        if chance < untidy.early:
            return -self.rng.randint(SECOND, _SKEW_MAX - SECOND)
        if chance < untidy.early + untidy.late:
            return self.rng.randint(5 * MINUTE, 3 * HOUR)
        shortest, longest = _DELAYS.get(channel, (150, 2 * SECOND))
        return shortest + int((longest - shortest) * self.rng.random() ** 3)

    def _send(self, line: Line) -> None:
        self._sequence += 1
        self.heard_at = max(self.heard_at, line.at)
        heapq.heappush(self._outbox, (line.at, self._sequence, line))
