"""A node: the core of one partition. Identities and customers of that partition, driven by records and timers.

Pure and synchronous. It reads the two stores and never writes them: what is to be written is in the effects, and the
caller applies it once it is safe. The caller takes one batch at a time, and calls again only when the effects of the
last call are confirmed; so what a customer's state says was decided in the last batch is all that may not have been
sent before a crash. A node that raised, or whose effects were not published, is to be thrown away.

Not yet here: what needs more than one customer (hotspots, gaps, notifications, how many others speak in a thread),
and what `streams.identity.protocol` does not spread over partitions yet.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import islice

from streams.batch import Batch, Place
from streams.effects import Effects, Incoming
from streams.policy import PolicyHistory
from streams.stored import read_header

AT_ONCE = 500
"""How many customers a call of `wake` looks at, so that the caller can do something else in between."""


class Node:
    """Takes records and time, says what to write and to send. `owner` gives the partition of a key."""

    def __init__(
        self,
        partition: int,
        partitions: int,
        identities: Mapping[bytes, bytes],
        customers: Mapping[bytes, bytes],
        policies: PolicyHistory,
        owner: Callable[[str], int],
    ) -> None:
        self._place = Place(partition, partitions, identities, customers, policies, owner)

    @property
    def next_wake(self) -> int | None:
        """When `wake` has something to do (ms); 0 where it has already."""
        return 0 if self._place.unsent else self._place.timers.next

    @property
    def open_timers(self) -> int:
        """How many customers have an appointment."""
        return len(self._place.timers)

    def handle(self, records: Sequence[Incoming], now: int, *, provisional: bool = False) -> Effects:
        """Take records in, in the order given, at the partition's time `now` (ms).

        `provisional`: time went on although an input stalled; what is said now says so.
        """
        batch = Batch(self._place, now, provisional=provisional)
        for record in records:
            batch.take(record)
        return batch.end()

    def wake(self, now: int, *, provisional: bool = False) -> Effects:
        """Send what may not have been sent, and run the timers that are due at `now`, `AT_ONCE` customers at most."""
        place = self._place
        batch = Batch(place, now, provisional=provisional)
        for id_ in list(islice(place.unsent, AT_ONCE)):
            batch.send_again(id_)
        for id_ in place.timers.due(now, AT_ONCE):
            batch.look_at(id_)
        return batch.end()

    def settle_all(self, now: int) -> Effects:
        """Have every customer looked at again, because the policies changed: `wake` does it, bit by bit."""
        mark = self._place.mark()
        for key, value in self._place.customers.items():
            if read_header(value).policies not in ("", mark):
                self._place.timers.set(key.decode(), now)
        return Effects()

    def rebuild(self) -> None:
        """Make the timers anew from the store; outputs that may not have been sent are due at once."""
        place = self._place
        place.reset()
        mark = place.mark()
        outputs: list[tuple[int, str]] = []
        for key, value in place.customers.items():
            id_, header = key.decode(), read_header(value)
            place.batch = max(place.batch, header.batch)
            place.timers.set(id_, header.wake if header.policies in ("", mark) else 0)
            if header.outputs:
                outputs.append((header.batch, id_))
        place.unsent.update((id_, None) for batch, id_ in outputs if batch == place.batch)
