"""The facts of a customer as records: issues, threads, clocks. They are what two runs are compared by."""

from typing import Any

from schemas.identity import Identity, as_record
from schemas.times import format_optional, format_time
from streams.clocks import BREACHED
from streams.customer import Customer
from streams.intervals import FOREVER
from streams.issue import Issue
from streams.ledger import clock_record
from streams.patterns.company import deflections
from streams.policy import Policy, PolicyHistory
from streams.severity import highest
from streams.subjects import subject_of


def customer_record(
    customer: Customer, aliases: tuple[str, ...], identities: tuple[Identity, ...], policies: PolicyHistory, now: int
) -> dict[str, Any]:
    """A line of `--customers` (contract, section 10)."""
    derived = customer.derived(policies)
    policy = policies.at(now)
    return {
        "customer_id": customer.id,
        "aliases": list(aliases),
        "identities": [as_record(identity) for identity in identities],
        "issues": [issue_record(issue, policy, now) for issue in derived.history.issues],
    }


def issue_record(issue: Issue, policy: Policy, now: int) -> dict[str, Any]:
    """An issue as it stands at `now`."""
    contacts = issue.contacts
    rule = policy.patterns.get("deflection_loop")
    window = rule.handoff_window if rule else policy.handoff_window
    return {
        "issue_id": issue.id,
        "topic": issue.topic,
        "status": issue_status(issue, policy, now),
        "first_contact_at": format_optional(contacts[0].at if contacts else None),
        "last_contact_at": format_optional(contacts[-1].at if contacts else None),
        "channels": list(dict.fromkeys(contact.channel for contact in contacts)),
        "contacts": len(contacts),
        "threads": [thread.id for thread in issue.threads],
        "deflections": sum(1 for _, until in deflections(issue, window) if until == FOREVER),
    }


def issue_status(issue: Issue, policy: Policy, now: int) -> str:
    """open, lapsed or resolved at `now`."""
    if not any(span.start <= now < span.end for span in issue.unresolved):
        return "resolved"
    last = issue.last_contact
    if last is None or now < last.at + policy.quiet_after:
        return "open"
    answered = any(answer.order > last.order for answer in issue.answers)
    return "open" if answered else "lapsed"


def clock_records(customer: Customer, policies: PolicyHistory, now: int) -> list[dict[str, Any]]:
    """The clocks of a customer as they stand at `now`."""
    return [clock_record(clock, customer.id, now) for clock in customer.derived(policies).clocks]


def episode_records(customer: Customer, policies: PolicyHistory, now: int) -> list[dict[str, Any]]:
    """The episodes that should be on record at `now`: breaches of clocks, and histories of at least a warning.

    The part of an `sla` episode before its breach is left out: whether anybody was warned depends on when it
    was noticed. `subject` is the clock's or the issue's id; `end` and `ended_by` are null while it lasts.
    """
    records = []
    for episode in customer.derived(policies).episodes:
        begun = [step for step in episode.steps if step.at <= now]
        if episode.kind == "sla":
            begun = [step for step in begun if step.phase == BREACHED]
        if not begun:
            continue
        over = episode.over(now)
        records.append(
            {
                "customer_id": customer.id,
                "kind": episode.kind,
                "subject": subject_of(episode)[1],
                "start": format_time(begun[0].at),
                "end": format_time(episode.end) if over else None,
                "ended_by": episode.ended_by if over else None,
                "severity": highest({step.severity for step in begun}),
                "patterns": sorted({name for step in begun for name in step.patterns}),
            }
        )
    return records
