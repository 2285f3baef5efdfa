"""The clock record: what a clock has counted so far (contract, section 5)."""

from typing import Any

from schemas.times import format_optional, format_time, seconds
from streams.calendar import TZDATA_VERSION
from streams.clocks import BREACHED, Clock, Segment
from streams.intervals import FOREVER, Interval, intersect, total, union


def paused_at(clock: Clock, segment: Segment, now: int) -> bool:
    """True where the clock is running but does not count at `now`."""
    stopped = clock.run.stop is not None and clock.run.stop <= now
    return not stopped and any(start <= now < end for start, end in segment.pauses)


def due_now(clock: Clock, now: int) -> int | None:
    """The due instant as it stands at `now`; None while paused, and where the calendar never gets there."""
    segment = clock.segment_at(now)
    if paused_at(clock, segment, now) and (segment.due is None or segment.due > now):
        return None
    return segment.due


def state(clock: Clock, now: int) -> str:
    """running, paused, met, breached or cancelled, at `now`."""
    run, segment = clock.run, clock.segment_at(now)
    stopped = run.stop is not None and run.stop <= now
    last = [phase for phase in clock.phases if phase.start <= now]
    # a phase that a later policy or merge ended is past; one that a solve or a stop ended stays
    if last and last[-1].name == BREACHED and (last[-1].end > now or last[-1].ended_by != "policy_change"):
        return "breached"
    if stopped:
        return "cancelled" if _cancelled(clock) else "met"
    if segment.target is None:
        return "cancelled"  # a policy took the target away
    return "paused" if paused_at(clock, segment, now) else "running"


def _cancelled(clock: Clock) -> bool:
    run = clock.run
    if run.metric in ("first_response", "next_response"):
        return run.outcome != "answered"
    return run.outcome == "cancelled"


def paused_intervals(clock: Clock, segment: Segment, now: int) -> list[Interval]:
    """What did not count, up to `now` or the stop."""
    until = now if clock.run.stop is None else min(now, clock.run.stop)
    lived = [(segment.counted_from, max(until, segment.counted_from))]
    found = intersect(union(segment.pauses), lived)
    solved_since = clock.done[-1][0] if clock.done and clock.done[-1][1] == FOREVER else None
    if solved_since is not None and clock.run.stop is None and solved_since <= now:
        found = union([*found, (solved_since, now)])
    return found


def clock_record(clock: Clock, customer_id: str, now: int) -> dict[str, Any]:
    """The record of a clock at `now`."""
    run, segment = clock.run, clock.segment_at(now)
    stopped = run.stop is not None and run.stop <= now
    until = run.stop if stopped and run.stop is not None else now
    pauses = paused_intervals(clock, segment, now)
    if segment.calendar is not None:
        counted = segment.calendar.between(segment.counted_from, until, pauses)
    else:
        counted = max(0, until - segment.counted_from)
    has_target = segment.target is not None and run.metric != "promise"
    record: dict[str, Any] = {
        "clock_id": clock.id,
        "customer_id": customer_id,
        "issue_id": clock.issue.id,
        "thread": run.thread if clock.thread is not None else None,
        "metric": run.metric,
        "cycle": run.cycle,
        "state": state(clock, now),
        "calendar": segment.calendar.name if segment.calendar else None,
        "policy_version": segment.policy.version,
        "tzdata_version": TZDATA_VERSION,
        "target_s": seconds(segment.target) if has_target and segment.target is not None else None,
        "started_at": format_time(segment.counted_from),
        "due_at": format_optional(due_now(clock, now)),
        "stopped_at": format_time(until) if stopped else None,
        "counted_s": seconds(counted),
        "remaining_s": seconds(segment.target - counted) if has_target and segment.target is not None else None,
        "paused": [_interval(interval, segment, clock, now) for interval in pauses],
        "illegitimate_pause_s": seconds(total(_overstayed(clock, segment, until))),
        "breaches": [
            {"at": format_time(breach.at), "policy_version": breach.policy_version}
            for breach in clock.breaches
            if breach.at <= now
        ],
    }
    if run.covered_by is not None:
        record["covered_by"] = run.covered_by
    return record


def _interval(interval: Interval, segment: Segment, clock: Clock, now: int) -> list[str | None]:
    start, end = interval
    lasting = end == now and paused_at(clock, segment, now)
    return [format_time(start), None if lasting else format_time(end)]


def _overstayed(clock: Clock, segment: Segment, until: int) -> list[Interval]:
    if "pending" not in segment.policy.pauses:
        return []
    lived = [(segment.counted_from, max(until, segment.counted_from))]
    return intersect(union(clock.overstayed), lived)
