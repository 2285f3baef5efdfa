"""Clocks: what the runs that the sweep found mean under the policies: due times, warnings, breaches, ledgers.

A clock's life is cut into segments, each under one policy version (and, after a merge, one start). In each
the clock is counted from its start, with its pauses: so a changed policy, or a merge, is a new segment and
never a correction of the past.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from streams.calendar import Calendar
from streams.fingerprint import fingerprint
from streams.intervals import FOREVER, Interval, intersect, subtract, union
from streams.issue import Issue
from streams.policy import Policy, PolicyHistory, TargetFacts
from streams.thread import Run, Thread

AT_RISK, BREACHED = "at_risk", "breached"


class Segment(NamedTuple):
    """A stretch of a clock's life in which one policy version and one start hold. `due` None: never."""

    start: int
    end: int
    policy: Policy
    counted_from: int
    target: int | None
    calendar: Calendar | None
    warn: int | None
    due: int | None
    pauses: list[Interval]


class Phase(NamedTuple):
    """An interval in which a clock is at risk or breached, and what ends it (None: nothing yet)."""

    start: int
    end: int
    name: str
    ended_by: str | None
    policy: Policy


class Breach(NamedTuple):
    """A breach at the due instant, or at the merge or policy that made it one."""

    at: int
    policy_version: str


@dataclass(slots=True)
class Clock:
    """One clock with everything that follows for it from the log and the policies."""

    id: str
    run: Run
    issue: Issue
    thread: Thread | None
    segments: list[Segment]
    phases: list[Phase]
    breaches: list[Breach]
    done: list[Interval]
    overstayed: list[Interval]

    @property
    def order(self) -> tuple[tuple[int, int, str], str]:
        """Sort key: by its start."""
        return (self.run.anchor.order, self.id)

    def segment_at(self, now: int) -> Segment:
        """The segment in force at `now`, or when the clock stopped."""
        until = now if self.run.stop is None else min(now, self.run.stop)
        current = self.segments[0]
        for segment in self.segments[1:]:
            if segment.start <= until and (self.run.stop is None or segment.start < self.run.stop):
                current = segment
        return current


def clocks(issue: Issue, tier: str | None, policies: PolicyHistory) -> list[Clock]:
    """Every clock of an issue, in order of its start; the runs for which no policy has a target are none.

    `tier`: the customer's, by which a running clock's target is chosen.
    """
    runs: list[tuple[Run, Thread | None]] = [(run, thread) for thread in issue.threads for run in thread.runs]
    if issue.run is not None:
        runs.append((issue.run, None))
    found = [clock for run, thread in runs if (clock := _clock(run, thread, issue, tier, policies)) is not None]
    found.sort(key=lambda clock: clock.order)
    return found


@dataclass(frozen=True, slots=True)
class _Life:
    """A run and what its clock depends on."""

    run: Run
    thread: Thread | None
    issue: Issue
    facts: TargetFacts
    done: list[Interval]
    policies: PolicyHistory

    @property
    def before_stop(self) -> list[Interval]:
        """Solved intervals that a reopening ended; the solve that stops the clock pauses nothing."""
        stop = self.run.stop
        return [span for span in self.done if stop is None or span[0] < stop]

    def pauses_by(self, statuses: frozenset[str]) -> list[Interval]:
        """Intervals in which the thread, or every unsolved thread of the issue, was in one of `statuses`."""
        if self.thread is not None:
            return union(self.thread.pauses(statuses))
        return all_paused(self.issue, statuses)


def _clock(run: Run, thread: Thread | None, issue: Issue, tier: str | None, policies: PolicyHistory) -> Clock | None:
    facts = run.facts or (thread.facts(tier) if thread else TargetFacts())
    life = _Life(run, thread, issue, facts, _done(run, thread, issue), policies)
    segments = list(_segments(life))
    if all(segment.target is None for segment in segments):
        return None
    phases, breaches = _phases(run, segments)
    phases = _cut(phases, life.done, _done_by(run, thread, issue))
    overstayed = thread.overstayed if thread is not None and run.metric == "resolution" else []
    named = (thread is not None and thread.public) or run.metric in ("next_response", "promise", "issue_resolution")
    id_ = fingerprint("clk", run.metric, run.thread, run.anchor.id if named else "")
    return Clock(id_, run, issue, thread, segments, phases, breaches, life.done, overstayed)


def _done(run: Run, thread: Thread | None, issue: Issue) -> list[Interval]:
    """When what the clock is about was solved."""
    if run.metric == "resolution" and thread is not None:
        return thread.done
    if run.metric != "issue_resolution":
        return []
    done = [(before.end, after.start) for before, after in pairwise(issue.unresolved)]
    if issue.unresolved and issue.unresolved[-1].end < FOREVER:
        done.append((issue.unresolved[-1].end, FOREVER))
    return done


def _done_by(run: Run, thread: Thread | None, issue: Issue) -> Mapping[int, str]:
    """How each interval of `_done` began, by its start."""
    if run.metric == "resolution" and thread is not None:
        return thread.done_by
    return {span.end: span.reason for span in issue.unresolved if span.reason}


