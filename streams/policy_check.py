"""What a model cannot see: names that must be defined, zones, windows that overlap, ladders that do not rise.

The checks work on the value as it was written and pass over parts of the wrong shape, which the model reports;
so one run finds everything.
"""

from collections.abc import Iterator
from typing import Any

from schemas.policy import ROW_METRICS
from schemas.policy_fields import as_text
from schemas.policy_problem import Path, closest
from schemas.times import parse_duration, parse_time
from streams.calendar_zones import TZDATA_VERSION, zone_names
from streams.policy_messages import Finding
from streams.policy_windows import overlaps


def check(value: Any) -> Iterator[Finding]:
    """The findings in a document's value that its model does not make."""
    document = _mapping(value)
    yield from _calendars(document)
    yield from _calendar_names(document)
    yield from _targets(document)
    yield from _roles(document)
    yield from _ladders(document)
    yield from _silences(document)
    yield from _patterns(document)


def _calendars(document: dict[str, Any]) -> Iterator[Finding]:
    for name, calendar in _mapping(document.get("calendars")).items():
        zone = as_text(_mapping(calendar).get("zone"))
        if isinstance(zone, str) and zone not in zone_names():
            message = f"{zone[:60]!r} is not a time zone of the IANA database {TZDATA_VERSION}"
            yield Finding(("calendars", name, "zone"), message, _close_zone(zone))
        for path, message in overlaps(_mapping(calendar)):
            yield Finding(("calendars", name, *path), message)


def _close_zone(zone: str) -> str | None:
    """A zone that `zone` is like, by its whole name or by its city."""
    whole = closest(zone.replace(" ", "_"), sorted(zone_names()), 0.8)
    if whole:
        return whole
    cities = {name.rpartition("/")[2]: name for name in sorted(zone_names())}
    city = closest(zone.rpartition("/")[2].replace(" ", "_"), cities, 0.8)
    return cities[city] if city else None


def _calendar_names(document: dict[str, Any]) -> Iterator[Finding]:
    known = {*_mapping(document.get("calendars")), "always"}
    used: list[tuple[Path, Any]] = [
        (("channels", name, "calendar"), _mapping(channel).get("calendar"))
        for name, channel in _mapping(document.get("channels")).items()
    ]
    used += [
        (("targets", index, "calendar"), _mapping(row).get("calendar"))
        for index, row in enumerate(_list(document.get("targets")))
    ]
    used.append((("issue_resolution", "calendar"), _mapping(document.get("issue_resolution")).get("calendar")))
    for path, given in used:
        name = as_text(given)
        if isinstance(name, str) and name not in known:
            yield Finding(path, f"no calendar is called {name[:60]!r}", closest(name, known))


def _targets(document: dict[str, Any]) -> Iterator[Finding]:
    for index, row in enumerate(_list(document.get("targets"))):
        if isinstance(row, dict) and all(row.get(metric) is None for metric in ROW_METRICS):
            yield Finding(("targets", index), f"gives no target: one of {', '.join(ROW_METRICS)}")


def _roles(document: dict[str, Any]) -> Iterator[Finding]:
    roles = document.get("roles")
    if not isinstance(roles, dict):
        return  # without a list of roles, a role is defined by being named
    used: list[tuple[Path, Any]] = [
        (("ladders", severity, index, "role"), _mapping(step).get("role"))
        for severity, steps in _mapping(document.get("ladders")).items()
        for index, step in enumerate(_list(steps))
    ]
    used += [
        (("routes", index, "role"), _mapping(route).get("role"))
        for index, route in enumerate(_list(document.get("routes")))
    ]
    for path, given in used:
        name = as_text(given)
        if isinstance(name, str) and name not in roles:
            yield Finding(path, f"no role is called {name[:60]!r}", closest(name, roles))


def _ladders(document: dict[str, Any]) -> Iterator[Finding]:
    for severity, steps in _mapping(document.get("ladders")).items():
        last = -1
        for index, step in enumerate(_list(steps)):
            after = _duration(_mapping(step).get("after"))
            if after is None:
                continue
            if after <= last:
                yield Finding(("ladders", severity, index, "after"), "each step must be later than the one before")
            last = max(last, after)


def _silences(document: dict[str, Any]) -> Iterator[Finding]:
    for index, silence in enumerate(_list(document.get("silences"))):
        try:
            since, until = parse_time(_mapping(silence)["from"]), parse_time(_mapping(silence)["until"])
        except (KeyError, TypeError, ValueError):
            continue
        if until <= since:
            yield Finding(("silences", index, "until"), "must be later than from")


def _patterns(document: dict[str, Any]) -> Iterator[Finding]:
    dropped = _mapping(_mapping(document.get("patterns")).get("handoff_dropped"))
    if dropped.get("window") is not None and dropped.get("handoff_window") is not None:
        path = ("patterns", "handoff_dropped", "handoff_window")
        yield Finding(path, "window and handoff_window are the same here: give one", at_key=True)


def _duration(value: Any) -> int | None:
    try:
        return 0 if value == 0 else parse_duration(value)
    except (AttributeError, TypeError, ValueError):
        return None


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
