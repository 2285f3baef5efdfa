"""What is fed: simulated lines, or recorded ones moved to the demo's time."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from agents.cli import BadInput
from agents.lines import decoded, read_lines
from schemas.codec import dumps
from schemas.identity import STRENGTH, VALUE_MAX, Identity, is_blocked, normalise
from schemas.times import format_time, parse_time
from schemas.vocabulary import CHANNELS
from streams.replay import Line as Recorded
from streams.simulate import INTERACTIONS, LINKS, Line

_COMMANDS = "escalations.commands"
_POLICIES = "policies"
_TIMES = ("occurred_at", "at", "until", "effective_at")


class Outgoing(NamedTuple):
    """A record on its way to the broker. `at` (ms) is its arrival."""

    topic: str
    key: bytes
    value: bytes
    at: int


Feedable = Line | Outgoing
"""A line, or what goes out as it is."""


@dataclass(frozen=True, slots=True)
class Recording:
    """Recorded lines in order of arrival."""

    name: str
    lines: Sequence[Recorded]

    @property
    def span(self) -> int:
        """From the first arrival to the last, in ms."""
        return self.lines[-1].arrived_at - self.lines[0].arrived_at

    def shifted(self, start: int) -> Iterator[Feedable]:
        """The lines with all their times moved by one constant, so that the first arrives at `start` (ms).

        A line that is no JSON object goes out as it is: the processor sets it aside.
        """
        shift = start - self.lines[0].arrived_at
        for line in decoded(self.lines):
            at = line.arrived_at + shift
            if isinstance(line.value, dict):
                yield Line(line.topic, at, _shift(line.value, shift))
            else:
                yield Outgoing(f"{INTERACTIONS}.{CHANNELS[0]}", b"", line.raw, at)


def read_recording(path: str) -> Recording:
    """The lines of a `.jsonl` or `.gz` file, or of standard input (`-`). Raises BadInput."""
    lines = read_lines([path])
    if not lines:
        raise BadInput(f"{path}: holds no lines")
    return Recording(path, lines)


def _shift(value: dict[str, Any], shift: int) -> dict[str, Any]:
    moved = value | {name: _moved(value[name], shift) for name in _TIMES if name in value}
    data = value.get("data")
    if isinstance(data, dict) and "due_at" in data:
        moved["data"] = data | {"due_at": _moved(data["due_at"], shift)}
    return moved


def _moved(text: Any, shift: int) -> Any:
    try:
        return format_time(parse_time(text) + shift)
    except (ValueError, TypeError, OverflowError):
        return text  # not a time: it goes where bad records go


def outgoing(line: Feedable) -> Outgoing:
    """The record that a line becomes: which topic, under which key."""
    if isinstance(line, Outgoing):
        return line
    value = line.value
    if line.topic == LINKS:
        topic, key = LINKS, "|".join(str(one) for one in sorted(_identities([value.get("a"), value.get("b")])))
    elif line.topic == _COMMANDS:
        topic, key = _COMMANDS, str(value.get("customer_id", ""))
    elif line.topic == _POLICIES:
        topic, key = _POLICIES, str(value.get("version", ""))
    else:
        channel = value.get("channel")
        topic = f"{INTERACTIONS}.{channel if channel in CHANNELS else CHANNELS[0]}"
        key = primary(value)
    return Outgoing(topic, key.encode(), dumps(value), line.at)


def primary(value: Mapping[str, Any]) -> str:
    """The key of an interaction: its strongest identity that is not blocked, else its thread."""
    usable = [identity for identity in _identities(value.get("identities")) if not is_blocked(identity)]
    if usable:
        return str(min(usable, key=lambda identity: STRENGTH[identity.type]))
    return f"thread:{value.get('thread', '')}"


def _identities(records: Any) -> list[Identity]:
    found = []
    for one in records if isinstance(records, list) else ():
        kind, name = (one.get("type"), one.get("value")) if isinstance(one, dict) else (None, None)
        if kind in STRENGTH and isinstance(name, str) and len(name) <= VALUE_MAX:
            found.append(normalise(kind, name))
    return found
