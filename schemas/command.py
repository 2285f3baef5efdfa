"""Commands on escalations: acknowledge, suppress, unsuppress, resolve."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints

from schemas.fields import Instant, Reference, Word


class Command(BaseModel):
    """What somebody decided about one escalation."""

    model_config = ConfigDict(frozen=True, extra="ignore", title="Command")

    id: Reference
    at: Instant
    customer_id: Reference
    escalation_id: Reference
    action: Literal["acknowledge", "suppress", "unsuppress", "resolve"]
    by: Word
    until: Instant | None = None
    reason: Annotated[str, StringConstraints(max_length=500)] | None = None
