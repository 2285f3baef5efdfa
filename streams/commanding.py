"""Commands on escalations: who acted, and what it stops."""

from typing import Any, NamedTuple

from schemas.command import Command
from streams import ladder
from streams.derive import Derived
from streams.history import Closing
from streams.intervals import FOREVER
from streams.policy import Policy, PolicyHistory
from streams.present import Context, Scene, revision
from streams.reconcile import Emitted, Record
from streams.standing import ACKNOWLEDGED, OPEN, RESOLVED, SUPPRESSED, Standing
from streams.subjects import Subjects, anchor_of, id_of
from streams.turn import NOBODY

CHANGES = {
    "acknowledge": "acknowledged",
    "suppress": "suppressed",
    "unsuppress": "unsuppressed",
    "resolve": "resolved",
}


class Obeyed(NamedTuple):
    """The revisions that a command made, and the lapsed issue that it closed."""

    records: list[Record]
    closing: Closing | None = None


def obey(
    command: Command, emitted: Emitted, derived: Derived, policy: Policy, now: int, context: Context
) -> Obeyed | None:
    """Change the escalation that the command names; None where there is no such open one."""
    standing = next((each for each in emitted.standing if each.id == command.escalation_id), None)
    if standing is None:
        return None
    closing = None
    extra: dict[str, Any] = {}
    if command.action == "acknowledge":
        _stop(standing, ACKNOWLEDGED, now)
        standing.acknowledged_by, standing.acknowledged_at = command.by, now
        if standing.time_to_acknowledge is None:
            standing.time_to_acknowledge = now - standing.opened_at
    elif command.action == "suppress":
        if command.until is not None and command.until <= now:
            return Obeyed([])  # over before it began
        _stop(standing, SUPPRESSED, now)
        standing.suppressed_until = command.until
    elif command.action == "unsuppress":
        if standing.status != SUPPRESSED:
            return Obeyed([])
        standing.status, standing.suppressed_until = OPEN, None
        if standing.fresh_ladder:
            ladder.start(standing, policy, now)  # it became worse while it was silent
        else:
            ladder.resume(standing, now)
    else:
        extra["reason"] = "command"
        closing = _lapsed(standing.thread, derived, policy, now) if standing.kind == "history" else None
        _stop(standing, RESOLVED, now)
        standing.until, standing.by_command = now, True
        emitted.standing.remove(standing)
        emitted.closed.append(standing)
    subjects = Subjects.of(derived)
    subject = subjects.locate(standing)
    episodes = subjects.episodes.get(subject, []) if subject else []
    episode = next((each for each in reversed(episodes) if each.start <= now), None)
    standing.revision += 1
    change = CHANGES[command.action]
    scene = Scene(subjects, policy, now, context)
    record = revision(scene, standing, episode, change, **extra)
    if closing is not None:
        record["waiting_on"] = NOBODY  # the issue is closed with it
    return Obeyed([record], closing)


def _stop(standing: Standing, status: str, now: int) -> None:
    if standing.status == OPEN:
        ladder.halt(standing, now)
    standing.status = status


def closed_by(escalation_id: str, derived: Derived, policies: PolicyHistory, at: int) -> Closing | None:
    """The lapsed issue that resolving the escalation of this id closed at `at` (ms), if it was said or not."""
    for episode in derived.episodes:
        if episode.kind == "history" and id_of(episode) == escalation_id:
            return _lapsed(anchor_of(episode)[0], derived, policies.at(at), at)
    return None


def _lapsed(thread: str, derived: Derived, policy: Policy, now: int) -> Closing | None:
    """Resolving a lapsed issue's escalation closes the issue, until the next contact."""
    issue = derived.history.by_thread.get(thread)
    last = next((c for c in reversed(issue.contacts) if c.at <= now), None) if issue is not None else None
    if issue is None or last is None:
        return None
    if not any(span.start <= now < span.end for span in issue.unresolved):
        return None
    answered = next((a.at for a in issue.answers if a.order > last.order), FOREVER)
    if answered <= now or now < last.at + policy.quiet_after:
        return None
    return Closing(now, thread)
