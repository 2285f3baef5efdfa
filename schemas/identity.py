"""Identities: their types, strength and normal form (contract, sections 2 and 3)."""

import re
from typing import Annotated, Any, Literal, NamedTuple, get_args

import phonenumbers
from pydantic import BaseModel, ConfigDict, StringConstraints

IdentityType = Literal["customer_id", "account", "email", "phone", "handle", "device", "thread"]

STRENGTH: dict[str, int] = {name: rank for rank, name in enumerate(get_args(IdentityType))}
"""Rank of each type, 0 the strongest."""

VALUE_MAX = 512
"""Longest identity value accepted, in characters."""

_ALWAYS_BLOCKED = {"", "-1", "null", "none", "n/a", "anonymous", "unknown", "withheld", "private"}
_ZEROS = re.compile(r"\+?0+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class Identity(NamedTuple):
    """A normalised identity. Its text form, `type:value`, is the key of records and tables."""

    type: str
    value: str

    def __str__(self) -> str:
        return f"{self.type}:{self.value}"


class IdentityRecord(BaseModel):
    """An identity as it arrives."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    type: IdentityType
    value: Annotated[str, StringConstraints(max_length=VALUE_MAX)]


def parse_identity(text: str) -> Identity:
    """The normalised identity of `type:value`; raises ValueError for an unknown type."""
    kind, colon, value = text.partition(":")
    if not colon or kind not in STRENGTH:
        msg = f"{text[:60]!r} is not an identity: write type:value, with a type of {', '.join(STRENGTH)}"
        raise ValueError(msg)
    return normalise(kind, value)


def normalise(kind: str, value: str) -> Identity:
    """The identity in its normal form: email lower-cased, phone in E.164 where it can be, handle without `@`."""
    value = _CONTROL.sub("", value).strip()
    if kind == "email":
        value = value.lower()
    elif kind == "handle":
        value = value.lstrip("@").lower()
    elif kind == "phone":
        value = _e164(value)
    return Identity(kind, value)


def _e164(value: str) -> str:
    if value.lower() in _ALWAYS_BLOCKED:
        return value  # `n/a` is not the number `na`
    international = "+" + value[2:] if value.startswith("00") else value
    if international.startswith("+"):
        try:
            number = phonenumbers.parse(international)
        except phonenumbers.NumberParseException:
            return value
        return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return re.sub(r"[\s().\-/]", "", value)  # national: without a country nothing more is known


def is_blocked(identity: Identity, blocked: frozenset[str] = frozenset()) -> bool:
    """True for a value that joins nobody: a placeholder, all zeros, or one that the policy names."""
    value = identity.value.lower()
    return value in _ALWAYS_BLOCKED or bool(_ZEROS.fullmatch(value)) or value in blocked


def mask(identity: Identity) -> str:
    """The identity for a record that many may read: type and the first and last characters at the most."""
    value = identity.value
    if identity.type == "thread":
        return str(identity)
    if identity.type == "email":
        name, at, domain = value.partition("@")
        return f"email:{name[:1]}***{at}{domain}"
    if len(value) <= 4:
        return f"{identity.type}:***"
    tail = value[-2:] if len(value) > 6 else ""
    return f"{identity.type}:{value[:1]}***{tail}"


def as_record(identity: Identity) -> dict[str, Any]:
    """The identity as it stands in JSON records."""
    return {"type": identity.type, "value": identity.value}
