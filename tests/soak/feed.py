"""What a soak is fed: the simulator's company, its days shortened so that its records arrive evenly, now."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from agents.demo.source import Outgoing, outgoing
from schemas.times import DAY, format_time, parse_time
from streams.simulate import Line, Simulation, Untidy

LINES_PER_CUSTOMER_DAY = 1.17
_START = parse_time("2026-06-01T04:00:00Z")
_TIMES = ("occurred_at", "at", "until")
_KEPT = 200_000
"""How many arrivals are remembered; what happened before them is placed by the mean pace."""
UNTIDY = Untidy(kiosks=0.0, mistaken=0.0, shared=0.0)
"""Duplicates, late and early records, withheld numbers; nobody whose identities a limit refuses (docs/semantics.md)."""


class Feed:
    """The lines one after the other, each sent when it is asked for.

    `shorter`: how many of the company's milliseconds pass in one of ours, on the average.
    """

    def __init__(self, seed: int, customers: int, lines_per_s: float) -> None:
        self._customers = customers
        self._dues: dict[str, str] = {}
        """By event, so that a duplicate is one."""
        self.runs_at(lines_per_s)
        self._lines: Iterator[Line] = iter(Simulation(seed, _START, 10_000 * DAY, customers, untidy=UNTIDY))
        self._theirs: list[int] = []
        self._ours: list[int] = []

    def runs_at(self, lines_per_s: float) -> None:
        """So many lines are taken in a second of ours, from now on."""
        self.shorter = max(1.0, lines_per_s * DAY / 1000 / (self._customers * LINES_PER_CUSTOMER_DAY))

    def take(self, arrivals: Sequence[int]) -> list[Outgoing]:
        """As many lines as `arrivals` (ms, in order), each arriving then; what it tells of happened in proportion."""
        found = []
        for line, at in zip(islice(self._lines, len(arrivals)), arrivals, strict=True):
            self._theirs.append(line.at)
            self._ours.append(at)
            found.append(outgoing(Line(line.topic, at, self._moved(line.value))))
        if len(self._theirs) > 2 * _KEPT:
            del self._theirs[:_KEPT], self._ours[:_KEPT]
        return found

    def _moved(self, value: dict[str, Any]) -> dict[str, Any]:
        moved = value | {name: self._time(value[name]) for name in _TIMES if name in value}
        data = value.get("data")
        if isinstance(data, dict) and "due_at" in data:
            due_at = self._dues.setdefault(value["id"], self._time(data["due_at"]))
            moved["data"] = data | {"due_at": due_at}
        return moved

    def _time(self, text: str) -> str:
        """Order is kept: between two arrivals of theirs lies what is between the same two of ours."""
        theirs = parse_time(text)
        place = bisect_right(self._theirs, theirs)
        before = max(place - 1, 0)
        ours = self._ours[before] + round((theirs - self._theirs[before]) / self.shorter)
        if 0 < place < len(self._ours):
            ours = min(ours, self._ours[place])
        return format_time(ours)
