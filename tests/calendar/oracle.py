"""A slow calendar that shares nothing with the fast one: it steps through the minutes and looks at a clock on the wall.

Where each window begins and ends is found by looking at every minute's wall time (UTC to local, the direction
that is never ambiguous); what is open is a set of minutes; counting is counting.
"""

from datetime import UTC, timedelta
from importlib import resources
from zoneinfo import ZoneInfo

MINUTE = 60_000
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def zone_of(name):
    with resources.files("tzdata").joinpath("zoneinfo", *name.split("/")).open("rb") as file:
        return ZoneInfo.from_file(file, key=name)


class SlowCalendar:
    """Open minutes of the span from `first` (a UTC date at midnight) over `days` days; only inside it are answers right."""

    def __init__(self, zone, week, dates, first, days):
        self.first = int(first.replace(tzinfo=UTC).timestamp()) // 60
        self.count = days * 1440
        moment = first.replace(tzinfo=UTC)
        local = zone_of(zone)
        self.wall = [
            (moment + timedelta(minutes=i)).astimezone(local).replace(tzinfo=None, fold=0) for i in range(self.count)
        ]
        self.opens = bytearray(self.count)
        for offset in range(-2, days + 3):
            day = first + timedelta(days=offset)
            for start, end in dates.get(day.date(), week[day.weekday()]):
                self._mark(day + timedelta(minutes=start), day + timedelta(minutes=end))

    def _mark(self, start, end):
        begin, finish = self._find(start, last=False), self._find(end, last=True)
        for minute in range(begin, finish):
            self.opens[minute] = 1

    def _find(self, wanted, *, last):
        """The minute at which the wall shows `wanted` (the last such), else the first at which it shows later."""
        shown = [i for i in self._near(wanted) if self.wall[i] == wanted]
        if shown:
            return shown[-1] if last else shown[0]
        later = [i for i in self._near(wanted) if self.wall[i] > wanted]
        return later[0] if later else self.count

    def _near(self, wanted):
        """The minutes whose wall time can be `wanted`: offsets are less than 16 hours, changes at most a day."""
        middle = int(wanted.replace(tzinfo=UTC).timestamp()) // 60 - self.first
        return range(max(0, middle - 2500), min(self.count, middle + 2500))

    def between(self, start, end, pauses):
        """Open minutes from `start` to `end` outside the pauses; all in minutes since the epoch."""
        return sum(
            1
            for minute in range(start, end)
            if self.opens[minute - self.first] and not any(a <= minute < b for a, b in pauses)
        )

    def add(self, start, target, pauses):
        """The minute by which `target` open minutes are over; None where the span ends first."""
        if not target:
            return start
        for minute in range(start, self.first + self.count):
            if self.opens[minute - self.first] and not any(a <= minute < b for a, b in pauses):
                target -= 1
                if not target:
                    return minute + 1
        return None
