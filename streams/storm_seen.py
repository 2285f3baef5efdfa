"""Messages about escalations that are not kept: those that have left, and those beyond what is kept one by one.

Messages come at least once, and those about one escalation may come out of order. What is kept has the order of its
last message; for the others this remembers it, in bounded memory, so that an older message brings none of them back.
"""

from typing import Any, NamedTuple

from schemas.times import DAY
from streams.storm_message import Message, Order, comes, order_of

SEEN_MAX = 1000
"""How many are remembered, the last ones: a message older than that may count twice."""
SEEN_FOR = DAY
"""How long (ms): whoever has nothing else to remember may be forgotten then."""


class _Last(NamedTuple):
    revision: int
    turn: int
    beyond: bool


class Seen:
    """Remembers orders, and counts those beyond the limit."""

    __slots__ = ("_changed", "_last", "at", "beyond", "beyond_ever")

    def __init__(self) -> None:
        self._last: dict[str, _Last] = {}
        self._changed: dict[str, None] = {}  # since it was stored whole, in order
        self.at = 0
        """When a message was last remembered (ms)."""
        self.beyond = 0
        """How many there are now that are not kept one by one: as far as is known, no fewer."""
        self.beyond_ever = 0
        """How many there have been, for a metric."""

    def covers(self, message: Message) -> bool:
        """True for a message that is no newer than what is remembered."""
        last = self._last.get(message["id"])
        return last is not None and order_of(message) <= last[:2]

    def leave(self, message: Message, now: int, *, kept: bool) -> None:
        """An escalation has left; `kept`: it was one of those kept one by one."""
        last = self._last.get(message["id"])
        if not kept and self.beyond and (last is None or last.beyond):
            self.beyond -= 1
        self._remember(message["id"], order_of(message), now, beyond=False)

    def count(self, message: Message, now: int) -> bool:
        """There is no room to keep this one: True where it had not been counted before."""
        last = self._last.get(message["id"])
        new = not last.beyond if last is not None else comes(message)
        if new:
            self.beyond += 1
            self.beyond_ever += 1
        self._remember(message["id"], order_of(message), now, beyond=True)
        return new

    def keep(self, message: Message) -> None:
        """There is room for this one, from now on."""
        last = self._forget(message["id"])
        counted = last.beyond if last is not None else not comes(message)
        if counted and self.beyond:
            self.beyond -= 1

    def forget(self) -> None:
        """None is left of those that were counted only."""
        self.beyond = 0

    def stale(self, now: int) -> bool:
        """True where nothing has come for so long that no older message is awaited."""
        return now >= self.at + SEEN_FOR

    def _remember(self, id_: str, order: Order, now: int, *, beyond: bool) -> None:
        self._put(id_, _Last(*order, beyond))
        if len(self._last) > SEEN_MAX:
            self._forget(next(iter(self._last)))
        self.at = max(self.at, now)

    def _put(self, id_: str, last: _Last) -> None:
        self._forget(id_)  # the last one goes to the end
        self._last[id_] = last

    def _forget(self, id_: str) -> _Last | None:
        self._changed.pop(id_, None)
        self._changed[id_] = None
        return self._last.pop(id_, None)

    # -- stored -----------------------------------------------------------------------------------------

    def encode(self) -> dict[str, Any]:
        """As a JSON object."""
        return self._counts([[id_, *seen] for id_, seen in self._last.items()])

    def changes(self) -> dict[str, Any]:
        """What has changed since `stored_whole`, as a JSON object."""
        last = [[id_, *self._last[id_]] for id_ in self._changed if id_ in self._last]
        return self._counts(last) | {"gone": [id_ for id_ in self._changed if id_ not in self._last]}

    def stored_whole(self) -> None:
        """It is stored as `encode` gives it."""
        self._changed.clear()

    def _counts(self, last: list[list[Any]]) -> dict[str, Any]:
        return {"last": last, "at": self.at, "beyond": self.beyond, "beyond_ever": self.beyond_ever}

    @classmethod
    def decode(cls, stored: dict[str, Any], changes: dict[str, Any] | None = None) -> "Seen":
        """What `encode` stored, and `changes` since."""
        seen = cls()
        seen._take(stored)
        seen.stored_whole()
        if changes is not None:
            for id_ in changes["gone"]:
                seen._forget(id_)
            seen._take(changes)
        return seen

    def _take(self, stored: dict[str, Any]) -> None:
        for id_, *last in stored["last"]:
            self._put(id_, _Last(*last))
        self.at, self.beyond, self.beyond_ever = stored["at"], stored["beyond"], stored["beyond_ever"]
