"""Whom an escalation is for: the role of its ladder's step, else that of the first route that matches."""

from collections.abc import Sequence
from typing import TypeVar

from streams.issue import Issue
from streams.policy import EscalationFacts, Policy

S = TypeVar("S")

UNROUTED = "unassigned"
"""The role of an escalation for which the policy has no ladder and no route."""


def assign(policy: Policy, facts: EscalationFacts) -> dict[str, str]:
    """The `route` of an escalation's record: `{"role", "contact"?}`. `facts` hold its severity and its level."""
    step = step_of(policy.ladder(facts.severity or ""), facts.level or 0)
    role = (step.role if step is not None else None) or policy.route(facts) or UNROUTED
    contact = policy.contact(role)
    return {"role": role, "contact": contact} if contact else {"role": role}


def step_of(steps: Sequence[S], level: int) -> S | None:
    """The step of a ladder that has been reached at `level`; None before the first. A longer ladder's level is last."""
    return steps[min(level, len(steps)) - 1] if steps and level > 0 else None


def attempts(issue: Issue, now: int) -> int:
    """On how many threads the customer has made contact by `now` (ms); those that were merged are one."""
    mine = (thread for thread in issue.threads if thread.merged_into is None and thread.contacts)
    return sum(1 for thread in mine if thread.contacts[0].at <= now)
