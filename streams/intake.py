"""The door: what is let in, and why what is not is set aside (contract, section 2)."""

import re
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from schemas.codec import JSONDecodeError, loads
from schemas.command import Command
from schemas.interaction import Interaction
from schemas.link import Link
from streams.event import Event, from_interaction
from streams.policy import Policy

M = TypeVar("M", bound=BaseModel)

DETAIL_MAX = 500
_QUOTED = re.compile(r"""(['"]).*\1 is not""", re.DOTALL)
"""Where a message says what was read."""
PROBLEMS_MAX = 5
"""How many of a record's problems a rejection names."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """Why a record was not let in. `detail` names fields and rules, never a value of the record."""

    reason: str
    detail: str


def parse(raw: bytes, limit: int) -> Any | Rejected:
    """The JSON value of a record's bytes; `limit` is the longest that is read."""
    if len(raw) > limit:
        return Rejected("too_large", f"{len(raw)} bytes; at most {limit} are read (limits.max_bytes)")
    try:
        return loads(raw)
    except JSONDecodeError as problem:
        return Rejected("not_json", f"line {problem.lineno}, column {problem.colno}: {problem.msg}"[:DETAIL_MAX])


def admit(value: Any, arrived_at: int, policy: Policy) -> Event | Rejected:
    """The event of an interaction's JSON value that arrived at `arrived_at` (ms)."""
    record = validate(Interaction, value)
    if isinstance(record, Rejected):
        return record
    if record.occurred_at > arrived_at + policy.max_future:
        ahead = (record.occurred_at - arrived_at) // 1000
        return Rejected("future_timestamp", f"occurred_at is {ahead} s after its arrival (limits.max_future)")
    if record.occurred_at < arrived_at - policy.max_age:
        behind = (arrived_at - record.occurred_at) // 86_400_000
        return Rejected("too_old", f"occurred_at is {behind} days before its arrival (limits.max_age)")
    return from_interaction(record, arrived_at, excerpts=policy.excerpts)


def admit_link(value: Any) -> Link | Rejected:
    """The link record of a JSON value."""
    return validate(Link, value)


def admit_command(value: Any) -> Command | Rejected:
    """The command record of a JSON value."""
    return validate(Command, value)


def validate(model: type[M], value: Any) -> M | Rejected:
    """The record, or what is wrong with it, by field."""
    if not isinstance(value, dict):
        return Rejected("schema", f"$: {model.__name__.lower()} records are JSON objects")
    try:
        return model.model_validate(value)
    except ValidationError as problem:
        return Rejected("schema", _detail(problem))


def _detail(problem: ValidationError) -> str:
    parts = []
    for error in problem.errors(include_url=False, include_context=False, include_input=False)[:PROBLEMS_MAX]:
        path = ".".join(str(step) for step in error["loc"])
        message = _without_values(error["msg"], error["type"])
        parts.append(f"{path}: {message}" if path else message)  # what is about a whole record names the field itself
    return "; ".join(parts)[:DETAIL_MAX]


def _without_values(message: str, kind: str) -> str:
    """What was expected. A ValueError of ours may quote what was read; personal data could be in it."""
    if kind == "value_error":
        return _QUOTED.sub("not", message.removeprefix("Value error, "))
    return message
