"""The identity conflict: a link that was refused (contract, sections 1 and 3)."""

from typing import Annotated, Any

from pydantic import Field

from schemas.identity import IdentityType
from schemas.record import Id, OutputRecord, Time, check_record


class IdentityValue(OutputRecord):
    """An identity as it stands in an output record: normalised, or masked where the record says so."""

    type: IdentityType
    value: Annotated[str, Field(max_length=512)]


class Conflict(OutputRecord):
    """An edge between two identities that was not made."""

    identity: Annotated[IdentityValue, Field(description="The identity that stayed where it was.")]
    refused_by: Annotated[Id, Field(description="The customer that it did not join.")]
    reason: Annotated[str, Field(min_length=1, max_length=100, description="The limit that it would have broken.")]
    record_id: Annotated[Id, Field(description="The event or link record that asked for it.")]
    seen_at: Time


def validate_conflict(record: dict[str, Any]) -> None:
    """Raises ValueError where `record` is not an identity conflict."""
    check_record(Conflict, record)
