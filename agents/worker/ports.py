"""What the shell asks of the core: a node per partition, and the kit that makes nodes."""

from collections.abc import Callable, Iterable, Mapping, MutableMapping, Sequence
from typing import Any, NamedTuple, Protocol

State = MutableMapping[bytes, bytes]
"""One partition of a table. The core reads it; only the shell writes, once the changelog has confirmed."""
Table = Mapping[bytes, bytes]
"""The same, as the core sees it."""
Owner = Callable[[str], int]
"""The partition that a key belongs to."""


class Incoming(NamedTuple):
    """A record as it was read: `topic` is the logical name, `arrived_at` the append time in ms."""

    topic: str
    key: bytes | None
    value: bytes | None
    arrived_at: int
    partition: int
    offset: int
    headers: tuple[tuple[str, bytes], ...]


class Send(Protocol):
    """A record to be sent; `partition` None: by the key's hash."""

    @property
    def topic(self) -> str: ...  # noqa: D102 - fields as in Incoming
    @property
    def key(self) -> bytes: ...  # noqa: D102
    @property
    def value(self) -> bytes | None: ...  # noqa: D102
    @property
    def partition(self) -> int | None: ...  # noqa: D102
    @property
    def headers(self) -> Any: ...  # noqa: D102


class Dead(Protocol):
    """A record that was refused, and why."""

    @property
    def record(self) -> Any: ...  # noqa: D102 - an Incoming, or the core's own record with the same fields
    @property
    def reason(self) -> str: ...  # noqa: D102
    @property
    def detail(self) -> str: ...  # noqa: D102


class Effects(Protocol):
    """What a batch or a timer led to. Order: writes confirmed, then sends and dead letters."""

    @property
    def writes(self) -> Sequence[tuple[str, bytes, bytes | None]]: ...  # noqa: D102 - table, key, value
    @property
    def sends(self) -> Sequence[Send]: ...  # noqa: D102
    @property
    def dead(self) -> Sequence[Dead]: ...  # noqa: D102
    @property
    def counts(self) -> Mapping[Any, int]: ...  # noqa: D102


class Node(Protocol):
    """The core of one partition. Synchronous and pure; an exception leaves the stores as they were."""

    @property
    def next_wake(self) -> int | None:
        """When `wake` has something to do (ms), None where nothing waits."""
        ...

    @property
    def open_timers(self) -> int:
        """Number of timers that wait."""
        ...

    @property
    def backlog(self) -> int | None:
        """The moment (ms) of the first start, while what had come before is being worked off; None at other times."""
        ...

    def begin_backlog(self, until: int | None) -> Effects:
        """Say nothing of customers until `end_backlog`: what came before `until` (ms) is an old backlog.

        None: there is none. Either is written, so that it is decided once.
        """
        ...

    def end_backlog(self) -> Effects:
        """It is worked off; `wake` has every customer looked at."""
        ...

    def handle(self, records: Sequence[Any], now: int, *, provisional: bool = False) -> Effects:
        """Take records in, at the partition's time `now` (ms). `provisional`: decided while an input has stalled."""
        ...

    def wake(self, now: int, *, provisional: bool = False, most: int = 500) -> Effects:
        """Run the timers that are due at `now`, at most so many of each kind."""
        ...

    def rebuild(self) -> None:
        """Make the timer index anew from the stores; outputs that were not confirmed are due at once."""
        ...


class Policy(Protocol):
    """What the shell asks of a policy."""

    @property
    def max_stall(self) -> int:
        """How long (ms of real time) an input may stand still before time goes on without it."""
        ...

    @property
    def version(self) -> str:
        """Its name."""
        ...

    @property
    def paging(self) -> bool:
        """False while it stops every page."""
        ...

    @property
    def paging_off_reason(self) -> str | None:
        """Why, where it says so."""
        ...


class Policies(Protocol):
    """The versions of the policy."""

    def at(self, when: int) -> Policy:
        """The one in force at an instant (ms)."""
        ...


class Kit(Protocol):
    """Makes nodes, and knows the policies."""

    @property
    def policies(self) -> Policies:
        """Those that are known by now."""
        ...

    def node(
        self, partition: int, partitions: int, identities: Table, customers: Table, aggregates: Table, owner: Owner
    ) -> Node:
        """A node over these stores, not yet rebuilt."""
        ...

    def is_sound(self, table: str, key: bytes, value: bytes) -> bool:
        """Can the value of a key of this table be read whole? Raises ValueError for one that a newer program wrote."""
        ...

    def records(self, incoming: Iterable[Incoming]) -> Sequence[Any]:
        """The records as the core wants them."""
        ...

    def policy(self, value: bytes, arrived_at: int) -> bool:
        """Take a policy document in; True where it is new, so that every customer is settled again.

        Raises ValueError for a document that cannot be used.
        """
        ...

    def policy_changed(self, node: Any, now: int) -> Effects:
        """Settle all customers of `node`, one of this kit's own, under the policies that hold now."""
        ...
