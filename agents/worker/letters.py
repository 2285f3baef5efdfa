"""Dead letters: written as the envelope, counted always, logged once per reason and minute."""

import time
from dataclasses import dataclass
from typing import Any, cast

from agents import log
from agents.worker.ports import Dead
from schemas.dead_letter import DeadReason
from topics.dead_letter import Refused, encode
from topics.table import physical

_LOG_EVERY_S = 60.0
_log = log.get("mindgap.dead_letters")
_logged: dict[str, float] = {}


@dataclass(frozen=True, slots=True)
class Buried:
    """A record that is given up, by the shell."""

    record: Any
    reason: str
    detail: str


def dead_letter(dead: Dead, prefix: str, seen_at: int) -> bytes:
    """The value of the dead-letter record; `seen_at` in ms."""
    record = dead.record
    _log_now_and_then(dead)
    return encode(
        Refused(
            key=record.key,
            value=record.value,
            headers=tuple((str(name), value) for name, value in (record.headers or ())),
            topic=physical(prefix, record.topic),
            partition=record.partition,
            offset=record.offset,
            reason=cast("DeadReason", dead.reason),
            detail=dead.detail,
            seen_at=seen_at,
        )
    )


def _log_now_and_then(dead: Dead) -> None:
    now = time.monotonic()
    if now - _logged.get(dead.reason, -_LOG_EVERY_S) >= _LOG_EVERY_S:
        _logged[dead.reason] = now
        record = dead.record
        _log.warning(
            "record_dead_lettered",
            reason=dead.reason,
            topic=record.topic,
            partition=record.partition,
            offset=record.offset,
        )
