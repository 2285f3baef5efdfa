"""Replay: the core on recorded input and virtual time, without Kafka.

Lines are taken in order of arrival; at one instant what happened comes before commands, and those before timers.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import groupby
from typing import Any, NamedTuple

from schemas.policy_problem import PolicyError
from schemas.times import HOUR
from streams.downstream import Downstream
from streams.event import Event
from streams.intake import Rejected, admit, admit_command, admit_link
from streams.intervals import FOREVER
from streams.policy import Policy, PolicyHistory, compile_policy
from streams.policy_file import read_policy_value
from streams.population import Population

Record = dict[str, Any]
WINDOW = HOUR
"""Length of a window of the channel gaps, in ms."""


class Line(NamedTuple):
    """One line of input: `value` is JSON, or a `Rejected` where it could not be read; `raw` are its bytes."""

    arrived_at: int
    topic: str
    value: Any
    raw: bytes = b""


class Dead(NamedTuple):
    """A line that was set aside."""

    line: Line
    reason: str
    detail: str


@dataclass(slots=True)
class Outcome:
    """What one instant brought."""

    at: int
    escalations: list[Record] = field(default_factory=list)
    dead: list[Dead] = field(default_factory=list)
    touched: set[str] = field(default_factory=set)
    """Ids of the customers that were looked at again."""
    notifications: list[Record] = field(default_factory=list)
    gaps: list[Record] = field(default_factory=list)


class Replay:
    """The state of one replay. `run` yields what comes out, in order of `detected_at`."""

    def __init__(self, policy: Policy, *, pages: bool = True, measures: bool = True) -> None:
        self.policies = PolicyHistory(policy)
        self.population = Population(policy, self.policies)
        self.downstream = Downstream(self.policies, self.population.find, pages=pages, measures=measures)
        self.now = -FOREVER
        self.events = 0
        self._measured = -FOREVER
        self._timers: list[tuple[int, str]] = []
        self._wakes: dict[str, int] = {}

    def run(self, lines: Iterable[Line], until: int | None = None) -> Iterator[Outcome]:
        """Take lines, sorted by arrival (ms), and run timers up to `until` (default: the last arrival)."""
        for at, group in groupby(lines, key=lambda line: line.arrived_at):
            if until is not None and at > until:
                break
            yield from self.timers(before=at)
            self._measure(at)
            self.now = at
            yield self.arrive(at, group)
        yield from self.timers(before=(self.now if until is None else until) + 1)
        self.now = self.now if until is None else max(until, self.now)
        self.downstream.measure(self.now, partial=True)
        yield self._done(Outcome(self.now))

    def arrive(self, at: int, lines: Iterable[Line]) -> Outcome:
        """Everything that arrives at one instant."""
        outcome = Outcome(at)
        dirty: dict[str, None] = {}
        commands: list[Line] = []
        for line in lines:
            if isinstance(line.value, Rejected):
                outcome.dead.append(Dead(line, line.value.reason, line.value.detail))
            elif line.topic == "escalations.commands":
                commands.append(line)
            else:
                rejected = self._take(line, dirty)
                if rejected is not None:
                    outcome.dead.append(Dead(line, rejected.reason, rejected.detail))
        for id_ in dirty:
            self._settle(id_, at, outcome)
        for line in commands:
            self._command(line, outcome)
        return self._done(outcome)

    def timers(self, before: int) -> Iterator[Outcome]:
        """Let time pass to just before `before`."""
        while (at := self._next()) < before:
            self._measure(at)
            outcome = Outcome(at)
            while self._timers and self._timers[0][0] == at:
                _, id_ = heappop(self._timers)
                if self._wakes.get(id_) == at:  # else an older appointment
                    del self._wakes[id_]
                    self._settle(id_, at, outcome)
            outcome.escalations += self.downstream.wake(at)
            yield self._done(outcome)

    def _next(self) -> int:
        """The next instant at which a timer is due."""
        while self._timers and self._wakes.get(self._timers[0][1]) != self._timers[0][0]:
            heappop(self._timers)
        mine = self._timers[0][0] if self._timers else FOREVER
        theirs = self.downstream.next_wake
        return mine if theirs is None else min(mine, theirs)

    def _measure(self, now: int) -> None:
        """Tell the channels' windows that end between the last instant and `now`."""
        if now // WINDOW > self._measured // WINDOW:
            self._measured = now
            self.downstream.measure(now)

    def _say(self, outcome: Outcome, records: list[Record]) -> None:
        """Send revisions, and what follows from them over all customers."""
        outcome.escalations += records
        outcome.escalations += self.downstream.observe(records, outcome.at)

    def _done(self, outcome: Outcome) -> Outcome:
        self.downstream.touch(outcome.touched)
        outcome.notifications, self.downstream.notifications = self.downstream.notifications, []
        outcome.gaps, self.downstream.gaps = self.downstream.gaps, []
        return outcome

    def _take(self, line: Line, dirty: dict[str, None]) -> Rejected | None:
        at = line.arrived_at
        policy = self.policies.at(at)
        if line.topic == "policies":
            return self._policy(line, dirty)
        if line.topic == "identities.links":
            record = admit_link(line.value)
            if isinstance(record, Rejected):
                return record
            dirty.update(dict.fromkeys(self.population.link(record, at, policy)))
            return None
        event = admit(line.value, at, policy)
        if isinstance(event, Rejected):
            return event
        self.take(event, dirty)
        return None

    def take(self, event: Event, dirty: dict[str, None]) -> None:
        """Take a valid event in; the customers that it changed go into `dirty`."""
        self.events += 1
        dirty.update(dict.fromkeys(self.population.place(event, self.policies.at(event.arrived_at))))

    def _policy(self, line: Line, dirty: dict[str, None]) -> Rejected | None:
        try:
            document = read_policy_value(line.value, "policies")
        except PolicyError as problem:
            return Rejected("schema", "; ".join(f"{p.path}: {p.message}" for p in problem.problems[:5])[:500])
        if self.policies.add(compile_policy(document), line.arrived_at):
            dirty.update(dict.fromkeys(self.population.customers))
            dirty.update(dict.fromkeys(self.population.follow(self.policies.at(line.arrived_at), line.arrived_at)))
        return None

    def _command(self, line: Line, outcome: Outcome) -> None:
        command = admit_command(line.value)
        if isinstance(command, Rejected):
            outcome.dead.append(Dead(line, command.reason, command.detail))
            return
        customer = self.population.find(command.customer_id)
        at = line.arrived_at
        records = customer.command(command, self.policies, at) if customer else None
        if records is None:
            said = self.downstream.command(command, at)
            if said is not None:
                outcome.escalations += said
                return
        if records is None:
            outcome.dead.append(Dead(line, "unknown_escalation", "escalation_id: no open escalation of this customer"))
            return
        self._say(outcome, records)
        if customer is not None:
            self._settle(customer.id, at, outcome)

    def _settle(self, id_: str, at: int, outcome: Outcome) -> None:
        customer = self.population.customers.get(id_)
        outcome.touched.add(id_)
        if customer is None:
            return  # merged away within the instant
        self._say(outcome, customer.settle(self.policies, at))
        while customer.emitted.cut_short:
            self._say(outcome, customer.settle(self.policies, at))
        wake = customer.next_wake(self.policies)
        if wake is None:
            self._wakes.pop(id_, None)
            return
        wake = max(wake, at + 1)
        if self._wakes.get(id_) != wake:
            self._wakes[id_] = wake
            heappush(self._timers, (wake, id_))
