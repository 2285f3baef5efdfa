"""What the demo has seen: counted by escalation, not by revision."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from agents.demo.render import SEVERITIES, Record


@dataclass(slots=True)
class _Seen:
    kind: str
    severity: str
    status: str
    revision: int
    patterns: set[str]
    retracted: bool = False
    metric: str | None = None


@dataclass(slots=True)
class Tally:
    """Takes every revision once, whatever the order and however often it is delivered."""

    revisions: int = 0
    customers: set[str] = field(default_factory=set)
    lags_s: list[float] = field(default_factory=list)
    _seen: dict[str, _Seen] = field(default_factory=dict)
    _known: set[tuple[str, int]] = field(default_factory=set)

    def add(self, record: Record) -> bool:
        """Take one revision; False where it was there before."""
        key = (str(record["escalation_id"]), int(record["revision"]))
        if key in self._known:
            return False
        self._known.add(key)
        self.revisions += 1
        if record.get("customer_id"):
            self.customers.add(str(record["customer_id"]))
        if record["change"] in ("opened", "raised") and not record.get("backfilled"):
            self.lags_s.append(float(record.get("detection_lag_s") or 0))
        self._merge(key[0], record)
        return True

    def _merge(self, escalation: str, record: Record) -> None:
        revision, severity = int(record["revision"]), str(record["severity"])
        seen = self._seen.get(escalation)
        if seen is None:
            seen = self._seen[escalation] = _Seen(str(record["kind"]), severity, "", 0, set())
        if _rank(severity) > _rank(seen.severity):
            seen.severity = severity
        if revision > seen.revision:
            seen.revision, seen.status = revision, str(record["status"])
        seen.patterns |= set(record.get("patterns") or ())
        seen.metric = record.get("metric") or seen.metric
        seen.retracted = seen.retracted or bool(record.get("retracted"))

    @property
    def escalations(self) -> int:
        """How many escalations there were."""
        return len(self._seen)

    @property
    def open(self) -> int:
        """How many are not resolved."""
        return sum(seen.status != "resolved" for seen in self._seen.values())

    @property
    def retracted(self) -> int:
        """How many were taken back by late evidence."""
        return sum(seen.retracted for seen in self._seen.values())

    def by_kind(self) -> Mapping[str, Counter[str]]:
        """Escalations by kind (an `sla` one by its metric), and in that by the highest severity reached."""
        found: dict[str, Counter[str]] = {}
        for seen in self._seen.values():
            name = f"{seen.kind}: {seen.metric}" if seen.metric else seen.kind
            found.setdefault(name, Counter())[seen.severity] += 1
        return found

    def by_pattern(self) -> Counter[str]:
        """Histories in which each pattern held at some time."""
        return Counter(pattern for seen in self._seen.values() for pattern in seen.patterns)


def _rank(severity: str) -> int:
    return SEVERITIES.index(severity) if severity in SEVERITIES else -1


@dataclass(slots=True)
class GapTally:
    """The records of `channel-gaps`: of each channel and window the highest revision."""

    _windows: dict[tuple[str, str], Mapping[str, Any]] = field(default_factory=dict)

    def add(self, record: Mapping[str, Any]) -> None:
        """Take one record."""
        key = (str(record["channel"]), str(record["window_start"]))
        known = self._windows.get(key)
        if known is None or int(record.get("revision", 1)) >= int(known.get("revision", 1)):
            self._windows[key] = record

    def __len__(self) -> int:
        return len(self._windows)

    def total(self, name: str) -> int:
        """The sum of a count, such as `queue_jumps`, over all channels and windows."""
        return sum(int(record.get(name) or 0) for record in self._windows.values())
