"""The breakdown: for each reason, channel, team, severity and role, how much there was, and what became of it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from streams.policy_diff.match import CHANGES, Pair, changes, shift
from streams.policy_diff.side import Seen

DIMENSIONS = ("kind", "channel", "team", "severity", "role")


@dataclass(slots=True)
class Row:
    """Escalations with one value of a dimension."""

    old: int = 0
    new: int = 0
    changes: dict[str, int] = field(default_factory=lambda: dict.fromkeys(CHANGES, 0))

    @property
    def changed(self) -> int:
        """How much is different, for the order of rows."""
        return sum(self.changes.values())

    def as_record(self) -> dict[str, int]:
        """As in the report."""
        return {"old": self.old, "new": self.new, **self.changes}


@dataclass(slots=True)
class Breakdown:
    """All pairs counted."""

    total: Row = field(default_factory=Row)
    same: int = 0
    by: dict[str, dict[str, Row]] = field(default_factory=lambda: {name: {} for name in DIMENSIONS})
    shifts: dict[str, list[int]] = field(default_factory=lambda: {"earlier": [], "later": []})
    """How far those that moved have moved, in ms."""
    examples: dict[str, list[Pair]] = field(default_factory=lambda: {name: [] for name in CHANGES})
    """Of each change those that came first."""

    def count(self, pairs: Iterable[Pair], keep: int) -> None:
        """Count pairs, and keep so many examples of each change."""
        for pair in pairs:
            found = changes(pair)
            self.same += not found
            self._count(pair, found)
            if not found:
                continue
            moved = shift(pair)
            if moved:
                self.shifts["earlier" if moved < 0 else "later"].append(abs(moved))
            for change in found:
                _keep(self.examples[change], pair, keep)
        for moves in self.shifts.values():
            moves.sort()

    def _count(self, pair: Pair, found: Sequence[str]) -> None:
        _add(self.total, pair.old is not None, pair.new is not None, found)
        for name, rows in self.by.items():
            old, new = (frozenset(_values(seen, name)) if seen else frozenset() for seen in pair)
            for value in sorted(old | new):
                row = rows.get(value)
                if row is None:
                    row = rows[value] = Row()
                _add(row, value in old, value in new, found)


def median(sorted_values: Sequence[int]) -> int | None:
    """The middle one (the lower of two), or None where there is none."""
    return sorted_values[(len(sorted_values) - 1) // 2] if sorted_values else None


def _add(row: Row, old: bool, new: bool, found: Sequence[str]) -> None:  # noqa: FBT001 - two flags, side by side
    row.old += old
    row.new += new
    for change in found:
        row.changes[change] += 1


def _values(seen: Seen, dimension: str) -> Iterator[str]:
    if dimension == "kind":
        yield from seen.whats
    elif dimension == "role":
        yield from seen.roles
    else:
        value = getattr(seen, dimension)
        if value is not None:
            yield value


def _keep(kept: list[Pair], pair: Pair, limit: int) -> None:
    kept.append(pair)
    if len(kept) > 64 + 2 * limit:
        _trim(kept, limit)


def _trim(kept: list[Pair], limit: int) -> None:
    kept.sort(key=lambda pair: (pair.one.start, pair.one.id))
    del kept[limit:]


def first(kept: list[Pair], limit: int) -> list[Pair]:
    """The `limit` pairs of a list that came first."""
    _trim(kept, limit)
    return kept