def _segments(life: _Life) -> list[Segment]:
    run, policies = life.run, life.policies
    first = run.starts[0][0]
    if len(policies.entries) == 1 and len(run.starts) == 1:
        return [_segment(life, first, FOREVER, policies.entries[0].policy, run.started_at)]
    entries = policies.chain(run.started_at)
    cuts = sorted({first, *(since for since, _ in run.starts), *(e.since for e in entries if e.since > first)})
    segments = []
    for place, at in enumerate(cuts):
        end = cuts[place + 1] if place + 1 < len(cuts) else FOREVER
        if run.stop is not None and at >= run.stop and place:
            break
        policy = next(e.policy for e in reversed(entries) if e.since <= max(at, entries[0].since))
        counted_from = next(start for since, start in reversed(run.starts) if since <= at)
        segments.append(_segment(life, at, end, policy, counted_from))
    return segments


def _segment(life: _Life, at: int, end: int, policy: Policy, counted_from: int) -> Segment:
    run = life.run
    if run.metric == "promise":
        assert run.due is not None
        due = run.due + policy.promise_grace
        return Segment(at, end, policy, counted_from, due - counted_from, None, None, due, [])
    target = policy.issue_target if run.metric == "issue_resolution" else policy.target(run.metric, life.facts)
    if target is None:
        return Segment(at, end, policy, counted_from, None, None, None, None, [])
    pauses = union([*_paused(life, policy, at), *life.before_stop])
    length, calendar = target.target_ms, target.calendar
    warn = None if target.warn_ms is None else calendar.add(counted_from, target.warn_ms, pauses)
    return Segment(
        at, end, policy, counted_from, length, calendar, warn, calendar.add(counted_from, length, pauses), pauses
    )


def _paused(life: _Life, policy: Policy, at: int) -> list[Interval]:
    """The pauses that count under `policy` from `at` on; those before were granted by the versions of their time."""
    run, policies = life.run, life.policies
    if run.metric not in ("resolution", "issue_resolution"):
        return []
    if len(policies.entries) == 1:
        return life.pauses_by(policy.pauses)
    entries = [entry for entry in policies.chain(run.started_at) if entry.since < at] if at > run.started_at else []
    if all(entry.policy.pauses == policy.pauses for entry in entries):
        return life.pauses_by(policy.pauses)
    found: list[Interval] = []
    bounds = [*(max(entry.since, 0) for entry in entries), at]
    for entry, (start, end) in zip(entries, pairwise(bounds), strict=True):
        found += intersect(life.pauses_by(entry.policy.pauses), [(start, end)])
    found += intersect(life.pauses_by(policy.pauses), [(at, FOREVER)])
    return union(found)


def all_paused(issue: Issue, statuses: frozenset[str]) -> list[Interval]:
    """When every unsolved thread of an unresolved issue was in one of `statuses`."""
    counting: list[Interval] = []
    for thread in issue.threads:
        active = subtract([(thread.opened_at, FOREVER)], union(thread.done))
        counting += subtract(active, union(thread.pauses(statuses)))
    return subtract(union(issue.open_intervals()), union(counting))


def _phases(run: Run, segments: Sequence[Segment]) -> tuple[list[Phase], list[Breach]]:
    phases: list[Phase] = []
    breaches: list[Breach] = []
    for place, segment in enumerate(segments):
        last = place + 1 == len(segments)
        end = segment.end
        ended_by: str | None = None if last else "policy_change"
        if run.stop is not None and run.stop <= end and last:
            end, ended_by = run.stop, run.outcome
        if segment.target is None:
            continue
        breach = FOREVER if segment.due is None else max(segment.due, segment.start)
        was_breached = bool(phases) and phases[-1].name == BREACHED and phases[-1].end == segment.start
        if segment.warn is not None:
            warn = max(segment.warn, segment.start)
            if warn < min(breach, end):
                phases.append(_phase(warn, min(breach, end), AT_RISK, ended_by if end <= breach else None, segment))
        if breach < end:
            phases.append(_phase(breach, end, BREACHED, ended_by, segment))
            if not (was_breached and breach == segment.start):
                breaches.append(Breach(breach, segment.policy.version))
    return phases, breaches


def _phase(start: int, end: int, name: str, ended_by: str | None, segment: Segment) -> Phase:
    return Phase(start, end, name, ended_by, segment.policy)


def _cut(phases: list[Phase], done: list[Interval], done_by: Mapping[int, str]) -> list[Phase]:
    """Without the intervals in which the thread or issue was solved: those end a phase, a reopening begins another."""
    if not done:
        return phases
    apart = []
    for phase in phases:
        pieces = subtract([(phase.start, phase.end)], union(done))
        for start, end in pieces:
            ended_by = phase.ended_by if end == phase.end else done_by.get(end, "solved")
            apart.append(phase._replace(start=start, end=end, ended_by=ended_by))
    return apart
