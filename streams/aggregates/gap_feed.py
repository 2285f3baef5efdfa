"""The channel gaps, a partition's side: what its customers contribute, told to the one place that adds all up.

What has been told is known in memory only. After a restart the customers are looked at again, some at a time, and then
everything is told anew, which makes void what was told before. That takes long, so it is few at a time: a
partition that has just come back, and its neighbours, have better things to do.
"""

from collections.abc import Callable, Iterable, Mapping
from itertools import islice

from schemas.codec import loads
from schemas.times import HOUR, MINUTE
from streams.aggregates.kept import encode_plain
from streams.aggregates.messages import GAP, Post, to_aggregate
from streams.customer import Customer
from streams.gaps import RETENTION, Cell, GapShare, Message, encode, facts, key
from streams.policy import PolicyHistory

SEQUENCE = b"gap-sequence"
"""Where in its own store a partition keeps the number of what it told last."""
LOST = 1 << 50
"""Where the numbers go on when the last one cannot be read: above any that was reached by counting."""
AT_ONCE = 100
"""How many customers are looked at in one go,"""
AT_ONCE_AGAIN = 2
"""and how many of those that have not changed since a restart."""
TOLD_EVERY = MINUTE
"""How long (ms) after a change it is told at the latest; at the end of a window it is told at once."""

Load = Callable[[str], Customer | None]


class GapFeed:
    """Notes whose history has changed, and when it is due says what follows."""

    def __init__(self, partition: int, values: Mapping[bytes, bytes]) -> None:
        self._partition = partition
        self._values = values
        self.reset(())

    def reset(self, customers: Iterable[str]) -> None:
        """Begin anew: these are all that may contribute."""
        self._share = GapShare(self._partition, retention=RETENTION)
        self._changed: dict[str, None] = {}
        self._unseen = dict.fromkeys(customers)
        """Who has not been looked at since the restart."""
        self._sequence = self._last()
        self._anew = bool(self._unseen) or self._sequence > 0
        self.due: int | None = 0 if self._anew else None
        """When `tell` has something to do (ms), or None."""

    def _last(self) -> int:
        try:
            stored = self._values.get(SEQUENCE)
        except ValueError:  # damaged, and held back
            return LOST
        number: int = loads(stored)["s"] if stored is not None else 0
        return number

    def touch(self, customer_id: str, now: int) -> None:
        """The customer's history is another now, or somebody else's."""
        self._unseen.pop(customer_id, None)
        self._changed[customer_id] = None
        soon = min(now + TOLD_EVERY, (now // HOUR + 1) * HOUR)
        self.due = soon if self.due is None else min(self.due, soon)

    def tell(
        self, now: int, load: Load, policies: PolicyHistory, batch: int, most: int = AT_ONCE
    ) -> tuple[list[Post], bytes | None]:
        """What is to be told at `now`, and the value to be written at `SEQUENCE` before; nothing while more is due.

        It looks at `most` customers in one go, or fewer.
        """
        waiting = self._unseen or self._changed
        for id_ in list(islice(waiting, min(most, AT_ONCE_AGAIN if self._unseen else AT_ONCE))):
            del waiting[id_]
            customer = load(id_)
            self._share.replace(id_, facts(customer.derived(policies)) if customer is not None else ())
        if self._unseen or self._changed:
            return [], None
        self._sequence += 1
        messages = self._everything(now) if self._anew else self._share.take(self._sequence, now)
        self._anew, self.due = False, self._share.next_wake
        if not messages:
            self._sequence -= 1
            return [], None
        posts = [to_aggregate(GAP, key(message), "gap", m=encode(message)) for message in messages]
        return posts, encode_plain(self._sequence, batch)

    def _everything(self, now: int) -> list[Message]:
        """Without windows that are final: what has been let go since is no correction of them."""
        final = now - RETENTION
        found = self._share.everything(self._sequence, now)
        return [message for message in found if not (isinstance(message, Cell) and message.window + HOUR <= final)]
