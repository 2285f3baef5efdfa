"""Who is told of what, when and how loudly: ladders, roles, routes, notifications and silences of the policy."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from schemas.fields import Instant
from schemas.policy_fields import AlsoAccepts, Duration, PositiveDuration, Severity, Strict, Text
from schemas.policy_when import EscalationWhen
from schemas.times import HOUR, MINUTE, SECOND

Reason = Annotated[str, Field(max_length=500)]


class Step(Strict):
    """A step of a ladder: `after` so long without an acknowledgement, `role` is told.

    Without a role it raises the level, and the routes say whom it is for: they may ask for the level.
    """

    after: Duration
    role: Text | None = None


class Role(Strict):
    """Somebody who is told."""

    contact: Annotated[str, Field(min_length=1, max_length=500)] | None = None


class Route(Strict):
    """Whom an escalation is for."""

    when: EscalationWhen = EscalationWhen()
    role: Text


GroupField = Literal["kind", "topic", "channel", "severity", "metric", "public", "customer_id", "issue_id", "role"]


def _switch(value: Any) -> Any:
    if value in ("on", "off"):
        return value == "on"
    if isinstance(value, bool):
        return value
    raise ValueError("on or off is wanted here")


OnOff = Annotated[bool, BeforeValidator(_switch), AlsoAccepts({"enum": ["on", "off"]})]


class Notify(Strict):
    """Which escalations page, and how they are grouped. `paging: off` stops every page, and says so."""

    min_severity: Severity = "error"
    group_by: Annotated[tuple[GroupField, ...], Field(max_length=9)] = ("kind", "topic", "channel")
    group_wait: Duration = 30 * SECOND
    group_interval: PositiveDuration = 5 * MINUTE
    repeat_interval: PositiveDuration = 4 * HOUR
    paging: OnOff = True
    reason: Reason | None = None
    """Why paging is off."""


class Silence(Strict):
    """A time in which what `when` matches is recorded but not paged."""

    when: EscalationWhen = EscalationWhen()
    from_: Annotated[Instant, Field(alias="from")]
    until: Instant
    reason: Reason | None = None
