"""What a record changed about the customers: a closed union, to be applied in the order given."""

from collections.abc import Mapping
from dataclasses import dataclass

from schemas.identity import Identity
from streams.event import Event


@dataclass(frozen=True, slots=True)
class Placed:
    """`event` belongs into the log of the customer `customer_id`, which may be new."""

    customer_id: str
    event: Event


@dataclass(frozen=True, slots=True)
class Merged:
    """The log of `loser` is now a part of `into`'s, and the id `loser` an alias. `at`: arrival, ms."""

    into: str
    loser: str
    at: int


@dataclass(frozen=True, slots=True)
class Split:
    """The events named in `parts` leave the log of `origin` for new customers; the others stay. `at`: arrival, ms."""

    origin: str
    parts: Mapping[str, frozenset[str]]
    at: int


@dataclass(frozen=True, slots=True)
class Moved:
    """One event leaves the log of `origin` for that of `target`, which may be new. `at`: arrival, ms."""

    event_id: str
    origin: str
    target: str
    at: int


@dataclass(frozen=True, slots=True)
class Refused:
    """`identity` was not joined to the customer `refused_by`, for `reason`: `limit:TYPE` or `limit:identities`."""

    identity: Identity
    refused_by: str
    reason: str
    record_id: str
    seen_at: int


Change = Placed | Merged | Split | Moved | Refused
