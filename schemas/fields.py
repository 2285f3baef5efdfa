"""Field types that several records share."""

from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer, StringConstraints, WithJsonSchema

from schemas.times import check_instant, format_time, parse_time


def _instant(value: Any) -> int:
    if not isinstance(value, str):
        msg = "a time is a string such as 2026-06-08T13:00:00Z"
        raise ValueError(msg)  # noqa: TRY004 - pydantic takes a TypeError for a defect
    return check_instant(parse_time(value))


Instant = Annotated[
    int,
    BeforeValidator(_instant),
    PlainSerializer(format_time, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
"""An RFC 3339 time with an offset; in the program, milliseconds since the epoch."""

Reference = Annotated[str, StringConstraints(min_length=1, max_length=255)]
"""The id of something in a source system."""

Word = Annotated[str, StringConstraints(min_length=1, max_length=100)]
"""A label: topic, team, tier, role."""
