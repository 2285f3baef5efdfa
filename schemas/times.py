"""Instants and durations.

Inside the program an instant is an `int`: milliseconds since 1970-01-01T00:00:00Z; a duration is an
`int` of milliseconds. Text exists only at the edges, and this module is the edge.
"""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache

SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

INSTANT_MIN = -62_135_596_800_000
"""The first instant of the year 1: before it an offset can lead, but no time in UTC can be written."""
INSTANT_MAX = 10**14
"""In the year 5138: whatever a policy adds to it can still be written."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TICK = timedelta(milliseconds=1)
_RFC3339 = re.compile(
    r"\d{4}-\d{2}-\d{2}[Tt ](?:[01]\d|2[0-3]):[0-5]\d:(?:[0-5]\d|60)(?:\.\d{1,9})?"
    r"(?:[Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)",
    re.ASCII,
)
_DURATION = re.compile(r"(\d{1,9})(ms|s|m|h|d)", re.ASCII)
_UNITS = {"ms": 1, "s": SECOND, "m": MINUTE, "h": HOUR, "d": DAY}


def parse_time(text: str) -> int:
    """Milliseconds since the epoch of an RFC 3339 instant with an offset (`2026-06-08T13:00:00Z`).

    Finer fractions are cut off. Raises ValueError where the text is not one, or has no offset.
    """
    if not _RFC3339.fullmatch(text):
        msg = f"{text[:40]!r} is not an RFC 3339 time with an offset, such as 2026-06-08T13:00:00Z"
        raise ValueError(msg)
    leap = text[17:19] == "60"  # RFC 3339 allows leap seconds; datetime does not: count it as the next second
    plain = text[:17] + "59" + text[19:] if leap else text
    moment = datetime.fromisoformat(plain.upper().replace(" ", "T"))
    return (moment - _EPOCH) // _TICK + (SECOND if leap else 0)


def check_instant(at: int) -> int:
    """`at` (ms) as it is; raises ValueError where it is so far off that what follows from it could not be written."""
    if INSTANT_MIN <= at <= INSTANT_MAX:
        return at
    msg = "not between the years 1 and 5138"
    raise ValueError(msg)


@lru_cache(maxsize=4096)
def format_time(at: int) -> str:
    """The instant `at` (ms since the epoch) as RFC 3339 in UTC with milliseconds: `2026-06-08T13:00:00.000Z`."""
    moment = _EPOCH + timedelta(milliseconds=at)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{at % 1000:03d}Z"


def format_optional(at: int | None) -> str | None:
    """`format_time`, or None for None."""
    return None if at is None else format_time(at)


def parse_duration(text: str) -> int:
    """Milliseconds of a policy's duration: `90s`, `15m`, `4h`, `2d` (a day is 24 hours), or `250ms`.

    Raises ValueError where the text is not one.
    """
    match = _DURATION.fullmatch(text.strip())
    if not match:
        msg = f"{text[:40]!r} is not a duration, such as 90s, 15m, 4h or 2d"
        raise ValueError(msg)
    return int(match[1]) * _UNITS[match[2]]


def seconds(duration: int) -> float | int:
    """A duration in ms as seconds: a whole number where it is one (3600, 0.5)."""
    whole, rest = divmod(duration, SECOND)
    return whole if not rest else duration / SECOND
