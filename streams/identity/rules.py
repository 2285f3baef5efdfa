"""What the policy says about identities: blocked values and limits."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

DEFAULT_LIMITS: Mapping[str, int] = MappingProxyType({"customer_id": 1, "email": 5, "phone": 5, "handle": 5})
"""Distinct values per customer and type; a type that is not named has no limit."""


@dataclass(frozen=True, slots=True)
class IdentityRules:
    """`blocked`: values, lower-cased, that join nobody; `limits`: distinct values per type; `most`: identities in all.

    Threads do not count towards `most`.
    """

    blocked: frozenset[str] = frozenset()
    limits: Mapping[str, int] = field(default_factory=lambda: DEFAULT_LIMITS)
    most: int = 100
