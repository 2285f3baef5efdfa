"""What each clock did: start, due times and why, pauses, warning, breach, stop."""

from collections.abc import Iterator

from streams.clocks import AT_RISK, BREACHED, Clock, Segment
from streams.explain.line import StoryLine, span, when
from streams.explain.targets import why
from streams.history import History
from streams.intervals import FOREVER, Interval
from streams.ledger import clock_record, paused_intervals

_ENDS = {
    "answered": "answered",
    "solved": "solved",
    "covered": "solved with another thread",
    "kept": "kept",
    "quiet": "over, the customer has fallen silent",
    "command": "closed by a command",
    "cancelled": "cancelled",
}


def name_of(clock: Clock) -> str:
    """Metric, cycle and what it is about."""
    run = clock.run
    name = run.metric.replace("_", " ")
    if run.metric in ("next_response", "promise"):
        name += f" {run.cycle}"
    about = f"thread {run.thread}" if clock.thread is not None else f"issue {clock.issue.id}"
    return f"{name}, {about}"


def clock_lines(clock: Clock, history: History, now: int) -> Iterator[StoryLine]:
    """The life of one clock up to `now` (ms)."""
    stop = clock.run.stop
    end = now if stop is None else min(now, stop)
    for place, segment in enumerate(clock.segments):
        if segment.start <= end:
            yield _start(clock, segment, history, first=place == 0)
            yield from _pauses(clock, segment, end)
    for phase in clock.phases:
        if phase.name == AT_RISK:
            yield _line(clock, phase.start, f"is at risk: warned at {_share(clock, phase.start)} of the target")
        elif phase.ended_by == "policy_change" and phase.end <= end:
            yield _line(clock, phase.end, "is no longer breached: the policy has changed")
    for breach in clock.breaches:
        yield _line(clock, breach.at, f"is breached (policy {breach.policy_version})")
    if stop is not None and stop <= now:
        yield _stop(clock, stop)


def _line(clock: Clock, at: int, text: str) -> StoryLine:
    return StoryLine(at, "clock", f"{name_of(clock)}: {text}", (clock.id,))


def _start(clock: Clock, segment: Segment, history: History, *, first: bool) -> StoryLine:
    due = _due(segment, segment.start)
    ends = f"due {when(due)}" if due is not None else "never due"
    if segment.target is None:
        ends = "it has no due time"
    if first:
        text = f"starts with {clock.run.anchor.id}; {why(clock, segment, history)}: {ends}"
    else:
        text = f"counts anew from {when(segment.counted_from)}; {why(clock, segment, history)}: {ends}"
    return _line(clock, segment.start, text)


def _pauses(clock: Clock, segment: Segment, end: int) -> Iterator[StoryLine]:
    for start, until in paused_intervals(clock, segment, end):
        if not segment.start <= start < min(segment.end, end):
            continue
        yield _line(clock, start, "is paused")
        if until < end or (until == end and _resumes(segment.pauses, until)):
            due = _due(segment, until)
            text = f"runs again after {span(until - start)}; now due {when(due)}" if due is not None else "runs again"
            yield _line(clock, until, text)


def _resumes(pauses: list[Interval], at: int) -> bool:
    return any(end == at for _, end in pauses)


def _due(segment: Segment, at: int) -> int | None:
    """The due time as it was to be seen at `at`: with the pauses that had begun by then, and only their past part."""
    if segment.calendar is None or segment.target is None:
        return segment.due
    known = [(start, min(end, at)) for start, end in segment.pauses if start < at]
    return segment.calendar.add(segment.counted_from, segment.target, known)


def _share(clock: Clock, at: int) -> str:
    segment = clock.segment_at(at)
    if segment.calendar is None or not segment.target:
        return "part"
    counted = segment.calendar.between(segment.counted_from, at, segment.pauses)
    return f"{counted * 100 // segment.target}%"


def _stop(clock: Clock, stop: int) -> StoryLine:
    run = clock.run
    record = clock_record(clock, "", stop)
    by = f" by {run.stopped_by}" if run.stopped_by else ""
    covered = f", covered by thread {run.covered_by}" if run.covered_by else ""
    text = f"{_ENDS.get(run.outcome or '', 'stopped')}{by}{covered}: {record['state']}"
    segment = clock.segment_at(stop)
    if segment.calendar is not None and segment.target is not None:
        counted = segment.calendar.between(segment.counted_from, stop, paused_intervals(clock, segment, stop))
        text += f", {span(counted)} counted of {span(segment.target)}"
    return _line(clock, stop, text)


__all__ = ["BREACHED", "FOREVER", "clock_lines", "name_of"]
