"""What `data` must hold for each kind of interaction, where it must hold anything."""

from collections.abc import Callable, Mapping
from typing import Any

from schemas.times import check_instant, parse_time
from schemas.vocabulary import CHANNELS, STATUSES

WORD_MAX = 255
"""Longest word in `data`, in characters: of what is kept, nothing may be of any length."""
WHAT_MAX = 1_000
"""Longest description of what was promised, in characters."""


def check_data(kind: str, data: Mapping[str, Any]) -> None:
    """Raises ValueError (`data.FIELD: what is wrong`) where the data of a `kind` event cannot be used."""
    check = _CHECKS.get(kind)
    if check:
        check(data)


def _promise(data: Mapping[str, Any]) -> None:
    due = data.get("due_at")
    if not isinstance(due, str):
        _fail("due_at", "a promise needs the time by which it is due")
    else:
        try:
            check_instant(parse_time(due))
        except ValueError as problem:
            _fail("due_at", str(problem))
    what = data.get("what")
    if what is not None and not (isinstance(what, str) and len(what) <= WHAT_MAX):
        _fail("what", f"a text of at most {WHAT_MAX} characters")


def _status(data: Mapping[str, Any]) -> None:
    if data.get("status") not in STATUSES:
        _fail("status", f"one of {', '.join(STATUSES)}")


def _merge(data: Mapping[str, Any]) -> None:
    into = data.get("into")
    if not isinstance(into, str) or not 0 < len(into) <= 255:
        _fail("into", "a merge names the thread it goes into")


def _deflect(data: Mapping[str, Any]) -> None:
    if data.get("to") is not None and data["to"] not in CHANNELS:
        _fail("to", f"one of {', '.join(CHANNELS)}")


def _transfer(data: Mapping[str, Any]) -> None:
    _word(data, "to_team")


def _feedback(data: Mapping[str, Any]) -> None:
    _word(data, "score")


def _reply(data: Mapping[str, Any]) -> None:
    _waited(data)
    _word(data, "auto")
    _word(data, "canned")


def _waited(data: Mapping[str, Any]) -> None:
    _number(data, "waited_s")


def _contact(data: Mapping[str, Any]) -> None:
    _number(data, "reach")
    _word(data, "queued")


def _word(data: Mapping[str, Any], name: str) -> None:
    value = data.get(name)
    short = not isinstance(value, str) or len(value) <= WORD_MAX
    if value is not None and not (isinstance(value, str | bool | int | float) and short):
        _fail(name, f"a number, true or false, or a word of at most {WORD_MAX} characters")


def _number(data: Mapping[str, Any], name: str) -> None:
    value = data.get(name)
    if value is not None and (isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e15):
        _fail(name, "a number, not negative")


def _fail(name: str, what: str) -> None:
    msg = f"data.{name}: {what}"
    raise ValueError(msg)


_CHECKS: dict[str, Callable[[Mapping[str, Any]], None]] = {
    "promise": _promise,
    "status": _status,
    "merge": _merge,
    "deflect": _deflect,
    "answered": _waited,
    "reply": _reply,
    "transfer": _transfer,
    "feedback": _feedback,
    "abandoned": _waited,
    "contact": _contact,
}
