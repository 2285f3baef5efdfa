"""Times, durations and foreign text, as they stand on a terminal."""

import re
from datetime import UTC, datetime

from schemas.times import DAY, HOUR, MINUTE, SECOND

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069]+")


def moment(at: int) -> str:
    """An instant (ms) as `Tue 02 Jun 14:03`, in UTC."""
    return datetime.fromtimestamp(at // SECOND, UTC).strftime("%a %d %b %H:%M")


def span(duration: float) -> str:
    """A duration (ms) in its two largest units: `2 d 4 h`, `3 h 20 m`, `45 s`. The sign is dropped."""
    rest = abs(int(duration))
    for unit, name, smaller, small in ((DAY, "d", HOUR, "h"), (HOUR, "h", MINUTE, "m"), (MINUTE, "m", SECOND, "s")):
        if rest >= unit:
            whole, part = rest // unit, rest % unit // smaller
            return f"{whole} {name} {part} {small}" if part else f"{whole} {name}"
    return f"{rest // SECOND} s"


def clean(text: object, limit: int = 200) -> str:
    """Text of unknown origin without control characters: a terminal obeys those, and a customer chose them."""
    plain = _CONTROL.sub(" ", str(text)).strip()
    return plain if len(plain) <= limit else plain[: limit - 3].rstrip() + "..."


def label(name: str) -> str:
    """`third_channel` as `third channel`."""
    return name.replace("_", " ")


def count(number: int, noun: str) -> str:
    """`1 warning`, `2 warnings`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
