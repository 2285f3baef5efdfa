"""Sets of half-open intervals `[from, to)` of milliseconds, as sorted lists of pairs; `FOREVER` has no end."""

from collections.abc import Iterable, Sequence

FOREVER = 1 << 60
"""Later than every instant."""

Interval = tuple[int, int]


def union(intervals: Iterable[Interval]) -> list[Interval]:
    """The same instants, as the fewest intervals, sorted; empty ones are dropped."""
    result: list[Interval] = []
    for start, end in sorted(intervals):
        if end <= start:
            continue
        if result and start <= result[-1][1]:
            if end > result[-1][1]:
                result[-1] = (result[-1][0], end)
        else:
            result.append((start, end))
    return result


def intersect(left: Sequence[Interval], right: Sequence[Interval]) -> list[Interval]:
    """The instants that are in both; both sides are unions."""
    result: list[Interval] = []
    i = j = 0
    while i < len(left) and j < len(right):
        start, end = max(left[i][0], right[j][0]), min(left[i][1], right[j][1])
        if start < end:
            result.append((start, end))
        if left[i][1] < right[j][1]:
            i += 1
        else:
            j += 1
    return result


def subtract(left: Sequence[Interval], right: Sequence[Interval]) -> list[Interval]:
    """The instants of `left` that are not in `right`; both sides are unions."""
    result: list[Interval] = []
    for start, end in left:
        at = start
        for gone, back in right:
            if back <= at:
                continue
            if gone >= end:
                break
            if gone > at:
                result.append((at, gone))
            at = max(at, back)
        if at < end:
            result.append((at, end))
    return result


def total(intervals: Iterable[Interval], until: int = FOREVER) -> int:
    """Milliseconds in a union, counted up to `until`."""
    return sum(max(0, min(end, until) - start) for start, end in intervals)
