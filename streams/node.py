"""A node: the core of one partition. Its identities, customers and aggregates, driven by records and timers.

Pure and synchronous. It reads the stores and never writes them: what is to be written is in the effects, and the
caller applies it once it is safe. The caller takes one batch at a time, and calls again only when the effects of the
last call are confirmed; so what a customer's state says was decided in the last batch is all that may not have been
sent before a crash. A node that raised, or whose effects were not published, is to be thrown away.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice

from streams.aggregates.kept import headers
from streams.batch import Batch, Place
from streams.effects import Effects, Incoming
from streams.gaps import RETENTION
from streams.header import Header, read_header
from streams.policy import PolicyHistory
from streams.stored import STORED_VERSION
from streams.timers import Timers

AT_ONCE = 500
"""How many customers, and how many aggregates, a call of `wake` looks at: the caller has other things to do, too."""


class Node:
    """Takes records and time, says what to write and to send. `owner` gives the partition of a key."""

    def __init__(
        self,
        partition: int,
        partitions: int,
        identities: Mapping[bytes, bytes],
        customers: Mapping[bytes, bytes],
        aggregates: Mapping[bytes, bytes],
        policies: PolicyHistory,
        owner: Callable[[str], int],
    ) -> None:
        self._place = Place(partition, partitions, identities, customers, aggregates, policies, owner)

    @property
    def next_wake(self) -> int | None:
        """When `wake` has something to do (ms); 0 where it has already."""
        place = self._place
        if place.unsent or place.shelf.unsent or place.backlog.waits:
            return 0
        customers = None if place.backlog.folds_only else place.timers.next
        wakes = (customers, place.shelf.timers.next, place.gap_feed.due, place.gap_desk.next_wake)
        return min((at for at in wakes if at is not None), default=None)

    @property
    def open_timers(self) -> int:
        """How many customers and aggregates have an appointment."""
        return len(self._place.timers) + len(self._place.shelf.timers)

    def handle(self, records: Sequence[Incoming], now: int, *, provisional: bool = False) -> Effects:
        """Take records in, in the order given, at the partition's time `now` (ms).

        `provisional`: time went on although an input stalled; what is said now says so.
        """
        batch = Batch(self._place, now, provisional=provisional)
        for record in records:
            batch.take(record)
        return batch.end()

    def wake(self, now: int, *, provisional: bool = False, most: int = AT_ONCE) -> Effects:
        """Send what may not have been sent; where nothing is left of that, run the timers that are due at `now`.

        At most so many of each; `next_wake` says when there is more to do.
        """
        place = self._place
        batch = Batch(place, now, provisional=provisional)
        if (
            place.unsent or place.shelf.unsent
        ):  # by itself: what is looked at is written anew, without what it said last
            for id_ in list(islice(place.unsent, most)):
                batch.send_again(id_)
            for key in list(islice(place.shelf.unsent, most)):
                batch.send_aggregate_again(key)
            return batch.end()
        if not place.backlog.folds_only:
            batch.take_held(most)
            for id_ in () if place.backlog.commands else place.timers.due(now, most):
                batch.look_at(id_)
        for key in place.shelf.timers.due(now, most):
            batch.look_at_aggregate(key)
        effects = batch.end()
        batch.measure(most)
        return effects

    @property
    def backlog(self) -> int | None:
        """The moment (ms) of the first start, while what had come before is folded only; None at all other times."""
        return self._place.backlog.until

    def begin_backlog(self, until: int | None) -> Effects:
        """What came before `until` (ms) is a backlog: say nothing of customers until `end_backlog`. None: nothing."""
        self._place.next_batch()
        return self._place.backlog.begin(until, self._place.batch)

    def end_backlog(self) -> Effects:
        """The backlog is worked off: `wake` settles all customers, some at a time, at the time that is known then."""
        effects = self.begin_backlog(None)
        effects.count("backlog_customers", len(self._place.timers))
        return effects

    def settle_all(self, now: int) -> Effects:
        """Have all customers and aggregates looked at again under new policies: `wake` does it bit by bit."""
        for key, header, timers in self._headers():
            if header.policies not in ("", self._place.mark()):
                timers.set(key, now)
        return Effects()

    def rebuild(self) -> None:
        """Make the timers anew from the stores; outputs that may not have been sent are due at once."""
        place = self._place
        place.reset()
        mark = place.mark()
        outputs: list[tuple[int, str, dict[str, None]]] = []
        for key, header, timers in self._headers():
            place.batch = max(place.batch, header.batch)
            timers.set(key, header.wake if header.policies in ("", mark) else 0)
            if header.outputs:
                unsent = place.unsent if timers is place.timers else place.shelf.unsent
                outputs.append((header.batch, key, unsent))
        for batch, key, unsent in outputs:
            if batch == place.batch:
                unsent[key] = None
        place.gap_desk.reset()
        place.gap_feed.reset(self._measured())

    def _measured(self) -> Iterator[str]:
        """The customers that may have a part in a window that is not final."""
        headers = [(key.decode(), read_header(value, STORED_VERSION)) for key, value in self._place.customers.items()]
        known = [header.newest for _, header in headers if header.newest is not None]
        since = max(known, default=0) - RETENTION
        for id_, header in headers:
            if header.policies and (header.wake is not None or header.newest is None or header.newest >= since):
                yield id_

    def _headers(self) -> Iterator[tuple[str, Header, Timers]]:
        place = self._place
        for key, value in place.customers.items():
            yield key.decode(), read_header(value, STORED_VERSION), place.timers
        for id_, header in headers(place.shelf.values):
            yield id_, header, place.shelf.timers
