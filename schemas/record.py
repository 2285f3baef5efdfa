"""What the output records share: their base, and the field types that are strict about what goes out.

Input is read tolerantly (`schemas.fields`); what we write ourselves has one form only. A reader of these
records ignores fields that it does not know; our own tests forbid them, so that a field which is written but
not described here fails a test.
"""

from typing import Annotated, Any, Final, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, WithJsonSchema
from pydantic.json_schema import SkipJsonSchema

SCHEMA_VERSION: Final = "1"
"""Version of the output records. It changes when a field is renamed or removed, never when one is added."""

_TIME = r"^-?\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}Z$"

Time = Annotated[
    str,
    StringConstraints(pattern=_TIME),
    WithJsonSchema({"type": "string", "format": "date-time", "pattern": _TIME}),
]
"""An instant on its way out: UTC with `Z` and milliseconds, `2026-06-08T13:00:00.000Z`."""

Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]
"""A length of time in seconds, whole or not, never negative."""

Count = Annotated[int, Field(ge=0)]
"""How many."""

Id = Annotated[str, StringConstraints(min_length=1, max_length=255)]
"""An id of ours or of a source system."""

T = TypeVar("T")


def _given(value: Any) -> Any:
    if value is None:
        raise ValueError("null: leave the field out where there is nothing to say")
    return value


Omitted = Annotated[T | SkipJsonSchema[None], BeforeValidator(_given)]
"""A field that is left out where there is nothing to say; it is never null. Write `field: Omitted[X] = None`."""


class OutputRecord(BaseModel):
    """Base of everything that we write."""

    model_config = ConfigDict(frozen=True, extra="ignore")


def check_record(model: type[OutputRecord], record: dict[str, Any]) -> None:
    """Raises ValueError, with every problem and its path, where `record` is not exactly what `model` describes.

    Types are strict (no text for a number), and fields that the model does not know are refused.
    """
    model.__pydantic_validator__.validate_python(record, strict=True, extra="forbid")
