"""The interaction: what happened, one record per event (contract, section 2)."""

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

from schemas.fields import Instant, Reference, Word
from schemas.identity import IdentityRecord
from schemas.kinds import check_data
from schemas.vocabulary import ActorType, Channel, Difficulty, Kind, Priority

IDENTITIES_MAX = 20
TEXT_MAX = 100_000


def _few(value: Any) -> Any:
    """The value as it is: what is wrong with each of a hundred thousand identities need not be found out."""
    if isinstance(value, list) and len(value) > IDENTITIES_MAX:
        msg = f"at most {IDENTITIES_MAX} identities, not {len(value)}"
        raise ValueError(msg)
    return value


class Actor(BaseModel):
    """Who did it. A peer is another customer who helps: answers nothing for the company."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    type: ActorType
    id: Reference | None = None
    team: Word | None = None
    role: Word | None = None


class Interaction(BaseModel):
    """One event of one customer on one channel."""

    model_config = ConfigDict(frozen=True, extra="ignore", title="Interaction")

    id: Reference
    occurred_at: Instant
    channel: Channel
    kind: Kind
    actor: Actor | None = None
    identities: Annotated[tuple[IdentityRecord, ...], Field(max_length=IDENTITIES_MAX), BeforeValidator(_few)] = ()
    thread: Reference | None = None
    in_reply_to: Reference | None = None
    issue: Reference | None = None
    topic: Word | None = None
    public: bool | None = None
    priority: Priority | None = None
    difficulty: Difficulty | None = None
    tier: Word | None = None
    text: Annotated[str, StringConstraints(max_length=TEXT_MAX)] | None = None
    data: dict[str, Any] | None = None

    @model_validator(mode="after")
    def _whole(self) -> "Interaction":
        if self.thread is None:
            if self.kind != "self_service_failed":
                msg = "thread: required, unless the kind is self_service_failed"
                raise ValueError(msg)
            if not self.identities:
                msg = "identities: may be empty only when thread is given"
                raise ValueError(msg)
        check_data(self.kind, self.data or {})
        return self
