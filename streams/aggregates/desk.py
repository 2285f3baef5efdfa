"""One batch of the aggregates of a partition: what messages and timers change, collected until it is written."""

from collections import OrderedDict
from collections.abc import Mapping

from schemas.times import DAY
from streams.aggregates.aggregate import Said
from streams.aggregates.kept import TABLE, Kept, changes_key, decode_kept, said_last
from streams.aggregates.messages import WHOLE, Message, unpacked
from streams.effects import Effects
from streams.policy import PolicyHistory
from streams.timers import Timers

CACHED = 1_000
"""How many aggregates are kept decoded."""
LOOK_AGAIN = DAY
"""When an aggregate that nothing is due for is looked at again (ms): it may be deleted by then."""


class Shelf:
    """The aggregates between batches. `unsent`: those whose last outputs may not have been sent."""

    def __init__(self, values: Mapping[bytes, bytes]) -> None:
        self.values = values
        self.reset()

    def reset(self) -> None:
        """Forget all that is not in the store."""
        self.timers = Timers()
        self.unsent: dict[str, None] = {}
        self.cache: OrderedDict[str, Kept] = OrderedDict()

    def keep(self, key: str, kept: Kept) -> None:
        """Remember an aggregate as it will be in the store."""
        self.cache[key] = kept
        self.cache.move_to_end(key)
        if len(self.cache) > CACHED:
            self.cache.popitem(last=False)


class Desk:
    """Takes messages and timers at `now` (ms); `end` gives what is to be written."""

    def __init__(self, shelf: Shelf, policies: PolicyHistory, now: int) -> None:
        self._shelf = shelf
        self._policies = policies
        self._now = now
        self._touched: dict[str, Kept] = {}
        self._changed: set[str] = set()

    def __len__(self) -> int:
        return len(self._touched)

    def take(self, message: Message) -> None:
        """Take a message in."""
        key = message["k"]
        kept = self._kept(key)
        self._changed.add(key)
        if message["t"] == WHOLE:
            kept.anew = True
        else:
            for each in unpacked(message):
                kept.aggregate.take(each, self._policies, self._now, kept.said)

    def look_at(self, key: str) -> None:
        """Settle an aggregate at the end of the batch, whatever happened."""
        self._kept(key)

    def send_again(self, key: str) -> Said | None:
        """What an aggregate's state says was decided last; None where that goes out at the end of the batch."""
        self._shelf.unsent.pop(key, None)
        return said_last(key, self._shelf.values) if key not in self._touched else None

    def end(self, batch: int, mark: str, effects: Effects) -> list[Said]:
        """Settle what was touched, and write it; what is to be sent."""
        shelf, now = self._shelf, self._now
        for key, kept in self._touched.items():
            idle = key not in self._changed and kept.policies == mark and kept.aggregate.next_wake is None
            kept.aggregate.settle(self._policies, now, kept.said)
            if kept.aggregate.spent(now) and not kept.said:
                self._delete(key, effects)
                continue
            wakes = (kept.aggregate.next_wake, self._policies.next_change(now))
            kept.wake = max(min((at for at in wakes if at is not None), default=now + LOOK_AGAIN), now + 1)
            kept.policies = mark
            shelf.timers.set(key, kept.wake)
            shelf.keep(key, kept)
            if kept.said or not idle or (kept.since and kept.is_old(now)):
                effects.writes += kept.writes(key, batch, now)
        return [kept.said for kept in self._touched.values()]

    def _kept(self, key: str) -> Kept:
        """The aggregate, to be settled and written at the end."""
        kept = self._touched.get(key)
        if kept is None:
            kept = self._touched[key] = self._shelf.cache.get(key) or decode_kept(key, self._shelf.values)
            if key in self._shelf.unsent:
                del self._shelf.unsent[key]  # goes out with what is decided now
                kept.said.dead = []
            else:
                kept.said = Said()
        return kept

    def _delete(self, key: str, effects: Effects) -> None:
        """The changes when the whole is gone for certain: without them, it would be what it was long ago."""
        shelf = self._shelf
        stored = [raw for raw in (key.encode(), changes_key(key)) if raw in shelf.values]
        shelf.cache.pop(key, None)
        shelf.timers.set(key, self._now + 1 if len(stored) > 1 else None)
        effects.writes += ((TABLE, raw, None) for raw in stored[:1])
