"""Percentiles of sorted whole numbers, interpolated between neighbours: the median of 1 and 4 is 2.5."""

from collections.abc import Callable, Sequence
from typing import Protocol

from schemas.times import seconds


class Ranked(Protocol):
    """A collection of numbers that knows its percentiles."""

    def hundredfold(self, percent: int) -> int | None:
        """The percentile times 100; None where there is no number."""


def between(at: Callable[[int], int], count: int, percent: int) -> int:
    """The percentile times 100 of `count` numbers, at least one, of which `at` tells the one of a rank (from 0)."""
    place, rest = divmod((count - 1) * percent, 100)
    low = at(place)
    return low * 100 + (rest and (at(place + 1) - low) * rest)


def hundredfold(ordered: Sequence[int], percent: int) -> int | None:
    """The percentile of an ascending sequence, exact, times 100; None where it is empty."""
    return between(ordered.__getitem__, len(ordered), percent) if ordered else None


def percentile(numbers: Ranked, percent: int) -> float | None:
    """The percentile; None where there is no number."""
    found = numbers.hundredfold(percent)
    return None if found is None else found / 100


def percentile_s(numbers: Ranked, percent: int) -> float | int | None:
    """Of lengths in ms, in seconds to the ms (half a ms up)."""
    found = numbers.hundredfold(percent)
    return None if found is None else seconds((found + 50) // 100)


def ratio(one: Ranked, other: Ranked) -> float | None:
    """The median of one over the median of the other; None where either has none, or the other's is 0."""
    above, below = one.hundredfold(50), other.hundredfold(50)
    return None if above is None or not below else above / below
