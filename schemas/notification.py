"""The notification: one page for a group of escalations (contract, section 7)."""

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from schemas.record import Id, OutputRecord, Time, check_record
from schemas.terms import Severity

ESCALATION_IDS_MAX = 100
"""Most escalation ids that a notification names; `count` is the whole number."""


class Notification(OutputRecord):
    """What a pager reads, so that a storm pages once."""

    group_key: Annotated[Id, Field(description="What the escalations have in common, and the record's key.")]
    at: Time
    change: Literal["first", "more", "repeat", "resolved"]
    count: Annotated[int, Field(ge=0, description="Escalations of the group that are open now.")]
    severity: Annotated[Severity, Field(description="The highest of theirs.")]
    escalation_ids: Annotated[list[Id], Field(max_length=ESCALATION_IDS_MAX)]
    summary: Annotated[str, StringConstraints(min_length=1, max_length=1000)]


def validate_notification(record: dict[str, Any]) -> None:
    """Raises ValueError where `record` is not a notification."""
    check_record(Notification, record)
