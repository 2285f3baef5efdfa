"""What one replay leaves for the comparison: small tuples, cheap to hand from one process to another.

Instants in ms since the epoch.
"""

from dataclasses import dataclass, field
from typing import NamedTuple, get_args

from schemas.terms import Metric
from streams.intervals import FOREVER

CLOCK_METRICS: tuple[str, ...] = get_args(Metric)
"""The metrics that clocks count, in the contract's order."""


class Seen(NamedTuple):
    """One escalation, from its first revision to its last."""

    id: str
    kind: str
    subject: str
    """The clock's, the issue's, or the hotspot's topic: what one escalation at a time is about."""
    metric: str | None
    patterns: tuple[str, ...]
    """All that it ever carried, sorted."""
    channel: str | None
    team: str | None
    customer_id: str | None
    thread: str | None
    start: int
    """When it became true, whenever that was noticed."""
    breached_at: int | None
    end: int
    """When it was over; `FOREVER` while it stands."""
    severity: str
    """The highest that it had."""
    roles: tuple[str, ...]
    """Whom it was for, in the order in which it came to them; empty where it was over before it was noticed."""

    @property
    def whats(self) -> tuple[str, ...]:
        """Why it is there: `sla first_response`, `history ignored` (one for each pattern), `hotspot`."""
        if self.kind == "history":
            return tuple(f"history {name}" for name in self.patterns)
        return (f"{self.kind} {self.metric}" if self.metric else self.kind,)

    def meets(self, other: "Seen") -> bool:
        """True where there was an instant, an end included, at which both were true."""
        return self.start <= other.end and other.start <= self.end


@dataclass(slots=True)
class Clocks:
    """The clocks of one metric: how many, and those that were breached, by id, with when."""

    count: int = 0
    breached: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class Side:
    """A replay under one policy."""

    version: str
    escalations: list[Seen] = field(default_factory=list)
    revisions: int = 0
    pages: dict[tuple[str, int], int] = field(default_factory=dict)
    """By role and hour (its first instant): revisions that opened or raised something severe enough to page."""
    notifications: int = 0
    """What pagers would have got after grouping, without the news that a group is over."""
    clocks: dict[str, Clocks] = field(default_factory=dict)
    """By metric."""
    dead: dict[str, int] = field(default_factory=dict)
    """Lines that were set aside, by reason."""


__all__ = ["CLOCK_METRICS", "FOREVER", "Clocks", "Seen", "Side"]
