"""The customer, as `mindgap replay --customers` prints it (contract, sections 3 and 10)."""

from typing import Annotated, Any

from pydantic import Field

from schemas.conflict import IdentityValue
from schemas.issue import Issue
from schemas.record import Id, OutputRecord, check_record


class Customer(OutputRecord):
    """One connected component of identities, and what came of it."""

    customer_id: Id
    aliases: Annotated[list[Id], Field(description="Ids that merges have ended; each still leads here. Sorted.")]
    identities: Annotated[list[IdentityValue], Field(description="Private threads included.")]
    issues: list[Issue]


def validate_customer(record: dict[str, Any]) -> None:
    """Raises ValueError where `record` is not a customer line."""
    check_record(Customer, record)
