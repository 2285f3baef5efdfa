"""The ladder of an escalation: a stopwatch that runs while it is open and nobody has acknowledged it."""

from streams.policy import Policy
from streams.standing import ACKNOWLEDGED, OPEN, SUPPRESSED, Standing


def start(standing: Standing, policy: Policy, now: int) -> None:
    """Begin the ladder of the standing's severity at `now`, at the steps that are due at once."""
    standing.ladder_from, standing.ladder_run, standing.fresh_ladder = now, 0, False
    standing.level = reached(standing, policy, now)


def elapsed(standing: Standing, now: int) -> int:
    """Milliseconds that the stopwatch shows."""
    return now - standing.ladder_from if standing.status == OPEN else standing.ladder_run


def reached(standing: Standing, policy: Policy, now: int) -> int:
    """How many steps of the ladder have been passed."""
    shown = elapsed(standing, now)
    return sum(1 for step in policy.ladder(standing.severity) if step.after_ms <= shown)


def halt(standing: Standing, now: int) -> None:
    """Stop the stopwatch; call it before the status changes from open."""
    standing.ladder_run = elapsed(standing, now)


def resume(standing: Standing, now: int) -> None:
    """Let the stopwatch go on; call it when the status has become open again."""
    standing.ladder_from = now - standing.ladder_run


def next_wake(standing: Standing, policy: Policy) -> int | None:
    """When the ladder, an acknowledgement's timeout or a suppression's end is due (ms), or None."""
    if standing.quiet_since is not None:
        return standing.quiet_since + policy.flap.quiet
    if standing.status == OPEN:
        ladder = policy.ladder(standing.severity)
        passed = max(standing.level, 0)
        if passed < len(ladder):
            return standing.ladder_from + ladder[passed].after_ms
        return None
    if standing.status == ACKNOWLEDGED and policy.ack_timeout and standing.acknowledged_at is not None:
        return standing.acknowledged_at + policy.ack_timeout
    if standing.status == SUPPRESSED:
        return standing.suppressed_until
    return None
