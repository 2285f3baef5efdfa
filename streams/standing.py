"""A standing escalation: what has been said of it so far, and all that must survive a restart."""

from dataclasses import MISSING, dataclass, fields
from typing import Any

from streams.intervals import FOREVER

OPEN, ACKNOWLEDGED, SUPPRESSED, RESOLVED = "open", "acknowledged", "suppressed", "resolved"


@dataclass(slots=True)
class Standing:
    """One escalation. Times in ms; `thread` and `anchor` (an event id) find its subject again in a changed history."""

    id: str
    kind: str
    metric: str | None
    thread: str
    anchor: str
    since: int
    """Start of the episode that it stands for."""
    opened_at: int
    """When it was opened (`detected_at` of revision 1)."""
    revision: int = 0
    status: str = OPEN
    severity: str = ""
    phase: str | None = None
    patterns: tuple[str, ...] = ()
    peak: str = ""
    """The highest severity that was said."""
    peak_at: int = 0
    """The instant at which that became true."""
    level: int = 0
    ladder_from: int = 0
    """The ladder's stopwatch: started at `ladder_from` while the escalation is open,"""
    ladder_run: int = 0
    """or stopped after `ladder_run` ms, while it is acknowledged or suppressed."""
    fresh_ladder: bool = False
    """A higher severity came while acknowledged: its own ladder starts at the acknowledgement's timeout."""
    due_at: int | None = None
    issue_id: str | None = None
    customer_id: str = ""
    first_contact_at: int | None = None
    acknowledged_by: str | None = None
    acknowledged_at: int | None = None
    time_to_acknowledge: int | None = None
    suppressed_until: int | None = None
    previous: str | None = None
    until: int = FOREVER
    """When it was resolved."""
    by_command: bool = False
    backfilled: bool = False
    retracted: bool = False
    """Resolved because it never should have been."""
    flapping: bool = False
    quiet_since: int | None = None
    """Of a flapping escalation: since when nothing holds. It is resolved once that has lasted."""

    @property
    def over(self) -> bool:
        """Resolved: final."""
        return self.status == RESOLVED

    def encode(self) -> dict[str, Any]:
        """As a JSON object, fields at their default left out."""
        found = {}
        for item in fields(self):
            value = getattr(self, item.name)
            if item.default is MISSING or value != item.default:
                found[item.name] = list(value) if isinstance(value, tuple) else value
        return found

    @classmethod
    def decode(cls, stored: dict[str, Any]) -> "Standing":
        """What `encode` stored; fields of a newer version are ignored."""
        known = {item.name for item in fields(cls)}
        values = {name: value for name, value in stored.items() if name in known}
        values["patterns"] = tuple(values.get("patterns", ()))
        return cls(**values)
