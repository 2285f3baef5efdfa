"""One revision of an escalation as the record that goes out (contract, section 6)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from schemas.identity import Identity, mask
from schemas.times import format_time, seconds
from streams.clocks import Clock
from streams.episodes import Episode
from streams.event import Event
from streams.issue import Issue
from streams.ledger import clock_record
from streams.policy import EscalationFacts, Policy, TargetFacts
from streams.policy_routing import assign, attempts
from streams.standing import ACKNOWLEDGED, Standing
from streams.subjects import Subjects
from streams.summary import summarise
from streams.thread import Thread
from streams.turn import thread_state, waiting_on

EVIDENCE_MAX = 50
TIMELINE_MAX = 20
IDENTITIES_MAX = 100
THREADS_MAX = 50
SCHEMA_VERSION = "1"


@dataclass(frozen=True, slots=True)
class Context:
    """What a record says about the customer beside what follows from the log."""

    customer_id: str
    identities: tuple[Identity, ...] = ()
    provisional: bool = False


@dataclass(frozen=True, slots=True)
class Scene:
    """The moment at which something is said, and all that it is said by."""

    subjects: Subjects
    policy: Policy
    now: int
    context: Context


def revision(
    scene: Scene, standing: Standing, episode: Episode | None, change: str, *, lag: int = 0, **extra: Any
) -> dict[str, Any]:
    """The record of the standing's newest revision; optional fields are there only where there is something to say.

    `lag` in ms: since when it has been true. `extra`: fields that belong to the change (`reason`, `retracted`).
    """
    subjects, policy, now, context = scene.subjects, scene.policy, scene.now, scene.context
    issue = episode.issue if episode else subjects.history.by_thread.get(standing.thread)
    clock = episode.clock if episode else subjects.clock_of(standing) if standing.kind == "sla" else None
    thread = clock.thread if clock else None
    if clock is None and standing.kind == "sla" and standing.metric != "issue_resolution":
        thread = subjects.history.threads.get(standing.thread)
    subject = _subject(standing, issue, thread, clock, now)
    facts = _facts(standing, issue, thread, subject, subjects.history.tier, now)
    record: dict[str, Any] = {
        "escalation_id": standing.id,
        "revision": standing.revision,
        "kind": standing.kind,
    }
    if standing.phase is not None:
        record["phase"] = standing.phase
    if standing.kind == "history":
        record["patterns"] = list(standing.patterns)
    if standing.metric is not None:
        record["metric"] = standing.metric
    record |= {"status": standing.status, "change": change, **{k: v for k, v in extra.items() if v}}
    if standing.previous is not None:
        record["previous"] = standing.previous
    record |= {
        "severity": standing.severity,
        "level": standing.level,
        "route": assign(policy, facts),
        "waiting_on": waiting_on(issue, thread, now),
    }
    if standing.flapping:
        record["flapping"] = True
    record |= _acknowledgement(standing, record["route"]["role"])
    record |= {"backfilled": standing.backfilled, "provisional": context.provisional}
    record |= _customer(context, issue, policy, now)
    record |= subject
    record |= {
        "since": format_time(standing.since),
        "detected_at": format_time(now),
        "detection_lag_s": seconds(lag),
    }
    record["evidence"] = episode.evidence(now)[:EVIDENCE_MAX] if episode else [standing.anchor]
    if clock is not None:
        record["clock"] = clock_record(clock, context.customer_id, now)
    record["summary"] = summarise(standing, issue, clock, now, extra.get("reason"))
    record |= {
        "policy_version": clock.segment_at(now).policy.version if clock is not None else policy.version,
        "schema_version": SCHEMA_VERSION,
        "runbook": f"docs/runbook.md#{standing.metric or standing.kind}",
    }
    return record


def _facts(
    standing: Standing, issue: Issue | None, thread: Thread | None, subject: dict[str, Any], tier: str | None, now: int
) -> EscalationFacts:
    """What routes ask for: what the record says, and what is known of its thread, or of the issue's newest one."""
    if thread is None and issue is not None and issue.threads:
        thread = issue.threads[-1]
    known = thread.facts(tier) if thread is not None else TargetFacts(tier=tier)
    return EscalationFacts(
        channel=subject.get("channel"),
        topic=subject.get("topic"),
        priority=known.priority,
        difficulty=known.difficulty,
        tier=known.tier,
        public=subject["public"],
        team=known.team,
        kind=standing.kind,
        metric=standing.metric,
        severity=standing.severity,
        level=standing.level,
        contacts=subject["contacts"],
        attempts=attempts(issue, now) if issue is not None else None,
        patterns=standing.patterns,
    )


