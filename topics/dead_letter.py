"""The dead-letter envelope: a record that could not be used, kept whole, with what was wrong and where it stood.

Bytes that are UTF-8 stay readable; others are base64, and say so in a field of their own (`value_encoding`).
"""

import base64
import binascii
from dataclasses import dataclass
from typing import Any

from schemas.codec import dumps, loads
from schemas.dead_letter import DeadReason
from schemas.times import format_time

DETAIL_MAX = 1_000
"""Longest detail kept, in characters: it names a field and a rule, never the record's content."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A record as it was read, and why it was refused; a line of a file has no partition. `seen_at` in ms."""

    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]
    topic: str
    partition: int | None
    offset: int | None
    reason: DeadReason
    detail: str
    seen_at: int


def encode(refused: Refused) -> bytes:
    """The dead letter as JSON."""
    return dumps(envelope(refused))


def envelope(refused: Refused) -> dict[str, Any]:
    """The dead letter as a record (`schemas.dead_letter.DeadLetter`)."""
    return {
        "reason": refused.reason,
        "detail": refused.detail[:DETAIL_MAX],
        "topic": refused.topic,
        "partition": refused.partition,
        "offset": refused.offset,
        "seen_at": format_time(refused.seen_at),
        **_field("key", refused.key),
        **_field("value", refused.value),
        "headers": [{"name": name, **_field("value", value)} for name, value in refused.headers],
    }


def original(letter: bytes) -> tuple[bytes | None, bytes | None, list[tuple[str, bytes | None]]]:
    """Key, value and headers of the record in a dead letter, byte for byte; raises ValueError where it is none."""
    return opened(loads(letter))


def opened(read: Any) -> tuple[bytes | None, bytes | None, list[tuple[str, bytes | None]]]:
    """As `original`, of an envelope whose JSON has been read."""
    try:
        headers = [(str(header["name"]), _bytes(header, "value")) for header in read["headers"]]
        return _bytes(read, "key"), _bytes(read, "value"), headers
    except (KeyError, TypeError, AttributeError, binascii.Error) as problem:
        msg = f"not a dead letter: {problem!r}"
        raise ValueError(msg) from problem


def _field(name: str, raw: bytes | None) -> dict[str, Any]:
    if raw is None:
        return {name: None, f"{name}_encoding": "utf-8"}
    try:
        return {name: raw.decode(), f"{name}_encoding": "utf-8"}
    except UnicodeDecodeError:
        return {name: base64.b64encode(raw).decode("ascii"), f"{name}_encoding": "base64"}


def _bytes(holder: dict[str, Any], name: str) -> bytes | None:
    text = holder[name]
    if text is None:
        return None
    if holder.get(f"{name}_encoding") == "base64":
        return base64.b64decode(text, validate=True)
    return str(text).encode()
