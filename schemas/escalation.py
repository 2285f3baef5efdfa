"""The escalation: one revision of something that a company should act on (contract, section 6)."""

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, StringConstraints, model_validator

from schemas.clock import Clock
from schemas.identity import IdentityType
from schemas.record import Count, Id, Omitted, OutputRecord, Seconds, Time, check_record
from schemas.terms import (
    Change,
    EscalationKind,
    EscalationStatus,
    Pattern,
    Phase,
    Reason,
    Severity,
    SlaMetric,
    ThreadState,
    WaitingOn,
)
from schemas.vocabulary import ActorType, Channel, Kind

EXCERPT_MAX = 200
"""Longest excerpt of a customer's text, in characters."""
TIMELINE_MAX = 20
"""Most events in a timeline: the last ones."""
EVIDENCE_MAX = 50
"""Most ids of evidence."""

REQUIRED: dict[str, tuple[str, ...]] = {
    "sla": ("phase", "metric", "customer_id", "identities", "threads", "timeline", "issue_id"),
    "history": ("patterns", "customer_id", "identities", "threads", "timeline", "issue_id"),
    "hotspot": ("topic",),
}
"""What an escalation of each kind always has, beside what every escalation has."""
WHILE_OPEN: dict[str, tuple[str, ...]] = {"sla": ("channel", "clock"), "history": ("channel",), "hotspot": ()}
"""What it has until it is resolved: a merge or a split may have taken its subject away by then."""


class Route(OutputRecord):
    """Whom it is for."""

    role: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    contact: Annotated[Omitted[str], Field(description="The role's contact in the policy: `pagerduty:PABC`.")] = None


class ThreadLine(OutputRecord):
    """One thread of the history."""

    thread: Id
    channel: Channel
    state: ThreadState


class TimelineLine(OutputRecord):
    """One event of the history."""

    id: Id
    at: Time
    channel: Channel
    kind: Kind
    actor: Annotated[ActorType, Field(description="The actor's type.")]
    excerpt: Annotated[
        Omitted[str],
        Field(max_length=EXCERPT_MAX, description="Start of the text; never with `privacy.excerpts: false`."),
    ] = None


class MaskedIdentity(OutputRecord):
    """An identity of the customer."""

    type: IdentityType
    value: Annotated[str, Field(max_length=512, description="Masked; clear with `privacy.identities: clear`.")]


def _conditions() -> dict[str, Any]:
    return {
        "allOf": [
            {"if": {"properties": {"kind": {"const": kind}}, "required": ["kind"]}, "then": {"required": list(names)}}
            for kind, names in REQUIRED.items()
        ]
    }


