"""Lines of recorded input, from files, in order of arrival."""

import gzip
import sys
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any

from agents.cli import BadInput
from schemas.times import parse_time
from streams.intake import Rejected, parse
from streams.replay import Line

TOPICS = ("interactions", "identities.links", "escalations.commands", "policies")
LINE_MAX = 1_048_576
"""Longest line whose JSON is read, in bytes (contract, `limits.max_bytes`)."""


def read_lines(files: Iterable[str], limit: int = LINE_MAX) -> list[Line]:
    """All lines of the files, by arrival; lines of one instant stay in their order.

    Values stay bytes until they are taken (`decoded`), so that half a year fits in memory. Raises BadInput for
    a file that cannot be read.
    """
    found: list[Line] = []
    now = 0
    for name in files:
        for raw in _raw_lines(name):
            line = _line(raw, now, limit)
            now = line.arrived_at
            found.append(line)
    found.sort(key=lambda line: line.arrived_at)
    return found


def decoded(lines: Iterable[Line], limit: int = LINE_MAX) -> Iterator[Line]:
    """The lines with their values read."""
    for line in lines:
        if isinstance(line.value, Rejected):
            yield line
            continue
        value = parse(line.raw, limit)
        if isinstance(value, dict) and _is_envelope(value):
            value = value["value"]
        elif isinstance(value, dict) and "value" in value and "id" not in value:
            value = Rejected("schema", f"topic: not one of {', '.join(TOPICS)}")
        yield line._replace(value=value)


def _line(raw: bytes, now: int, limit: int) -> Line:
    value = parse(raw, limit)
    if isinstance(value, Rejected):
        return Line(now, "interactions", value, raw)
    topic = "interactions"
    arrived: Any = None
    if isinstance(value, dict) and _is_envelope(value):
        topic, arrived, value = _topic(value["topic"]), value.get("arrived_at"), value["value"]
    own = value if isinstance(value, dict) else {}
    for text in (arrived, own.get("occurred_at"), own.get("at"), own.get("effective_at")):
        if isinstance(text, str):
            try:
                return Line(parse_time(text), topic, None, raw)
            except ValueError:
                continue
    return Line(now, topic, None, raw)  # no time of its own: it came with the line before


def _is_envelope(value: dict[str, Any]) -> bool:
    return "value" in value and isinstance(value.get("topic"), str) and _topic(value["topic"]) in TOPICS


def _topic(name: str) -> str:
    return "interactions" if name.startswith("interactions.") else name


def _raw_lines(name: str) -> Iterator[bytes]:
    try:
        with _opened(name) as file:
            for raw in file:
                if raw.strip():
                    yield raw.strip()
    except OSError as problem:
        raise BadInput(f"{name}: {problem.strerror or problem}") from problem
    except (EOFError, zlib.error) as problem:
        raise BadInput(f"{name}: not a whole gzip file: {problem}") from problem


def _opened(name: str) -> IO[bytes] | gzip.GzipFile:
    if name == "-":
        return sys.stdin.buffer
    path = Path(name)
    if path.suffix == ".gz":
        return gzip.open(path, "rb")
    return path.open("rb")
