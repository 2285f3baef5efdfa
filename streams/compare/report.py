"""What a comparison says."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

Record = dict[str, Any]
Source = Callable[[], Iterable[Record]]
"""The records of one file, from the beginning each time that it is called."""


class Run(NamedTuple):
    """What one run wrote: the records of `mindgap replay`'s outputs of these names. None: they were not written."""

    customers: Source
    clocks: Source
    episodes: Source
    escalations: Source
    notifications: Source | None = None
    gaps: Source | None = None


class Difference(NamedTuple):
    """One thing that is not as it should be.

    `a` and `b` are what each side has: the fields that differ, a list of records, or None for nothing.
    """

    section: str
    what: str
    id: str
    a: Any = None
    b: Any = None

    def as_record(self) -> Record:
        """As a JSON object."""
        return self._asdict()


@dataclass(slots=True)
class Section:
    """The counts of one section and its first differences; `remarks` are what may differ, counted."""

    name: str
    a: int = 0
    b: int = 0
    differ: int = 0
    differences: list[Difference] = field(default_factory=list)
    remarks: dict[str, dict[str, int]] = field(default_factory=dict)
    """What -> {"A": count, "B": count}."""

    def add(self, limit: int, what: str, id_: str, a: Any = None, b: Any = None) -> None:
        """Count a difference, and keep it where fewer than `limit` are kept."""
        self.differ += 1
        if len(self.differences) < limit:
            self.differences.append(Difference(self.name, what, id_, a, b))

    def tell(self, limit: int, side: str, what: str, id_: str, value: Any) -> None:
        """Add what is wrong with one side by itself."""
        a, b = (value, None) if side == "A" else (None, value)
        self.add(limit, f"{what} ({side})", id_, a, b)

    def count(self, side: str, number: int) -> None:
        """Say how many there are on one side."""
        if side == "A":
            self.a = number
        else:
            self.b = number

    def remark(self, what: str, side: str, count: int = 1) -> None:
        """Count something that is no difference."""
        counts = self.remarks.setdefault(what, {"A": 0, "B": 0})
        counts[side] += count

    def as_record(self) -> Record:
        """As a JSON object."""
        return {
            "section": self.name,
            "a": self.a,
            "b": self.b,
            "differ": self.differ,
            "differences": [difference.as_record() for difference in self.differences],
            "remarks": self.remarks,
        }


@dataclass(slots=True)
class Comparison:
    """The result, section by section."""

    sections: list[Section]

    @property
    def agree(self) -> bool:
        """True where nothing differs that must not."""
        return not any(section.differ for section in self.sections)

    def as_record(self) -> Record:
        """As a JSON object."""
        return {"agree": self.agree, "sections": [section.as_record() for section in self.sections]}
