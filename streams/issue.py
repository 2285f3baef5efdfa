"""An issue: what the customer wants, over however many threads and channels it took."""

from dataclasses import dataclass, field

from streams.event import Event
from streams.intervals import FOREVER, Interval
from streams.thread import Run, Thread


@dataclass(slots=True)
class Unresolved:
    """An interval in which the issue was unresolved, and how it ended (`FOREVER`: it has not)."""

    start: int
    end: int = FOREVER
    reason: str | None = None
    """solved, quiet or command."""


@dataclass(slots=True)
class Issue:
    """The sweep's account of one issue. Its id is the explicit reference, else made from its first event."""

    id: str
    founder: Event
    """The event that opened it."""
    topic: str | None
    threads: list[Thread] = field(default_factory=list)
    active: dict[str, Thread] = field(default_factory=dict)
    """The unsolved ones, by id."""
    promised: dict[str, Thread] = field(default_factory=dict)
    """Those with promises that are not kept, by id."""
    events: list[Event] = field(default_factory=list)
    contacts: list[Event] = field(default_factory=list)
    """The customer's contacts, in order."""
    public: dict[str, bool] = field(default_factory=dict)
    """By contact id: was it public?"""
    answers: list[Event] = field(default_factory=list)
    """Human answers, in order."""
    solves: list[Event] = field(default_factory=list)
    reopenings: list[Event] = field(default_factory=list)
    answered_since: int | None = None
    """When a human first answered the last contact."""
    unresolved: list[Unresolved] = field(default_factory=list)
    run: Run | None = None

    @property
    def open(self) -> bool:
        """True while it is unresolved."""
        return bool(self.unresolved) and self.unresolved[-1].end == FOREVER

    @property
    def last_contact(self) -> Event | None:
        """The newest customer contact."""
        return self.contacts[-1] if self.contacts else None

    @property
    def last_active_at(self) -> int:
        """When something last happened (ms)."""
        return self.events[-1].at if self.events else self.founder.at

    def begin(self, at: int) -> None:
        """Unresolved from `at` on, if it was not."""
        if not self.open:
            if self.unresolved and self.unresolved[-1].end == at:
                self.unresolved[-1].end, self.unresolved[-1].reason = FOREVER, None
            else:
                self.unresolved.append(Unresolved(at))

    def resolve(self, at: int, reason: str) -> None:
        """Resolved at `at`, if it was not."""
        if self.open:
            self.unresolved[-1].end, self.unresolved[-1].reason = at, reason

    def resolved_within(self, window: int, at: int) -> bool:
        """Unresolved at `at`, or resolved at most `window` before."""
        return bool(self.unresolved) and (self.open or self.unresolved[-1].end >= at - window)

    def open_intervals(self) -> list[Interval]:
        """When it was unresolved."""
        return [(span.start, span.end) for span in self.unresolved]
