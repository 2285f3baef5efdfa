"""Two sides held against each other: the report of `mindgap policy diff`; `Diff.as_record` says what is in it."""

from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from schemas.times import format_optional, format_time, seconds
from streams.intervals import FOREVER
from streams.policy_diff.match import Pair, changes, pairs
from streams.policy_diff.people import Load, loads
from streams.policy_diff.rows import Breakdown, first, median
from streams.policy_diff.side import CLOCK_METRICS, Clocks, Seen, Side


@dataclass(frozen=True, slots=True)
class Breaches:
    """Clocks that were breached, by whom it is seen."""

    both: int
    only_old: int
    only_new: int

    @property
    def old(self) -> int:
        """All under the old policy."""
        return self.both + self.only_old

    @property
    def new(self) -> int:
        """All under the new policy."""
        return self.both + self.only_new

    def as_record(self) -> dict[str, int]:
        """As in the report."""
        return {name: getattr(self, name) for name in ("old", "new", "both", "only_old", "only_new")}


@dataclass(slots=True)
class Diff:
    """What would change."""

    old: Side
    new: Side
    zone: ZoneInfo
    found: Breakdown
    breaches: Breaches
    by_metric: dict[str, Breaches]
    everybody: Load
    roles: dict[str, Load]

    @property
    def differs(self) -> bool:
        """False where switching would change nothing that is looked at."""
        return bool(
            self.found.total.changed
            or self.old.pages != self.new.pages
            or self.old.notifications != self.new.notifications
            or self.old.dead != self.new.dead
            or self.old.clocks != self.new.clocks
        )

    def as_record(self) -> dict[str, Any]:
        """The report as one JSON object; `old` and `new` are counts under either policy.

        - `differs`: true or false
        - `zone`: the time zone of what is said about nights
        - `totals`: `escalations`, `revisions`, `breaches` (clocks), `pages`, `night_pages` (22:00 to 06:00),
          `notifications` (pages after grouping): each `{old, new}`; a page is a revision that opens or raises an
          escalation of at least `notify.min_severity`, neither backfilled nor silenced
        - `changes`: escalations that are `same`, `appears`, `vanishes`; and of those that are there under both
          policies how many come `earlier` or `later`, are `higher` or `lower` (their highest severity), `rerouted`
          (reach other roles), or carry other patterns (`reasons`); one escalation may be counted in several
        - `median_shift_s`: `{earlier, later}`: seconds, or null
        - `breaches`: clocks: `{old, new, both, only_old, only_new}`
        - `metrics`: by metric: `{old, new}` of `{clocks, breached, share}` (share null without clocks), `both`,
          `only_old` and `only_new`
        - `busiest_hour`: of everybody: `{old, new}` of `{hour, pages, other}` or null; `hour` is its first instant,
          `other` the pages in the same hour under the other policy
        - `roles`: by role: `pages`, `night_pages`, `busiest_hour`, as above
        - `by`: by `kind` (`sla first_response`, `history ignored`, `hotspot`), `channel`, `team`, `severity`
          (highest) and `role`, by value: `{old, new, appears, vanishes, earlier, later, higher, lower, rerouted,
          reasons}`; an escalation with several patterns or roles is counted in each
        - `set_aside`: lines that were set aside: `{old, new}` of counts by reason
        - `examples`: by change a list of `{kind, metric?, patterns?, topic?, customer_id?, thread?, channel?, changes,
          old, new}`, the first in time; `old` and `new`: `{escalation_id, start, breached_at, end, severity, roles}`
          or null
        """
        found = self.found
        return {
            "differs": self.differs,
            "zone": self.zone.key,
            "versions": {"old": self.old.version, "new": self.new.version},
            "totals": {name: {"old": old, "new": new} for name, (old, new) in self.totals().items()},
            "changes": {"same": found.same, **found.total.changes},
            "median_shift_s": {name: _seconds(median(moves)) for name, moves in found.shifts.items()},
            "breaches": self.breaches.as_record(),
            "metrics": {name: self._metric(name) for name in self.by_metric},
            "busiest_hour": self.everybody.as_record()["busiest_hour"],
            "roles": {role: load.as_record() for role, load in self.roles.items()},
            "by": {
                name: {value: row.as_record() for value, row in sorted(rows.items())} for name, rows in found.by.items()
            },
            "set_aside": {"old": self.old.dead, "new": self.new.dead},
            "examples": {change: [_example(pair) for pair in kept] for change, kept in found.examples.items() if kept},
        }

    def totals(self) -> dict[str, tuple[int, int]]:
        """The sums: (old, new)."""
        return {
            "escalations": (self.found.total.old, self.found.total.new),
            "revisions": (self.old.revisions, self.new.revisions),
            "breaches": (self.breaches.old, self.breaches.new),
            "pages": self.everybody.pages,
            "night_pages": self.everybody.night,
            "notifications": (self.old.notifications, self.new.notifications),
        }

    def counted(self, metric: str) -> tuple[int, int]:
        """How many clocks of a metric there are: (old, new)."""
        old, new = (side.clocks.get(metric) for side in (self.old, self.new))
        return (old.count if old else 0, new.count if new else 0)

    def _metric(self, name: str) -> dict[str, Any]:
        breaches = self.by_metric[name]
        sides = zip(("old", "new"), self.counted(name), (breaches.old, breaches.new), strict=True)
        record: dict[str, Any] = {side: _share(clocks, breached) for side, clocks, breached in sides}
        return record | {"both": breaches.both, "only_old": breaches.only_old, "only_new": breaches.only_new}


