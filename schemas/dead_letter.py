"""The dead letter: a record that could not be used, whole, and why (contract, sections 1 and 2)."""

from typing import Annotated, Any, Literal, get_args

from pydantic import Field, model_validator

from schemas.record import Count, Omitted, OutputRecord, Time, check_record

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


class Header(OutputRecord):
    """One Kafka header, in the order of the original record."""

    key: str
    value: Annotated[Omitted[str], Field(description="Where the bytes are UTF-8.")] = None
    value_base64: Annotated[Omitted[str], Field(description="Where they are not.")] = None


class DeadLetter(OutputRecord):
    """A rejected record. `value` or `value_base64` gives back the original bytes exactly; neither: it had no value."""

    reason: DeadReason
    detail: Annotated[str, Field(max_length=1000, description="What was wrong, with the field's path; no content.")]
    topic: Annotated[str, Field(min_length=1, max_length=249)]
    partition: Annotated[Count | None, Field(description="Null for a line of a file.")]
    offset: Annotated[Count | None, Field(description="Null for a line of a file.")]
    seen_at: Time
    key: Annotated[Omitted[str], Field(description="The original key, where its bytes are UTF-8.")] = None
    key_base64: Annotated[Omitted[str], Field(description="The original key, where they are not.")] = None
    value: Annotated[Omitted[str], Field(description="The original bytes, where they are UTF-8.")] = None
    value_base64: Annotated[Omitted[str], Field(description="The original bytes, where they are not.")] = None
    headers: list[Header]

    @model_validator(mode="after")
    def _one_form(self) -> "DeadLetter":
        if self.value is not None and self.value_base64 is not None:
            raise ValueError("value, value_base64: one of them, not both")
        if self.key is not None and self.key_base64 is not None:
            raise ValueError("key, key_base64: one of them, not both")
        return self


def validate_dead_letter(record: dict[str, Any]) -> None:
    """Raises ValueError where `record` is not a dead letter."""
    check_record(DeadLetter, record)
