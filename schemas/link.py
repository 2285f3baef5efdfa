"""Link records: identities asserted to be, or not to be, one customer."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from schemas.fields import Instant, Reference, Word
from schemas.identity import IdentityRecord


class Link(BaseModel):
    """A link or unlink assertion by a CRM, a login or support staff."""

    model_config = ConfigDict(frozen=True, extra="ignore", title="Link")

    id: Reference
    occurred_at: Instant
    action: Literal["link", "unlink"]
    a: IdentityRecord
    b: IdentityRecord
    source: Word | None = None
