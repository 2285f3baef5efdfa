"""What `data` must hold for each kind of interaction, where it must hold anything."""

from collections.abc import Callable, Mapping
from typing import Any

from schemas.times import parse_time
from schemas.vocabulary import CHANNELS, STATUSES


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
            parse_time(due)
        except ValueError as problem:
            _fail("due_at", str(problem))


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


def _waited(data: Mapping[str, Any]) -> None:
    _number(data, "waited_s")


def _contact(data: Mapping[str, Any]) -> None:
    _number(data, "reach")


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
    "reply": _waited,
    "abandoned": _waited,
    "contact": _contact,
}
