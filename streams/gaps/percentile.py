"""Percentiles of sorted whole numbers, interpolated between neighbours: the median of 1 and 4 is 2.5."""

from collections.abc import Sequence

from schemas.times import seconds


def hundredfold(ordered: Sequence[int], percent: int) -> int | None:
    """The percentile of an ascending sequence, exact, times 100; None where it is empty."""
    if not ordered:
        return None
    place, rest = divmod((len(ordered) - 1) * percent, 100)
    low = ordered[place]
    return low * 100 + (rest and (ordered[place + 1] - low) * rest)


def percentile(ordered: Sequence[int], percent: int) -> float | None:
    """The percentile of an ascending sequence; None where it is empty."""
    found = hundredfold(ordered, percent)
    return None if found is None else found / 100


def percentile_s(ordered: Sequence[int], percent: int) -> float | int | None:
    """Of lengths in ms, in seconds to the ms (half a ms up)."""
    found = hundredfold(ordered, percent)
    return None if found is None else seconds((found + 50) // 100)


def ratio(one: Sequence[int], other: Sequence[int]) -> float | None:
    """The median of one over the median of the other; None where either has none, or the other's is 0."""
    above, below = hundredfold(one, 50), hundredfold(other, 50)
    return None if above is None or not below else above / below
