"""Time zones from the pinned `tzdata` package: never the system's, so that every worker counts alike."""

from datetime import UTC, datetime, timedelta
from functools import cache
from importlib import resources
from zoneinfo import ZoneInfo

import tzdata  # type: ignore[import-untyped]  # ships no stubs

TZDATA_VERSION: str = tzdata.IANA_VERSION
"""Release of the IANA database that all times are counted with, such as `2026a`."""

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - wall time, on purpose
_UTC_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)


@cache
def zone_names() -> frozenset[str]:
    """The names of all zones of the database."""
    return frozenset(resources.files(tzdata).joinpath("zones").read_text(encoding="ascii").split())


@cache
def load_zone(name: str) -> ZoneInfo:
    """The zone of an IANA name; raises ValueError where there is none."""
    if name not in zone_names():
        msg = f"{name[:60]!r} is not a time zone of the IANA database {TZDATA_VERSION}"
        raise ValueError(msg)
    with resources.files(tzdata).joinpath("zoneinfo", *name.split("/")).open("rb") as file:
        return ZoneInfo.from_file(file, key=name)


def edge(zone: ZoneInfo, wall: datetime, *, last: bool) -> int:
    """Seconds since the epoch at which the clocks of `zone` show the naive time `wall`.

    A time that they show twice is its first occurrence, or its second with `last`; one that they skip
    is the first instant after the gap.
    """
    before = _offset(zone, wall, fold=0)
    after = _offset(zone, wall, fold=1)
    seconds = (wall - _EPOCH) // _SECOND
    if before == after:
        return seconds - before
    if before > after:
        return seconds - (after if last else before)
    return _end_of_gap(zone, seconds - after, seconds - before, after)


def _offset(zone: ZoneInfo, wall: datetime, *, fold: int) -> int:
    offset = wall.replace(tzinfo=zone, fold=fold).utcoffset()
    return offset // _SECOND if offset is not None else 0


def _end_of_gap(zone: ZoneInfo, low: int, high: int, after: int) -> int:
    """The transition in (low, high]: the first second at which the offset is `after`."""
    while high - low > 1:
        middle = (low + high) // 2
        offset = (_UTC_EPOCH + middle * _SECOND).astimezone(zone).utcoffset()
        if offset is not None and offset // _SECOND == after:
            high = middle
        else:
            low = middle
    return high
