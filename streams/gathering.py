"""What several customers have on one thing: contacts on a thread, replies with one text. Each has told its share.

A customer's share replaces what it told before, by its number; and what the gathering answers (a view) names the number
of the share that it follows from. So messages may come twice and late, and customers may merge and split: the one that
is left tells a share with what is its own now, and the names that it goes by.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, NamedTuple

from schemas.codec import dumps
from schemas.times import DAY

KEPT_FOR = 30 * DAY
"""How long (ms, event time) a contact or a reply counts. One that comes later than that after it happened does not."""
MEMBERS_MAX = 200
"""Customers remembered of one thing: those with the newest events. What the others were told stays so."""
ITEMS_MAX = 50
"""Events of one customer that count: the newest."""

ANSWERS_BYTES_MAX = 256 * 1024
"""Bytes of answers given at a time: they are stored with the shares until they are confirmed."""

Item = tuple[int, str]
"""When (ms) it happened, and its id."""
View = list[Any]


class Answer(NamedTuple):
    """What a customer, whose share is its message `number`, is to know. `turn` rises from one to the next."""

    customer_id: str
    number: int
    turn: int
    view: View


@dataclass(slots=True)
class Share:
    """One customer's. `told`: a hash of the view that it has been told, empty for an empty one."""

    number: int = 0
    items: tuple[Item, ...] = ()
    told: str = ""
    owes: bool = False
    """It waits for an answer, even if that is no other than before."""
    into: str | None = None
    """The customer that it belongs to now, until that one has told its own share."""


class Gathering:
    """The shares of one thing, by customer."""

    def __init__(self) -> None:
        self.shares: dict[str, Share] = {}
        self.turn = 0
        self.more = False
        """Whether some have not been answered yet, because it was too much at a time."""

    def take(
        self,
        customer_id: str,
        number: int,
        items: Iterable[Item],
        *,
        holds: bool = False,
        aliases: Iterable[str] = (),
        into: str | None = None,
    ) -> None:
        """A customer's share is this now. `holds`: it knows something of others, and is to hear whatever holds now.

        `aliases`: whose shares are in it. `into`: it is an alias of that customer now, whose share comes or has come.
        """
        share = self.shares.get(customer_id)
        new = tuple(items)
        if share is None and (into is not None or not (new or holds)):
            return
        if share is None:
            share = self.shares[customer_id] = Share()
        elif number <= share.number:
            return
        for alias in aliases:
            self.shares.pop(alias, None)
        share.number = number
        if into is not None:
            share.into = into
            return
        share.items = new
        share.owes = holds or bool(share.told)
        if len(self.shares) > MEMBERS_MAX:
            del self.shares[min(self.shares, key=lambda id_: self._newest(id_, but=customer_id))]

    def contacts(self) -> list[tuple[int, str, str]]:
        """Everything, in order: time, whose, id."""
        return sorted((at, self.owner(id_), what) for id_, share in self.shares.items() for at, what in share.items)

    def owner(self, customer_id: str) -> str:
        """Who the customer is, as far as is known here."""
        seen = {customer_id}
        while (share := self.shares.get(customer_id)) and share.into is not None and share.into not in seen:
            customer_id = share.into
            seen.add(customer_id)
        return customer_id

    def answers(self, views: Mapping[str, View]) -> list[Answer]:
        """Who is to be told what, where `views` are what holds now; it is then taken to be told.

        As many as there is room for: where `more` is true then, the others are to be asked for.
        """
        found: list[Answer] = []
        room, self.more = ANSWERS_BYTES_MAX, False
        for id_, share in list(self.shares.items()):
            if share.into is not None:
                continue
            view = views.get(id_, [])
            value = dumps(view)
            told = blake2b(value, digest_size=4).hexdigest() if view else ""
            if share.owes or told != share.told:
                if found and len(value) > room:
                    self.more = True
                    continue
                room -= len(value)
                self.turn += 1
                found.append(Answer(id_, share.number, self.turn, view))
                share.told, share.owes = told, False
            if not share.items:
                del self.shares[id_]
        return found

    @property
    def newest(self) -> int | None:
        """When (ms) the last of it happened."""
        return max((share.items[-1][0] for share in self.shares.values() if share.items), default=None)

    def _newest(self, customer_id: str, but: str) -> tuple[bool, int]:
        items = self.shares[customer_id].items
        return customer_id == but, items[-1][0] if items else 0

    def encode(self) -> dict[str, Any]:
        """As a JSON object."""
        rows = [
            [id_, s.number, s.told, s.owes, s.into, [list(item) for item in s.items]] for id_, s in self.shares.items()
        ]
        return {"turn": self.turn, "shares": rows}

    @classmethod
    def decode(cls, stored: dict[str, Any]) -> "Gathering":
        """What `encode` stored."""
        gathering = cls()
        gathering.turn = stored["turn"]
        for id_, number, told, owes, into, items in stored["shares"]:
            gathering.shares[id_] = Share(number, tuple((at, what) for at, what in items), told, owes, into)
        return gathering
