"""The issue, as `mindgap replay --customers` prints it (contract, sections 4 and 10)."""

from typing import Annotated, Literal

from pydantic import Field

from schemas.record import Count, Id, OutputRecord, Time
from schemas.vocabulary import Channel

IssueStatus = Literal["open", "resolved", "lapsed"]


class Issue(OutputRecord):
    """What one customer wanted, on however many threads and channels."""

    issue_id: Id
    topic: Annotated[str | None, Field(description="Null where no event named one.")]
    status: Annotated[
        IssueStatus,
        Field(description="Lapsed: silence after a contact that nobody answered, which resolves nothing."),
    ]
    first_contact_at: Annotated[Time | None, Field(description="Null where the customer never made contact.")]
    last_contact_at: Time | None
    channels: Annotated[list[Channel], Field(description="Channels of the customer's contacts, in order of first use.")]
    contacts: Count
    threads: Annotated[list[Id], Field(description="In order of their first event.")]
    deflections: Annotated[Count, Field(description="Hand-offs from a public thread left out.")]
