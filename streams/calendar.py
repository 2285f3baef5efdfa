"""Business time: when a calendar is open, how much of that passed, and by when so much has passed.

Windows are half-open and both edges are mapped to UTC, so that a window over a DST change has its true
length. The open time of a year is indexed once, on first use; after that `add` and `between` are two
bisections, whatever the length of the target.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import accumulate
from typing import NamedTuple

from schemas.times import DAY
from streams.calendar_zones import TZDATA_VERSION, edge, load_zone
from streams.intervals import Interval, union

__all__ = ["ALWAYS", "FIRST_YEAR", "LAST_YEAR", "TZDATA_VERSION", "Calendar", "Interval", "Window", "union"]

FIRST_YEAR = 1970
LAST_YEAR = 2200
"""Years in which windows are counted; before and after them a calendar that ever closes is closed."""

Window = tuple[int, int]
"""Minutes from a day's midnight: a start in 0..1439 and an end after it, beyond 1440 for a window over midnight."""

_YEAR_STARTS = [
    (datetime(year, 1, 1, tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
    for year in range(FIRST_YEAR, LAST_YEAR + 2)
]
_RANGE_START, _RANGE_END = _YEAR_STARTS[0], _YEAR_STARTS[-1]
_YEARS = LAST_YEAR - FIRST_YEAR + 1
_DAY_MINUTES = 1440


class _Year(NamedTuple):
    """The open time of one UTC year: disjoint intervals in order, and the open time up to the end of each."""

    starts: list[int]
    ends: list[int]
    counted: list[int]

    def before(self, at: int) -> int:
        """Open time of this year before `at`."""
        index = bisect_right(self.starts, at)
        if not index:
            return 0
        return self.counted[index - 1] - max(0, self.ends[index - 1] - at)

    @property
    def total(self) -> int:
        """Open time of the whole year."""
        return self.counted[-1] if self.counted else 0


class Calendar:
    """Business time of a calendar."""

    def __init__(
        self,
        name: str,
        zone: str = "UTC",
        week: Sequence[Sequence[Window]] = ((),) * 7,
        dates: Mapping[date, Sequence[Window]] | None = None,
    ) -> None:
        """The calendar of `week` (windows of Monday to Sunday) and of `dates`, which replace a day's windows.

        Raises ValueError for an unknown zone or a window out of bounds.
        """
        if len(week) != 7:
            msg = "a week has seven days"
            raise ValueError(msg)
        self.name = name
        self.zone = zone
        self._zone = load_zone(zone)
        self._week = tuple(_checked(day) for day in week)
        self._dates = {day: _checked(windows) for day, windows in (dates or {}).items()}
        self._always = all(_is_whole_day(day) for day in (*self._week, *self._dates.values()))
        self._years: dict[int, _Year] = {}
        self._last = _YEARS - 1 if any(self._week) else self._last_dated_year()

    def __repr__(self) -> str:
        return f"Calendar({self.name!r}, {self.zone!r})"

    @property
    def is_always(self) -> bool:
        """True for a calendar that never closes."""
        return self._always

    @property
    def ever_opens(self) -> bool:
        """False for a calendar without a single window."""
        return self._last >= 0

    def add(self, start: int, target: int, pauses: Sequence[Interval] = ()) -> int | None:
        """The earliest instant by which `target` ms of business time outside the pauses have been counted from `start`.

        A target of 0 is `start` itself; None where the calendar never gets there.
        """
        if target <= 0:
            return start
        if pauses:
            for paused_at, resumed_at in union(pauses):
                if resumed_at <= start:
                    continue
                counted = self._between(start, paused_at)
                if target <= counted:
                    break
                target -= counted
                start = resumed_at
        return self._add(start, target)

    def between(self, start: int, end: int, pauses: Sequence[Interval] = ()) -> int:
        """Business time in `[start, end)` outside the union of the pauses, in ms; 0 where the end is not later."""
        if end <= start:
            return 0
        counted = self._between(start, end)
        if pauses:
            for paused_at, resumed_at in union(pauses):
                counted -= self._between(max(start, paused_at), min(end, resumed_at))
        return counted

    def is_open(self, at: int) -> bool:
        """True where business time is counted at the instant `at`."""
        return self._between(at, at + 1) == 1

    def _add(self, start: int, target: int) -> int | None:
        if self._always:
            return start + target
        start = max(start, _RANGE_START)
        if start >= _RANGE_END:
            return None
        number = bisect_right(_YEAR_STARTS, start) - 1
        wanted = target + (self._year(number).before(start) if number <= self._last else 0)
        while number <= self._last:
            year = self._year(number)
            if wanted <= year.total:
                index = bisect_left(year.counted, wanted)
                return year.ends[index] - (year.counted[index] - wanted)
            wanted -= year.total
            number += 1
        return None

    def _between(self, start: int, end: int) -> int:
        if end <= start:
            return 0
        if self._always:
            return end - start
        start, end = max(start, _RANGE_START), min(end, _RANGE_END)
        if end <= start:
            return 0
        first = bisect_right(_YEAR_STARTS, start) - 1
        last = bisect_left(_YEAR_STARTS, end) - 1
        counted = -self._year(first).before(start)
        for number in range(first, last):
            counted += self._year(number).total
        return counted + self._year(last).before(end)

    def _year(self, number: int) -> _Year:
        year = self._years.get(number)
        if year is None:
            year = self._years[number] = self._index(number)
        return year

    def _index(self, number: int) -> _Year:
        """The year's windows as intervals. Days on both sides are looked at: they may reach into it."""
        low, high = _YEAR_STARTS[number], _YEAR_STARTS[number + 1]
        first = date(FIRST_YEAR + number, 1, 1) - timedelta(days=3)
        days = (high - low) // DAY + 6
        found: list[Interval] = []
        for offset in range(days):
            day = first + timedelta(days=offset)
            for start, end in self._dates.get(day, self._week[day.weekday()]):
                found.append((self._edge(day, start, last=False), self._edge(day, end, last=True)))
        open_time = [(max(start, low), min(end, high)) for start, end in union(found) if start < high and end > low]
        counted = list(accumulate(end - start for start, end in open_time))
        return _Year([start for start, _ in open_time], [end for _, end in open_time], counted)

    def _edge(self, day: date, minutes: int, *, last: bool) -> int:
        wall = datetime.combine(day, time()) + timedelta(minutes=minutes)
        return edge(self._zone, wall, last=last) * 1000

    def _last_dated_year(self) -> int:
        """The last year that a date's windows can reach, where no week has any."""
        years = [day.year for day, windows in self._dates.items() if windows]
        return min(max(years) + 1 - FIRST_YEAR, _YEARS - 1) if years else -1


def _checked(windows: Sequence[Window]) -> tuple[Window, ...]:
    for start, end in windows:
        if not (0 <= start < _DAY_MINUTES and start < end <= start + _DAY_MINUTES):
            msg = f"a window of minutes {start} to {end} is not within a day of its start"
            raise ValueError(msg)
    return tuple(sorted(windows))


def _is_whole_day(windows: Sequence[Window]) -> bool:
    return union(windows) == [(0, _DAY_MINUTES)] if windows else False


ALWAYS = Calendar("always", "UTC", (((0, _DAY_MINUTES),),) * 7)
"""Open round the clock."""
