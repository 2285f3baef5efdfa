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

    __slots__ = ("_last", "at", "beyond", "beyond_ever")

    def __init__(self) -> None:
        self._last: dict[str, _Last] = {}
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
        last = self._last.pop(message["id"], None)
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
        self._last.pop(id_, None)  # the last one goes to the end
        self._last[id_] = _Last(*order, beyond)
        if len(self._last) > SEEN_MAX:
            del self._last[next(iter(self._last))]
        self.at = max(self.at, now)

    def encode(self) -> dict[str, Any]:
        """As a JSON object."""
        last = [[id_, *seen] for id_, seen in self._last.items()]
        return {"last": last, "at": self.at, "beyond": self.beyond, "beyond_ever": self.beyond_ever}

    @classmethod
    def decode(cls, stored: dict[str, Any]) -> "Seen":
        """What `encode` stored."""
        seen = cls()
        seen._last = {id_: _Last(*rest) for id_, *rest in stored["last"]}
        seen.at, seen.beyond, seen.beyond_ever = stored["at"], stored["beyond"], stored["beyond_ever"]
        return seen
