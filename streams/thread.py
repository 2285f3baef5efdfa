"""A thread as the history of one customer saw it: its contacts, answers, statuses, and the runs of its clocks."""

from dataclasses import dataclass, field
from typing import NamedTuple

from streams.event import Event
from streams.intervals import FOREVER, Interval
from streams.policy import TargetFacts

RESPONSES = ("first_response", "next_response")
"""Metrics that an answer stops."""


class StatusSpan(NamedTuple):
    """A status that may pause clocks, from when to when (`FOREVER`: it still lasts)."""

    status: str
    start: int
    end: int


@dataclass(slots=True)
class Run:
    """One run of one clock: what started it, what stopped it. Its due times are `clocks.schedule`'s."""

    metric: str
    thread: str
    cycle: int
    anchor: Event
    """The event that started it: the clock's identity, with thread and metric."""
    starts: list[tuple[int, int]]
    """(from when on, counted from): one pair, and one more for each merge that moved the start back."""
    contacts: list[str] = field(default_factory=list)
    """Ids of the unanswered contacts of a response cycle."""
    stop: int | None = None
    outcome: str | None = None
    """answered, solved, covered, kept, quiet or cancelled."""
    stopped_by: str | None = None
    covered_by: str | None = None
    facts: TargetFacts | None = None
    due: int | None = None
    """`due_at` of a promise, without the policy's grace."""

    @property
    def running(self) -> bool:
        """True while nothing has stopped it."""
        return self.stop is None

    @property
    def started_at(self) -> int:
        """Where it is counted from (ms)."""
        return self.starts[-1][1]

    def end(self, at: int, outcome: str, by: str | None, facts: TargetFacts) -> None:
        """Stop it, unless it has been stopped."""
        if self.stop is None:
            self.stop, self.outcome, self.stopped_by, self.facts = at, outcome, by, facts

    def go_on(self) -> None:
        """Undo its end: a reopening continues it."""
        self.stop = self.outcome = self.stopped_by = self.covered_by = self.facts = None


@dataclass(slots=True)
class Thread:
    """One conversation, ticket or call of one customer, as the sweep over the log leaves it."""

    id: str
    channel: str
    public: bool
    opened_at: int
    events: list[Event] = field(default_factory=list)
    contacts: list[Event] = field(default_factory=list)
    waiting: Event | None = None
    """The oldest unanswered contact."""
    answered_at: int | None = None
    """When the last human answer came."""
    solved: bool = False
    solved_by: str | None = None
    """solved, covered, quiet, command or merged."""
    covered_by: str | None = None
    merged_into: str | None = None
    done: list[Interval] = field(default_factory=list)
    """Intervals in which the thread was solved or covered."""
    done_by: dict[int, str] = field(default_factory=dict)
    """How each of them began, by its start: solved, covered, quiet, command or cancelled."""
    spans: list[StatusSpan] = field(default_factory=list)
    status: str = "open"
    status_since: int = 0
    overstayed: list[Interval] = field(default_factory=list)
    """From a contact that ended a pending status to the company's next status: pauses that would be illegitimate."""
    first: Run | None = None
    current: Run | None = None
    """The running response cycle, first or next."""
    resolution: Run | None = None
    runs: list[Run] = field(default_factory=list)
    promises: list[Run] = field(default_factory=list)
    cycles: int = 0
    topic: str | None = None
    priority: str | None = None
    difficulty: str | None = None
    team: str | None = None

    @property
    def last_contact(self) -> Event | None:
        """The newest customer contact."""
        return self.contacts[-1] if self.contacts else None

    @property
    def active(self) -> bool:
        """Neither solved nor covered nor merged away."""
        return not self.solved

    def facts(self, tier: str | None) -> TargetFacts:
        """What a target is chosen by, as it is known now."""
        return TargetFacts(self.channel, self.topic, self.priority, self.difficulty, tier, self.public, self.team)

    def learn(self, event: Event) -> None:
        """Take over what the event says about the thread: the newest value counts."""
        if event.topic is not None:
            self.topic = event.topic
        if event.priority is not None:
            self.priority = event.priority
        if event.difficulty is not None:
            self.difficulty = event.difficulty
        if event.kind == "transfer" and event.data.get("to_team"):
            self.team = str(event.data["to_team"])
        elif event.by_company and event.team is not None:
            self.team = event.team

    def set_status(self, status: str, at: int) -> None:
        """Begin a status; what paused before ends here."""
        self._end_pause(at)
        if self.overstayed and self.overstayed[-1][1] == FOREVER:
            self.overstayed[-1] = (self.overstayed[-1][0], at)
        self.status, self.status_since = status, at

    def customer_came_back(self, at: int) -> None:
        """A contact ends a pending status: the company cannot stop the clock while the customer waits."""
        if self.status == "pending":
            self._end_pause(at)
            self.status, self.status_since = "open", at
            self.overstayed.append((at, FOREVER))

    def pauses(self, statuses: frozenset[str]) -> list[Interval]:
        """Intervals spent in one of `statuses`, an open one to `FOREVER`."""
        found = [(span.start, span.end) for span in self.spans if span.status in statuses]
        if self.status in statuses:
            found.append((self.status_since, FOREVER))
        return found

    def _end_pause(self, at: int) -> None:
        if self.status in ("pending", "on_hold") and at > self.status_since:
            self.spans.append(StatusSpan(self.status, self.status_since, at))
