"""What came in: the customer's log, event by event."""

from collections.abc import Iterable, Iterator

from schemas.times import MINUTE
from streams.event import Event
from streams.explain.line import StoryLine, span

LATE = MINUTE
"""From this delay on (ms), an event's arrival is told."""

_TOLD = {
    "status": ("status", "{}"),
    "deflect": ("to", "to {}"),
    "transfer": ("to_team", "to team {}"),
    "merge": ("into", "into {}"),
    "promise": ("due_at", "for {}"),
    "feedback": ("score", "score {}"),
}


def input_lines(events: Iterable[Event], *, texts: bool = False) -> Iterator[StoryLine]:
    """One line for each event; what was written only with `texts`."""
    for event in events:
        parts = [f"{event.kind}{_detail(event)} on {event.channel}, {_who(event)}"]
        if event.thread is not None:
            parts.append(f"thread {event.thread}")
        parts += [f"{name} {value}" for name in ("topic", "issue", "priority") if (value := getattr(event, name))]
        parts += [name for name in ("auto", "canned", "queued") if event.data.get(name)]
        text = f"{', '.join(parts)} [{event.id}]"
        if event.arrived_at - event.at >= LATE:
            text += f"; it arrived {span(event.arrived_at - event.at)} late"
        if texts and event.excerpt:
            text += f': "{event.excerpt}"'
        yield StoryLine(event.at, "input", text, (event.id,))


def _detail(event: Event) -> str:
    name, form = _TOLD.get(event.kind, ("", ""))
    value = event.data.get(name)
    return "" if value is None else " " + form.format(value)


def _who(event: Event) -> str:
    team = f" of {event.team}" if event.team else ""
    return f"{event.actor}{team}"
