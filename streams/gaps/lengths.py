"""A collection of whole numbers that can be added up over partitions, and asked for its percentiles.

Up to `EXACT_MAX` numbers are kept as they are, and their percentiles are exact. More are kept as a DDSketch (Masson,
Rim, Lee: "DDSketch: a fast and fully-mergeable quantile sketch with relative-error guarantees", VLDB 2019; the library
is DataDog's): counts in bins that grow by a constant factor, so that each number is known to within `ACCURACY` of
itself, whatever the numbers are, and a percentile with it. Bins of the same width add up exactly: neither the order
nor the grouping in which parts are joined changes the result, which is why it is this sketch and no t-digest or KLL.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from heapq import merge
from typing import Any

from ddsketch.ddsketch import BaseDDSketch
from ddsketch.mapping import LogarithmicMapping
from ddsketch.store import DenseStore

from streams.gaps.percentile import between, hundredfold

EXACT_MAX = 100
"""How many numbers are kept as they are. A window's percentiles over no more than these are exact."""
ACCURACY = 0.01
"""Beyond that: how far a number that is told may be from the one that it stands for, relative to it."""
_ZERO = -1
"""The bin of 0, which has no logarithm; that of 1 is 0."""
_MAPPING = LogarithmicMapping(ACCURACY)


@dataclass(frozen=True, slots=True)
class Lengths:
    """Whole numbers from 0 on. Equal collections are equal, however they came about."""

    values: tuple[int, ...] = ()
    """The numbers, ascending, where there are at most `EXACT_MAX`."""
    bins: tuple[tuple[int, int], ...] = ()
    """Else how many there are of each bin, by the bin's number."""

    @classmethod
    def of(cls, ordered: Sequence[int]) -> "Lengths":
        """The collection of an ascending sequence."""
        if len(ordered) <= EXACT_MAX:
            return cls(values=tuple(ordered))
        return cls(bins=tuple(sorted(Counter(map(_bin, ordered)).items())))

    @property
    def count(self) -> int:
        """How many numbers."""
        return len(self.values) or sum(count for _, count in self.bins)

    @staticmethod
    def union(parts: Iterable["Lengths"]) -> "Lengths":
        """All of them together: associative and commutative."""
        filled = [part for part in parts if part.values or part.bins]
        if len(filled) <= 1:
            return filled[0] if filled else NONE
        if not any(part.bins for part in filled):
            return Lengths.of(list(merge(*(part.values for part in filled))))
        counts: Counter[int] = Counter()
        for part in filled:
            counts.update(map(_bin, part.values))
            counts.update(dict(part.bins))
        return Lengths(bins=tuple(sorted(counts.items())))

    def hundredfold(self, percent: int) -> int | None:
        """The percentile (0 to 99) times 100, interpolated between neighbours; None where there is no number."""
        if not self.bins:
            return hundredfold(self.values, percent)
        sketch = self._sketch()
        last = sketch.count - 1

        def at(place: int) -> int:
            found = sketch.get_quantile_value(
                min(1.0, (place + 0.5) / last)
            )  # half a place: none is missed by rounding
            assert found is not None
            return round(found)

        return between(at, int(sketch.count), percent)

    def _sketch(self) -> BaseDDSketch:
        store = DenseStore()
        zeros = 0
        for key, count in self.bins:
            if key == _ZERO:
                zeros = count
            else:
                store.add(key, count)
        return BaseDDSketch(_MAPPING, store, DenseStore(), zeros)

    def encode(self) -> Any:
        """As JSON: the numbers, or the bins with their accuracy."""
        if not self.bins:
            return list(self.values)
        return {"accuracy": ACCURACY, "bins": [list(pair) for pair in self.bins]}

    @classmethod
    def decode(cls, stored: Any) -> "Lengths":
        """What `encode` made. Raises ValueError for what it cannot have made, or with another accuracy."""
        if isinstance(stored, list):
            return cls.of(sorted(_whole(value) for value in stored))
        if not isinstance(stored, dict) or stored.get("accuracy") != ACCURACY:
            raise ValueError(f"lengths: neither numbers nor bins with an accuracy of {ACCURACY}")
        counts = Counter({_whole(key, _ZERO): _whole(count, 1) for key, count in stored["bins"]})
        if counts.total() <= EXACT_MAX:
            raise ValueError(f"lengths: bins of {counts.total()} numbers, which are kept as they are")
        return cls(bins=tuple(sorted(counts.items())))


NONE = Lengths()
"""No number."""


def _bin(value: int) -> int:
    return _ZERO if value <= 0 else _MAPPING.key(value)


def _whole(value: Any, least: int = 0) -> int:
    if type(value) is not int or value < least:
        raise ValueError(f"lengths: not a whole number from {least} on")
    return value
