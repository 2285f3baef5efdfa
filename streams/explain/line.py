"""A line of a story, and the words that all lines share."""

from typing import Any, NamedTuple

from schemas.times import DAY, HOUR, MINUTE, SECOND, format_time
from streams.event import Event

KINDS = ("policy", "input", "identity", "clock", "pattern", "escalation", "now")
"""Kinds of lines, in the order in which one instant is told: what happened before what follows from it."""
ORDER = {kind: place for place, kind in enumerate(KINDS)}


class StoryLine(NamedTuple):
    """One thing that happened or came to be, at `at` (ms). `refs` are ids: of events, clocks, issues, escalations."""

    at: int
    kind: str
    text: str
    refs: tuple[str, ...] = ()

    def as_record(self) -> dict[str, Any]:
        """As a JSON object."""
        return {"at": format_time(self.at), "kind": self.kind, "text": self.text, "refs": list(self.refs)}


def when(at: int) -> str:
    """An instant as people write it in a log: `2026-06-08 13:00:00`, with milliseconds where there are any."""
    text = format_time(at)[:-1].replace("T", " ")
    return text.removesuffix(".000")


def span(length: int) -> str:
    """A duration in its two largest units: `2d 3h`, `1h 5m`, `12s`; `0s` for nothing."""
    if length < 0:
        return f"-{span(-length)}"
    parts = []
    rest = length
    for unit, name in ((DAY, "d"), (HOUR, "h"), (MINUTE, "m"), (SECOND, "s")):
        count, rest = divmod(rest, unit)
        if count:
            parts.append(f"{count}{name}")
    if not parts:
        return f"{length}ms" if length else "0s"
    return " ".join(parts[:2])


def what(event: Event) -> str:
    """An event in a few words: kind, channel and who."""
    return f"{event.kind} by {event.channel}"
