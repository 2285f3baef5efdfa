"""Windows of one calendar that overlap, over midnight too."""

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from typing import Any, NamedTuple

from schemas.policy_fields import DAY_MINUTES, DAYS, parse_date, parse_days, parse_window
from schemas.policy_problem import Path

_WEEK_MINUTES = 7 * DAY_MINUTES


class _Placed(NamedTuple):
    """A window at minutes on some time line, what it is called, and where in the calendar it is written."""

    start: int
    end: int
    label: str
    path: Path


def overlaps(calendar: dict[str, Any]) -> Iterator[tuple[Path, str]]:
    """The path of each window that overlaps an earlier one, and a message; what cannot be read is passed over."""
    week = _week(calendar.get("week"))
    dates = _dates(calendar.get("dates"))
    seen: set[tuple[Path, Path]] = set()
    for first, second in (*_clashes_of_week(week), *_clashes_of_dates(week, dates)):
        pair = (first.path, second.path)
        if pair not in seen and pair[::-1] not in seen:
            seen.add(pair)
            yield second.path, f"{second.label} overlaps {first.label}"


def _week(value: Any) -> list[list[_Placed]]:
    week: list[list[_Placed]] = [[] for _ in range(7)]
    for key, windows in value.items() if isinstance(value, dict) else ():
        try:
            days = parse_days(key)
        except ValueError:
            continue
        for placed in _windows(windows, ("week", key)):
            for day in days:
                week[day].append(placed._replace(label=f"{placed.label} on {DAYS[day]}"))
    return week


def _dates(value: Any) -> dict[date, list[_Placed]]:
    dates: dict[date, list[_Placed]] = {}
    for key, windows in value.items() if isinstance(value, dict) else ():
        try:
            day = parse_date(key)
        except ValueError:
            continue
        dates[day] = [placed._replace(label=f"{placed.label} on {key}") for placed in _windows(windows, ("dates", key))]
    return dates


def _windows(value: Any, path: Path) -> Iterator[_Placed]:
    for index, text in enumerate(value if isinstance(value, list) else ()):
        try:
            start, end = parse_window(text)
        except (AttributeError, TypeError, ValueError):
            continue
        yield _Placed(start, end, text, (*path, index))


def _clashes_of_week(week: list[list[_Placed]]) -> Iterator[tuple[_Placed, _Placed]]:
    line = sorted(_shift(placed, day * DAY_MINUTES) for day, windows in enumerate(week) for placed in windows)
    if line:
        yield from _clashes([*line, _shift(line[0], _WEEK_MINUTES)] if len(line) > 1 else line)


def _clashes_of_dates(week: list[list[_Placed]], dates: dict[date, list[_Placed]]) -> Iterator[tuple[_Placed, _Placed]]:
    for day, windows in dates.items():
        if not windows:
            continue
        line = []
        for offset in (-1, 0, 1):
            try:
                near = day + timedelta(days=offset)
            except OverflowError:
                continue
            line += [_shift(placed, offset * DAY_MINUTES) for placed in dates.get(near, week[near.weekday()])]
        for first, second in _clashes(sorted(line)):
            if first.path[0] == "dates" or second.path[0] == "dates":
                yield (second, first) if second.path[0] != "dates" else (first, second)


def _clashes(line: Iterable[_Placed]) -> Iterator[tuple[_Placed, _Placed]]:
    longest: _Placed | None = None
    for placed in line:
        if longest is not None and placed.start < longest.end:
            yield longest, placed
        if longest is None or placed.end > longest.end:
            longest = placed


def _shift(placed: _Placed, minutes: int) -> _Placed:
    return placed._replace(start=placed.start + minutes, end=placed.end + minutes)