class Escalation(OutputRecord):
    """One revision. (`escalation_id`, `revision`) is unique: a consumer deduplicates by it, and orders by `revision`.

    Optional fields are left out where there is nothing to say, never null.
    """

    model_config = ConfigDict(json_schema_extra=_conditions())

    escalation_id: Annotated[Id, Field(description="The same input gives the same id. The dedup key for pagers.")]
    revision: Annotated[int, Field(ge=1, description="1, 2, ..., without gaps.")]
    kind: EscalationKind
    phase: Annotated[Omitted[Phase], Field(description="Of an `sla` escalation.")] = None
    patterns: Annotated[Omitted[list[Pattern]], Field(description="Those that hold, of a `history` escalation.")] = None
    metric: Annotated[Omitted[SlaMetric], Field(description="Of an `sla` escalation.")] = None
    status: Annotated[EscalationStatus, Field(description="`resolved` is final.")]
    change: Annotated[Change, Field(description="What this revision says that the one before it did not.")]
    reason: Annotated[Omitted[Reason], Field(description="Why it was resolved; with that only.")] = None
    merged_into: Annotated[Omitted[Id], Field(description="With reason `merged`: the escalation that goes on.")] = None
    retracted: Annotated[Omitted[bool], Field(description="What was said before has been disproved.")] = None
    previous: Annotated[Omitted[Id], Field(description="The resolved escalation that this one follows.")] = None
    severity: Severity
    level: Annotated[int, Field(ge=0, description="Step of the ladder.")]
    route: Route
    waiting_on: Annotated[WaitingOn, Field(description="Whose turn it is.")]
    acknowledged_by: Annotated[Omitted[str], Field(min_length=1, max_length=100, description="Who acted.")] = None
    acknowledged_role: Annotated[Omitted[str], Field(min_length=1, max_length=100, description="In which role.")] = None
    time_to_acknowledge_s: Annotated[Omitted[Seconds], Field(description="How soon.")] = None
    backfilled: Annotated[
        bool,
        Field(description="Found only after it was over, or in the backlog of a first start: recorded, never paged."),
    ]
    provisional: Annotated[bool, Field(description="Decided while an input was stalled.")]
    flapping: Annotated[Omitted[bool], Field(description="It comes and goes: open until it has been quiet.")] = None
    customer_id: Omitted[Id] = None
    identities: Omitted[list[MaskedIdentity]] = None
    threads: Omitted[list[ThreadLine]] = None
    timeline: Annotated[Omitted[list[TimelineLine]], Field(max_length=TIMELINE_MAX)] = None
    issue_id: Omitted[Id] = None
    thread: Annotated[Omitted[Id], Field(description="The thread of the clock, where it is one thread's.")] = None
    topic: Omitted[str] = None
    channel: Annotated[Omitted[Channel], Field(description="Where it is now.")] = None
    channels: Annotated[list[Channel], Field(description="Every channel of the history, in order of first use.")]
    public: Annotated[bool, Field(description="It can be seen by everyone.")]
    first_contact_at: Omitted[Time] = None
    contacts: Count
    due_at: Annotated[
        Time | None,
        Field(description="Null while the clock of an `sla` escalation is paused; left out where nothing is due."),
    ] = None
    breached_at: Annotated[Omitted[Time], Field(description="The due instant, not the moment somebody looked.")] = None
    since: Annotated[
        Omitted[Time], Field(description="Since when what it stands for has held, as far as is known.")
    ] = None
    detected_at: Time
    detection_lag_s: Annotated[Seconds, Field(description="`detected_at` less the instant at which it became true.")]
    evidence: Annotated[list[Id], Field(max_length=EVIDENCE_MAX, description="Ids of the events that made it true.")]
    clock: Annotated[Omitted[Clock], Field(description="Of an `sla` escalation.")] = None
    summary: Annotated[str, StringConstraints(min_length=1, max_length=1000), Field(description="For a supervisor.")]
    policy_version: str
    schema_version: Literal["1"]
    runbook: Annotated[str, Field(min_length=1, max_length=500, description="Where it says what to do.")]

    @model_validator(mode="after")
    def _whole(self) -> "Escalation":
        needed = REQUIRED[self.kind] + (WHILE_OPEN[self.kind] if self.status != "resolved" else ())
        for name in needed:
            if getattr(self, name) is None:
                raise ValueError(f"{name}: required where the kind is {self.kind}")
        if (self.change == "opened") != (self.revision == 1):
            raise ValueError("change: the first revision, and no other, is opened")
        if (self.status == "resolved") != (self.change == "resolved"):
            raise ValueError("status: resolved goes with change resolved")
        if (self.status == "resolved") != (self.reason is not None):
            raise ValueError("reason: with status resolved, and only then")
        if (self.reason == "merged") != (self.merged_into is not None):
            raise ValueError("merged_into: with reason merged, and only then")
        if self.reason == "late_evidence" and not self.retracted:
            raise ValueError("retracted: late evidence retracts what was said")
        if self.phase == "breached" and self.breached_at is None:
            raise ValueError("breached_at: required where the phase is breached")
        if self.status == "acknowledged" and self.acknowledged_by is None:
            raise ValueError("acknowledged_by: required where the status is acknowledged")
        return self


def validate_escalation(record: dict[str, Any]) -> None:
    """Raises ValueError where `record` is not a revision of an escalation."""
    check_record(Escalation, record)
