"""The backlog of a first start: while a partition works it off, it folds what comes and says nothing of its customers.

The mark is state like any other, so a restart goes on where it was. Every customer that is written meanwhile has an
appointment at 0: once the backlog is over it is settled at the time that is known then, at its turn. Commands wait for
that, each under a key of its own; what is kept here has no timer, and is no aggregate.
"""

from collections.abc import Mapping
from heapq import nsmallest
from typing import Any

from schemas.codec import loads
from streams.aggregates.kept import TABLE, encode_plain
from streams.effects import Effects
from streams.identity.messages import Outgoing

MARK = b"backlog"
"""Where in the store it says until when the partition is in its backlog, or that it is in none."""
_HELD = b"backlog/"
HELD = "held"
"""Names, in a command, that it has waited."""


class Backlog:
    """What a partition is to know about its first start. `values`: the store, which somebody else writes."""

    def __init__(self, values: Mapping[bytes, bytes]) -> None:
        self._values = values
        self.reset()

    def reset(self) -> None:
        """Forget all that is not in the store."""
        keys = [key for key in self._values if key.startswith(MARK)]  # a damaged one is there, but not among them
        self.until: int | None = loads(self._values[MARK])["s"] if MARK in keys else None
        """The moment (ms) of the first start, while what came before it is being worked off; else None."""
        self._held = {key for key in keys if key.startswith(_HELD)}
        self._taken: list[bytes] = []

    @property
    def folds_only(self) -> bool:
        """Nothing is to be said of customers yet."""
        return self.until is not None

    @property
    def waits(self) -> bool:
        """Commands have waited, and may be obeyed now."""
        return self.until is None and bool(self._held or self._taken)

    @property
    def commands(self) -> int:
        """How many commands wait."""
        return len(self._held)

    def begin(self, until: int | None, batch: int) -> Effects:
        """Set the mark: what came before `until` (ms) is a backlog; None where there is none, or it is over.

        That is kept, too: a partition to which nothing has come yet is not on its first start a second time.
        """
        self.until = until
        return Effects(writes=[(TABLE, MARK, encode_plain(until, batch))])

    def hold(self, message: Outgoing, batch: int, effects: Effects) -> None:
        """Keep a command for later, or for later still: one that was taken, and is kept again, is not deleted."""
        order = message.message["v"]
        key = _HELD + f"{order['at']:015d}/{order['p']}/{order['o']}/{message.key}".encode()
        held = message._replace(message={**message.message, "v": {**order, HELD: True}})
        effects.writes.append((TABLE, key, encode_plain(list(held), batch)))
        if key in self._taken:
            self._taken.remove(key)
        else:
            effects.count("commands_held")
        self._held.add(key)

    def take(self, most: int, effects: Effects) -> list[Outgoing]:
        """The next commands, in order of arrival, at most so many.

        Those that were taken by the call before are deleted: what they led to is confirmed by now.
        """
        effects.writes += [(TABLE, key, None) for key in self._taken]
        self._taken = nsmallest(most, self._held)
        self._held.difference_update(self._taken)
        return [_message(self._values[key]) for key in self._taken]


def _message(value: bytes) -> Outgoing:
    to, key, message = loads(value)["s"]
    return Outgoing(to, key, message)


def has_waited(order: dict[str, Any]) -> bool:
    """Whether a command comes from the backlog."""
    return HELD in order
