"""Words for times, lengths, counts and channels in sentences for people. Times in ms, told in UTC."""

from datetime import UTC, datetime
from functools import lru_cache

from schemas.times import DAY, HOUR, MINUTE

_PLACES = {
    "social": "on social media",
    "community": "in the community",
    "in_person": "in person",
    "partner": "through a partner",
}


@lru_cache(maxsize=8192)
def day(at: int) -> str:
    """`8 Jun`."""
    moment = datetime.fromtimestamp(at / 1000, UTC)
    return f"{moment.day} {moment:%b}"


@lru_cache(maxsize=8192)
def when(at: int) -> str:
    """`8 Jun 12:00`."""
    moment = datetime.fromtimestamp(at / 1000, UTC)
    return f"{moment.day} {moment:%b %H:%M}"


def span(length: int) -> str:
    """`55 min`, `70 h`, `5 d`: whole ones, rounded down."""
    if length < HOUR:
        return f"{length // MINUTE} min"
    if length < 4 * DAY:
        return f"{length // HOUR} h"
    return f"{length // DAY} d"


def times(number: int) -> str:
    """`once`, `twice`, `3 times`."""
    return {1: "once", 2: "twice"}.get(number, f"{number} times")


def ordinal(number: int) -> str:
    """`1st`, `2nd`, `3rd`, `4th`."""
    last = number % 10 if number % 100 not in (11, 12, 13) else 0
    return f"{number}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(last, 'th') }"


def contact_by(channel: str, *, public: bool) -> str:
    """What a contact on the channel is called: `phone`, `public post`."""
    name = channel.replace("_", " ")
    if not public:
        return name
    return "public post" if channel == "social" else f"public {name} post"


def on(channel: str) -> str:
    """Where somebody answered: `by phone`, `on social media`."""
    return _PLACES.get(channel, f"by {channel}")
