"""Episodes: the intervals in which something should be escalated, with what it is and how severe it was when."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from streams.clocks import AT_RISK, Clock
from streams.intervals import FOREVER
from streams.issue import Issue
from streams.patterns import Hold
from streams.severity import CRITICAL, ERROR, RANKS, WARNING, highest


class Step(NamedTuple):
    """From `at` on: this severe, for these reasons."""

    at: int
    severity: str
    phase: str | None
    patterns: tuple[str, ...]


@dataclass(slots=True)
class Episode:
    """One interval in which an escalation should be open; `end` is `FOREVER` while nothing ends it."""

    kind: str
    steps: list[Step]
    end: int
    ended_by: str | None
    issue: Issue | None
    clock: Clock | None = None
    holds: list[Hold] = field(default_factory=list)

    @property
    def start(self) -> int:
        """When it became true (ms)."""
        return self.steps[0].at

    def step(self, now: int) -> Step:
        """What holds at `now`, or held last."""
        current = self.steps[0]
        for step in self.steps[1:]:
            if step.at <= now:
                current = step
        return current

    def since(self, now: int) -> int:
        """Since when what holds at `now` has held in this phase and with at least this severity (ms)."""
        current = self.step(now)
        at = current.at
        for step in reversed([step for step in self.steps if step.at <= current.at]):
            if step.phase != current.phase or RANKS[step.severity] < RANKS[current.severity]:
                break
            at = step.at
        return at

    def worst(self, now: int) -> Step:
        """The first of the most severe steps up to `now`."""
        begun = [step for step in self.steps if step.at <= now]
        return max(begun or self.steps[:1], key=lambda step: RANKS[step.severity])

    def peak(self, now: int) -> str:
        """The highest severity up to `now`."""
        return highest({step.severity for step in self.steps if step.at <= now})

    def moments(self) -> Iterator[int]:
        """The instants at which it begins, changes or ends."""
        for step in self.steps:
            yield step.at
        if self.end < FOREVER:
            yield self.end

    def over(self, now: int) -> bool:
        """True where it has ended by `now`."""
        return self.end <= now

    def evidence(self, now: int) -> list[str]:
        """Ids of the events that made it true, in the order in which they did."""
        if self.clock is not None:
            return list(dict.fromkeys([self.clock.run.anchor.id, *self.clock.run.contacts]))
        holding = sorted(hold for hold in self.holds if hold.start <= now)
        return list(dict.fromkeys(id_ for hold in holding for id_ in hold.evidence))


_REASONS = {"answered": "answered", "solved": "solved", "covered": "solved", "kept": "solved"}


def sla_episodes(clock: Clock) -> list[Episode]:
    """Phases that touch are one episode; a promise clock has none: its breach is a pattern."""
    if clock.run.metric == "promise":
        return []
    found: list[Episode] = []
    for phase in clock.phases:
        public = clock.thread is not None and clock.thread.public
        severity = WARNING if phase.name == AT_RISK else CRITICAL if public else ERROR
        step = Step(phase.start, severity, phase.name, ())
        if found and found[-1].end == phase.start:
            episode = found[-1]
            if episode.steps[-1][1:] != step[1:]:
                episode.steps.append(step)
        else:
            episode = Episode("sla", [step], phase.end, None, clock.issue, clock)
            found.append(episode)
        episode.end = phase.end
        episode.ended_by = _sla_reason(phase.ended_by, phase.name, clock.run.metric) if phase.end < FOREVER else None
    return found


def _sla_reason(ended_by: str | None, phase: str, metric: str) -> str:
    if phase == AT_RISK and (ended_by == "answered" or (metric.endswith("resolution") and ended_by in _REASONS)):
        return "met"
    return _REASONS.get(ended_by or "", ended_by or "no_longer_holds")


def history_episodes(issue: Issue, holds: Sequence[Hold], policy_changes: frozenset[int]) -> list[Episode]:
    """While the patterns' highest severity is at least warning: one episode, however they come and go.

    One sweep over the starts and ends, whatever their number.
    """
    starts = sorted(holds)
    ends = sorted((hold for hold in holds if hold.end < FOREVER), key=lambda hold: hold.end)
    moments = sorted({hold.start for hold in starts} | {hold.end for hold in ends})
    active: list[Hold] = []
    found: list[Episode] = []
    current: Episode | None = None
    begun = ended = 0
    for moment in moments:
        while begun < len(starts) and starts[begun].start <= moment:
            active.append(starts[begun])
            begun += 1
        while ended < len(ends) and ends[ended].end <= moment:
            active.remove(ends[ended])
            ended += 1
        severity = highest({hold.severity for hold in active})
        if RANKS[severity] < RANKS[WARNING]:
            if current is not None:
                _end(current, moment, issue, policy_changes)
                current = None
            continue
        step = Step(moment, severity, None, tuple(sorted({hold.name for hold in active})))
        if current is None:
            current = Episode("history", [step], FOREVER, None, issue)
            found.append(current)
        elif current.steps[-1][1:] != step[1:]:
            current.steps.append(step)
        current.holds += [hold for hold in active if moment in (hold.start, current.start)]
    return found


def _end(episode: Episode, at: int, issue: Issue, policy_changes: frozenset[int]) -> None:
    episode.end = at
    place = bisect_left(issue.unresolved, at, key=lambda span: span.end)
    span = issue.unresolved[place] if place < len(issue.unresolved) else None
    resolved = span.reason if span is not None and span.end == at else None
    if resolved is not None:
        episode.ended_by = resolved
    else:
        episode.ended_by = "policy_change" if at in policy_changes else "no_longer_holds"