def _acknowledgement(standing: Standing, role: str) -> dict[str, Any]:
    if standing.status != ACKNOWLEDGED or standing.acknowledged_by is None:
        return {}
    return {
        "acknowledged_by": standing.acknowledged_by,
        "acknowledged_role": role,
        "time_to_acknowledge_s": seconds(max(0, standing.time_to_acknowledge or 0)),
    }


def _customer(context: Context, issue: Issue | None, policy: Policy, now: int) -> dict[str, Any]:
    threads = issue.threads if issue else []
    events = [event for event in issue.events if event.at <= now] if issue else []
    shown = [identity for identity in context.identities if identity.type != "thread"][:IDENTITIES_MAX]
    return {
        "customer_id": context.customer_id,
        "identities": [_identity(identity, clear=policy.identities_clear) for identity in shown],
        "threads": [
            {"thread": thread.id, "channel": thread.channel, "state": thread_state(thread, now)}
            for thread in threads[-THREADS_MAX:]
        ],
        "timeline": [_line(event, excerpts=policy.excerpts) for event in events[-TIMELINE_MAX:]],
    }


def _identity(identity: Identity, *, clear: bool) -> dict[str, str]:
    value = identity.value if clear else mask(identity).partition(":")[2]
    return {"type": identity.type, "value": value}


def _line(event: Event, *, excerpts: bool) -> dict[str, Any]:
    line = {
        "id": event.id,
        "at": format_time(event.at),
        "channel": event.channel,
        "kind": event.kind,
        "actor": event.actor,
    }
    if excerpts and event.excerpt:
        line["excerpt"] = event.excerpt
    return line


def _subject(
    standing: Standing, issue: Issue | None, thread: Thread | None, clock: Clock | None, now: int
) -> dict[str, Any]:
    record: dict[str, Any] = {}
    contacts: Sequence[Event] = [e for e in issue.contacts if e.at <= now] if issue else []
    if standing.issue_id is not None:
        record["issue_id"] = standing.issue_id
    if thread is not None:
        record["thread"] = clock.run.thread if clock else thread.id
    topic = thread.topic if thread and thread.topic else issue.topic if issue else None
    if topic is not None:
        record["topic"] = topic
    channel = (
        thread.channel if thread else contacts[-1].channel if contacts else issue.founder.channel if issue else None
    )
    if channel is not None:
        record["channel"] = channel
    record["channels"] = list(dict.fromkeys(event.channel for event in contacts))
    if not record["channels"] and channel is not None:
        record["channels"] = [channel]
    record["public"] = thread.public if thread else any(issue.public[e.id] for e in contacts) if issue else False
    if contacts:
        record["first_contact_at"] = format_time(contacts[0].at)
    record["contacts"] = len(contacts)
    if standing.due_at is not None:
        record["due_at"] = format_time(standing.due_at)
    elif standing.kind == "sla":
        record["due_at"] = None
    if standing.phase == "breached" and clock is not None:
        breaches = [breach.at for breach in clock.breaches if breach.at <= now]
        at = breaches[-1] if breaches else standing.peak_at
        record["breached_at"] = format_time(at)
    elif standing.phase == "breached":
        record["breached_at"] = format_time(standing.peak_at)
    return record


__all__ = ["Context", "revision"]
