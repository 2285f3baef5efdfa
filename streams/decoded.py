"""The customers and public threads that a node looked at last, kept as objects beside the bytes in its store."""

from collections import OrderedDict

from streams.identity.protocol import IdentityRecord
from streams.stored import Stored

CUSTOMERS_KEPT = 10_000
EVENTS_KEPT = 30_000
"""In all their histories together: an event takes some 8 KiB with what is derived from it."""


THREADS_KEPT = 16
"""Public threads: one that is read by thousands has some 3,000 speakers, and changes with every batch."""


class Threads:
    """The public threads that were changed last, by identity."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, IdentityRecord] = OrderedDict()

    def get(self, identity: str) -> IdentityRecord | None:
        """The thread's record, where it is kept."""
        return self._kept.get(identity)

    def keep(self, identity: str, record: IdentityRecord | None) -> None:
        """Keep a record as it will be in the store, if it is a public thread's; who changed longest ago makes room."""
        self._kept.pop(identity, None)
        if record is not None and record.speakers is not None:
            self._kept[identity] = record
            while len(self._kept) > THREADS_KEPT:
                self._kept.popitem(last=False)


class Decoded:
    """Who was looked at last, by customer id; whom there is no room for is decoded and derived anew the next time."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, tuple[Stored, int]] = OrderedDict()
        self._events = 0

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, id_: str) -> Stored | None:
        """The customer, where it is kept."""
        kept = self._kept.get(id_)
        return kept[0] if kept is not None else None

    def keep(self, id_: str, stored: Stored) -> None:
        """Keep a customer as it will be in the store; those that were looked at longest ago make room."""
        _, before = self._kept.pop(id_, (stored, 0))
        events = len(stored.customer.log) if stored.customer is not None else 0
        self._kept[id_] = stored, events
        self._events += events - before
        while len(self._kept) > CUSTOMERS_KEPT or (self._events > EVENTS_KEPT and len(self._kept) > 1):
            _, (_, gone) = self._kept.popitem(last=False)
            self._events -= gone
