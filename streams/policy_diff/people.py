"""What a policy asks of people: pages by role, in the night, and in their busiest hour."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from schemas.times import SECOND, format_time

NIGHT_FROM, NIGHT_UNTIL = 22, 6
"""Hours of the night in the zone that is asked for: from 22:00 to 06:00."""


class Peak(NamedTuple):
    """The busiest hour under one policy: its first instant (ms), the pages in it, and those under the other policy."""

    hour: int
    pages: int
    other: int

    def as_record(self) -> dict[str, Any]:
        """As in the report."""
        return {"hour": format_time(self.hour), "pages": self.pages, "other": self.other}


class Load(NamedTuple):
    """What one role, or everybody, gets under two policies: (old, new)."""

    pages: tuple[int, int]
    night: tuple[int, int]
    peak: tuple[Peak | None, Peak | None]

    @property
    def change(self) -> int:
        """How many pages more."""
        return self.pages[1] - self.pages[0]

    def as_record(self) -> dict[str, Any]:
        """As in the report."""
        old, new = self.peak
        return {
            "pages": {"old": self.pages[0], "new": self.pages[1]},
            "night_pages": {"old": self.night[0], "new": self.night[1]},
            "busiest_hour": {"old": old.as_record() if old else None, "new": new.as_record() if new else None},
        }


def loads(
    old: Mapping[tuple[str, int], int], new: Mapping[tuple[str, int], int], zone: ZoneInfo
) -> tuple[Load, dict[str, Load]]:
    """Everybody's load, and that of each role, those with the greatest change first. Keys are (role, hour in ms)."""
    roles = {role for role, _ in (*old, *new)}
    night = _nights((hour for _, hour in (*old, *new)), zone)
    found = {role: _load(_hours(old, role), _hours(new, role), night) for role in roles}
    ordered = sorted(found, key=lambda role: (-abs(found[role].change), -max(found[role].pages), role))
    return _load(_hours(old), _hours(new), night), {role: found[role] for role in ordered}


def _hours(pages: Mapping[tuple[str, int], int], wanted: str | None = None) -> dict[int, int]:
    hours: dict[int, int] = {}
    for (role, hour), count in pages.items():
        if wanted in (None, role):
            hours[hour] = hours.get(hour, 0) + count
    return hours


def _load(old: Mapping[int, int], new: Mapping[int, int], night: frozenset[int]) -> Load:
    at_night = [sum(count for hour, count in side.items() if hour in night) for side in (old, new)]
    return Load((sum(old.values()), sum(new.values())), (at_night[0], at_night[1]), (_peak(old, new), _peak(new, old)))


def _peak(mine: Mapping[int, int], other: Mapping[int, int]) -> Peak | None:
    """The first of the busiest hours."""
    if not mine:
        return None
    hour = min(mine, key=lambda hour: (-mine[hour], hour))
    return Peak(hour, mine[hour], other.get(hour, 0))


def _nights(hours: Iterable[int], zone: ZoneInfo) -> frozenset[int]:
    return frozenset(hour for hour in set(hours) if not NIGHT_UNTIL <= local(hour, zone).hour < NIGHT_FROM)


def local(at: int, zone: ZoneInfo) -> datetime:
    """An instant (ms) as people in the zone see it."""
    return datetime.fromtimestamp(at // SECOND, UTC).astimezone(zone)
