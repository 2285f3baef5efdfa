"""Conditions of the policy document: which threads a target is for, which escalations a route or a silence."""

from typing import Annotated

from pydantic import Field

from schemas.policy_fields import Count, Many, Severity, Strict, Text
from schemas.terms import EscalationKind, Pattern, SlaMetric
from schemas.vocabulary import Channel, Difficulty, Priority

STEPS_MAX = 50
"""Most steps of a ladder."""
Level = Annotated[int, Field(strict=True, ge=0, le=STEPS_MAX)]


class When(Strict):
    """Conditions, all of which must hold; each is a value or a list of values. No condition always holds."""

    channel: Many[Channel] | None = None
    topic: Many[Text] | None = None
    priority: Many[Priority] | None = None
    difficulty: Many[Difficulty] | None = None
    tier: Many[Text] | None = None
    public: Many[bool] | None = None
    team: Many[Text] | None = None


class EscalationWhen(When):
    """Conditions on an escalation: those on its thread, and what it is, how bad, and what has been tried.

    `pattern` holds where any of the escalation's patterns is named. What an escalation does not have (a hotspot no
    channel, a clock no pattern) fulfils no condition on it.
    """

    kind: Many[EscalationKind] | None = None
    metric: Many[SlaMetric] | None = None
    pattern: Many[Pattern] | None = None
    severity: Many[Severity] | None = None
    min_severity: Severity | None = None
    level: Many[Level] | None = None
    min_level: Level | None = None
    min_contacts: Count | None = None
    """The customer has made contact at least so often in this issue."""
    min_attempts: Count | None = None
    """... on at least so many threads: one failed attempt and the next make two."""
