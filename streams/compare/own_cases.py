"""What one run's escalations amount to in the end: who stands, since when, on which topic and in which group.

Told from the revisions of each escalation, in order; what was decided over many escalations is held against it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from schemas.times import parse_time
from streams.compare.report import Record
from streams.policy import Policy
from streams.storm_addresses import Address, Addresses

HOTSPOT = "hotspot"
_NEEDED = ("escalation_id", "revision", "kind", "status", "severity", "backfilled", "route", "detected_at", "summary")


class OwnCase(NamedTuple):
    """An escalation that is not resolved. Times in ms."""

    customer_id: str
    topic: str
    """The topic on which it counts; empty: on none."""
    hot_at: int
    """When it was said to be error or critical, or to have risen to critical,"""
    came_at: int
    """and when it came to this topic as this customer's."""
    group: str
    """The group in which it pages; empty: in none."""
    calls: bool
    """It is open: neither acknowledged nor suppressed."""
    rang_at: int
    """When it last called for somebody."""


@dataclass(slots=True)
class OwnCases:
    """Of one run."""

    standing: list[OwnCase] = field(default_factory=list)
    left_topic: dict[str, int] = field(default_factory=dict)
    """By topic when (ms) somebody left it last,"""
    left_group: dict[str, int] = field(default_factory=dict)
    """and by group."""
    hotspots: list[Record] = field(default_factory=list)
    """The newest revision of each hotspot."""


def own_cases(records: Iterable[Record], policy: Policy) -> OwnCases:
    """Sum up escalation records, in any order and as often as they come. Raises ValueError for one that is none."""
    by_id: dict[str, dict[int, Record]] = {}
    for record in records:
        missing = [name for name in _NEEDED if name not in record]
        if missing:
            raise ValueError(f"escalation {record.get('escalation_id')}: {missing[0]} is missing")
        slim = {name: value for name, value in record.items() if name not in ("timeline", "threads", "evidence")}
        by_id.setdefault(record["escalation_id"], {})[record["revision"]] = slim
    found = OwnCases()
    for revisions in by_id.values():
        ordered = [revisions[number] for number in sorted(revisions)]
        _sum_up(found, ordered, policy)
        if ordered[-1]["kind"] == HOTSPOT:
            found.hotspots.append(ordered[-1])
    return found


def _sum_up(found: OwnCases, revisions: list[Record], policy: Policy) -> None:
    addresses, came_at = Addresses(), 0
    before: Address | None = None
    for record in revisions:
        at = parse_time(record["detected_at"])
        addresses.take(record, policy)
        now = addresses.known.get(record["escalation_id"])
        if before is not None:
            if now is None or now.topic != before.topic:
                _note(found.left_topic, before.topic, at)
            if now is None or now.group != before.group:
                _note(found.left_group, before.group, at)
        if now is not None and (before is None or _place(now) != _place(before)):
            came_at = at
        before = now
    if before is None:
        return
    message = before.message
    found.standing.append(
        OwnCase(
            customer_id=message.get("customer_id", ""),
            topic=before.topic,
            hot_at=message.get("hot_at", 0),
            came_at=came_at,
            group=before.group,
            calls=message["status"] == "open",
            rang_at=message["rang_at"],
        )
    )


def _place(address: Address) -> tuple[str, str | None]:
    return address.topic, address.message.get("customer_id")


def _note(left: dict[str, int], name: str, at: int) -> None:
    if name:
        left[name] = max(left.get(name, at), at)
