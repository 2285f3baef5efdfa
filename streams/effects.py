"""What goes into a node and what comes out of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol


class Incoming(Protocol):
    """A record as it was read: `topic` without prefix, `arrived_at` the append time in ms."""

    @property
    def topic(self) -> str: ...  # noqa: D102 - fields
    @property
    def key(self) -> bytes | None: ...  # noqa: D102
    @property
    def value(self) -> bytes | None: ...  # noqa: D102
    @property
    def arrived_at(self) -> int: ...  # noqa: D102
    @property
    def partition(self) -> int: ...  # noqa: D102
    @property
    def offset(self) -> int: ...  # noqa: D102
    @property
    def headers(self) -> Sequence[tuple[str, bytes]]: ...  # noqa: D102


class Record(NamedTuple):
    """A record of one's own making."""

    topic: str
    key: bytes | None
    value: bytes | None
    arrived_at: int
    partition: int = -1
    offset: int = -1
    headers: tuple[tuple[str, bytes], ...] = ()


class Send(NamedTuple):
    """A record to be sent; `partition` None: by the key's hash."""

    topic: str
    key: bytes
    value: bytes | None
    partition: int | None = None
    headers: tuple[tuple[str, bytes], ...] = ()


class Dead(NamedTuple):
    """A record that was refused, and why."""

    record: Incoming
    reason: str
    detail: str


@dataclass(slots=True)
class Effects:
    """What a batch or a timer led to: state to be confirmed, in the order given, then records to be sent.

    The writes to `identities` come first, and must be confirmed before those to `customers` are begun: an identity
    whose customer was written but which does not point to it would make a second one when its event comes again. Those
    to `aggregates` come last; nothing depends on that.
    """

    writes: list[tuple[str, bytes, bytes | None]] = field(default_factory=list)
    sends: list[Send] = field(default_factory=list)
    dead: list[Dead] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)

    def count(self, what: str, number: int = 1) -> None:
        """Count something, for the metrics."""
        self.counts[what] = self.counts.get(what, 0) + number