def compare(old: Side, new: Side, zone: ZoneInfo, *, examples: int = 2) -> Diff:
    """Hold two sides of one input against each other. The result depends on nothing but them."""
    found = Breakdown()
    found.count(pairs(old.escalations, new.escalations), examples)
    for kept in found.examples.values():
        first(kept, examples)
    by_metric = {
        metric: _breaches(old.clocks.get(metric, Clocks()), new.clocks.get(metric, Clocks()))
        for metric in CLOCK_METRICS
        if metric in old.clocks or metric in new.clocks
    }
    breaches = Breaches(*(sum(parts) for parts in zip((0, 0, 0), *map(_parts, by_metric.values()), strict=True)))
    everybody, roles = loads(old.pages, new.pages, zone)
    return Diff(old, new, zone, found, breaches, by_metric, everybody, roles)


def _breaches(old: Clocks, new: Clocks) -> Breaches:
    both = len(old.breached.keys() & new.breached.keys())
    return Breaches(both, len(old.breached) - both, len(new.breached) - both)


def _parts(breaches: Breaches) -> tuple[int, int, int]:
    return (breaches.both, breaches.only_old, breaches.only_new)


def _share(clocks: int, breached: int) -> dict[str, Any]:
    return {"clocks": clocks, "breached": breached, "share": round(breached / clocks, 6) if clocks else None}


def _seconds(duration: int | None) -> float | int | None:
    return None if duration is None else seconds(duration)


def _example(pair: Pair) -> dict[str, Any]:
    one = pair.one
    record: dict[str, Any] = {"kind": one.kind}
    if one.kind == "history":
        record["patterns"] = list(one.patterns)
    if one.kind == "hotspot":
        record["topic"] = one.subject
    for name in ("metric", "customer_id", "thread", "channel"):
        if getattr(one, name) is not None:
            record[name] = getattr(one, name)
    return record | {"changes": list(changes(pair)), "old": _told(pair.old), "new": _told(pair.new)}


def _told(seen: Seen | None) -> dict[str, Any] | None:
    if seen is None:
        return None
    return {
        "escalation_id": seen.id,
        "start": format_time(seen.start),
        "breached_at": format_optional(seen.breached_at),
        "end": None if seen.end >= FOREVER else format_time(seen.end),
        "severity": seen.severity,
        "roles": list(seen.roles),
    }
