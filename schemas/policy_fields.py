"""Field types of the policy document: durations, shares, windows, and one-or-many lists."""

import re
from datetime import date
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    PlainSerializer,
    WithJsonSchema,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from schemas.times import DAY, HOUR, MINUTE, SECOND, parse_duration

Severity = Literal["info", "warning", "error", "critical"]
SEVERITIES: tuple[str, ...] = ("info", "warning", "error", "critical")
"""From the mildest to the worst."""

DURATION_MAX = 3660 * DAY
DAYS: tuple[str, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY_MINUTES = 1440

_CLOCK_TIME = r"(?:[01]\d|2[0-3]):[0-5]\d"
_WINDOW = re.compile(rf"({_CLOCK_TIME})\s*-\s*({_CLOCK_TIME}|24:00)")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_PERCENT = re.compile(r"(\d{1,3}(?:\.\d)?)\s*%")


class Strict(BaseModel):
    """A part of the policy document: frozen, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class AlsoAccepts:
    """In JSON Schema: forms that a field's validator takes besides its type."""

    def __init__(self, *forms: dict[str, Any]) -> None:
        self._forms = forms

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"anyOf": [handler(core), *self._forms]}


def _duration(value: Any) -> int:
    if isinstance(value, str):
        length = parse_duration(value)
    elif isinstance(value, int) and not isinstance(value, bool) and value == 0:
        length = 0
    else:
        raise ValueError("a duration needs a unit: 90s, 15m, 4h or 2d")
    if length > DURATION_MAX:
        raise ValueError(f"longer than {DURATION_MAX // DAY}d")
    return length


def format_duration(length: int) -> str:
    """The duration of `length` ms in the largest unit that keeps it whole: `90s`, `4h`."""
    for unit, size in (("d", DAY), ("h", HOUR), ("m", MINUTE), ("s", SECOND)):
        if length and length % size == 0:
            return f"{length // size}{unit}"
    return f"{length}ms" if length else "0s"


Duration = Annotated[
    int,
    BeforeValidator(_duration),
    PlainSerializer(format_duration, return_type=str, when_used="json"),
    WithJsonSchema({"anyOf": [{"type": "string", "pattern": r"^\s*\d{1,9}(ms|s|m|h|d)\s*$"}, {"const": 0}]}),
]
"""A duration as text (`90s`, `15m`, `4h`, `2d`); in the program, ms."""


def _positive(length: int) -> int:
    if length <= 0:
        raise ValueError("must be longer than 0")
    return length


PositiveDuration = Annotated[Duration, AfterValidator(_positive)]


def _share(value: Any) -> int | None:
    if value is False or value == "off":
        return None
    match = _PERCENT.fullmatch(value.strip()) if isinstance(value, str) else None
    permille = round(float(match[1]) * 10) if match else 0
    if not 0 < permille <= 1000:
        raise ValueError("a share of the target between 0.1% and 100%, such as 80%, or off")
    return permille


def _format_share(permille: int | None) -> str:
    return "off" if permille is None else f"{permille / 10:g}%"


Share = Annotated[
    int | None,
    BeforeValidator(_share),
    PlainSerializer(_format_share, return_type=str, when_used="json"),
    WithJsonSchema({"anyOf": [{"type": "string", "pattern": r"^\s*\d{1,3}(\.\d)?\s*%\s*$|^off$"}, {"const": False}]}),
]
"""A share as text (`80%`, or `off` for none); in the program, thousandths."""


def as_text(value: Any) -> Any:
    """A number where text is wanted, as it was written (`version: 1.10` is `1.10`); anything else unchanged."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return getattr(value, "text", str(value))
    return value


Text = Annotated[
    str,
    BeforeValidator(as_text),
    Field(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]*$"),
    AlsoAccepts({"type": "number"}),
]
"""A name or label; a number is taken as it was written."""

Count = Annotated[int, Field(strict=True, ge=1, le=1_000_000)]

T = TypeVar("T")


def _many(value: Any) -> Any:
    return value if isinstance(value, list | tuple) else (value,)


class _OneOrMany:
    """In JSON Schema: an item, or a list of items."""

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        many = handler(core)
        return {"anyOf": [many["items"], many]}


Many = Annotated[tuple[T, ...], BeforeValidator(_many), Field(min_length=1, max_length=1000), _OneOrMany()]
"""A value, or a list of values."""


def parse_days(text: str) -> tuple[int, ...]:
    """The days of `mon`, `mon-fri`, `fri-mon` or `mon,wed-fri`, 0 for Monday; raises ValueError."""
    found: list[int] = []
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        if first not in DAYS or (dash and last not in DAYS):
            raise ValueError(f"{text[:40]!r} is not a day or a span of days, such as mon, mon-fri or sat,sun")
        start, end = DAYS.index(first), DAYS.index(last or first)
        found += [day % 7 for day in range(start, end + 1 if end >= start else end + 8)]
    if len(set(found)) != len(found):
        raise ValueError(f"{text[:40]!r} names a day twice")
    return tuple(found)


def parse_window(text: str) -> tuple[int, int]:
    """The minutes of `09:00-17:00` from the day's midnight; an end that is not after the start is on the next day.

    Raises ValueError where the text is not a window.
    """
    match = _WINDOW.fullmatch(text.strip())
    if not match:
        raise ValueError(f"{text[:40]!r} is not a window, such as 09:00-17:00 or 22:00-06:00")
    start, end = _minutes(match[1]), _minutes(match[2])
    return start, end if end > start else end + DAY_MINUTES


def _minutes(text: str) -> int:
    return int(text[:2]) * 60 + int(text[3:])


def parse_date(text: str) -> date:
    """The date of `2026-07-03`; raises ValueError where it is none."""
    if _DATE.fullmatch(text):
        try:
            return date.fromisoformat(text)
        except ValueError:
            pass
    raise ValueError(f"{text[:40]!r} is not a date, such as 2026-07-03")


def _days(text: str) -> str:
    parse_days(text)
    return text


def _window(text: str) -> str:
    parse_window(text)
    return text


def _date(text: str) -> str:
    parse_date(text)
    return text


_DAY = f"(?:{'|'.join(DAYS)})"
_SPAN = rf"\s*{_DAY}(?:-{_DAY})?\s*"


def _pattern(pattern: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": f"^{pattern}$"})


DaysText = Annotated[str, AfterValidator(_days), _pattern(rf"{_SPAN}(?:,{_SPAN})*")]
WindowText = Annotated[str, AfterValidator(_window), _pattern(rf"\s*{_WINDOW.pattern}\s*")]
DateText = Annotated[str, AfterValidator(_date), _pattern(r"\d{4}-\d{2}-\d{2}")]
