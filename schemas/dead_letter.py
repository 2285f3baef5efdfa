"""The dead letter: a record that could not be used, whole, and why (contract, sections 1 and 2)."""

from typing import Annotated, Any, Literal, get_args

from pydantic import Field

from schemas.record import Count, OutputRecord, Time, check_record

DeadReason = Literal[
    "not_json",
    "schema",
    "future_timestamp",
    "too_large",
    "too_old",
    "unknown_escalation",
    "internal_error",
]
DEAD_REASONS: tuple[str, ...] = get_args(DeadReason)


Encoding = Literal["utf-8", "base64"]
"""How the text of a field gives back the original bytes."""


class Header(OutputRecord):
    """One Kafka header, in the order of the original record."""

    name: str
    value: str | None
    value_encoding: Encoding


class DeadLetter(OutputRecord):
    """A rejected record, kept whole: key, value and headers give back the original bytes exactly."""

    reason: DeadReason
    detail: Annotated[str, Field(max_length=1000, description="What was wrong, with the field's path; no content.")]
    topic: Annotated[str, Field(min_length=1, max_length=249)]
    partition: Annotated[Count | None, Field(description="Null for a line of a file.")]
    offset: Annotated[Count | None, Field(description="Null for a line of a file.")]
    seen_at: Time
    key: Annotated[str | None, Field(description="The original key; null where there was none.")]
    key_encoding: Encoding
    value: Annotated[str | None, Field(description="The original value; null for a tombstone.")]
    value_encoding: Encoding
    headers: list[Header]


def validate_dead_letter(record: dict[str, Any]) -> None:
    """Raises ValueError where `record` is not a dead letter."""
    check_record(DeadLetter, record)
