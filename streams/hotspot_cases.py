"""The escalations that count on one topic, by customer."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from streams.hotspot_record import Case
from streams.storm_message import Message, Order, order_of
from streams.storm_seen import Seen

CASES_MAX = 2000
"""How many escalations of a topic are kept one by one; those beyond are counted, each as a customer."""


class Cases:
    """Counted as they change: a look at them costs no more as they grow. Times in ms."""

    def __init__(self) -> None:
        self.by_id: dict[str, Case] = {}
        self.seen = Seen()
        self._orders: dict[str, Order] = {}
        self._customers: Counter[str] = Counter()
        self._recent: dict[str, int] = {}  # when it became this severe: those that may lie within the window
        self._changed: dict[str, None] = {}  # since all were stored, in order

    @property
    def customers(self) -> int:
        """How many customers have one; where there are very many, as far as is known."""
        return len(self._customers) + self.seen.beyond

    def take(self, message: Message, now: int) -> bool:
        """Count what the message says; False where it says nothing new."""
        id_ = message["id"]
        old = self.by_id.get(id_)
        if order_of(message) <= self._orders[id_] if old is not None else self.seen.covers(message):
            return False
        if old is not None:
            self._drop(id_)
        if message.get("gone"):
            self.seen.leave(message, now, kept=old is not None)
        elif old is None and len(self.by_id) >= CASES_MAX:
            self.seen.count(message, now)
        else:
            if old is None:
                self.seen.keep(message)
            self._add(_case(message), order_of(message))
        return True

    def recent(self, since: int) -> list[Case]:
        """Those that became this severe at `since` or later; the others are not looked at again."""
        self._recent = {id_: at for id_, at in self._recent.items() if at >= since}
        return [self.by_id[id_] for id_ in self._recent]

    def recount(self) -> None:
        """Look at all again: the window may have grown."""
        self._recent = {case.id: case.hot_at for case in self.by_id.values()}

    def _add(self, case: Case, order: Order) -> None:
        self._touch(case.id)
        self.by_id[case.id] = case
        self._orders[case.id] = order
        self._customers[case.customer_id] += 1
        self._recent[case.id] = case.hot_at

    def _drop(self, id_: str) -> None:
        """Where it is one of them."""
        self._touch(id_)
        case = self.by_id.pop(id_, None)
        if case is None:
            return
        del self._orders[id_]
        self._recent.pop(id_, None)
        self._customers[case.customer_id] -= 1
        if not self._customers[case.customer_id]:
            del self._customers[case.customer_id]

    def _touch(self, id_: str) -> None:
        self._changed.pop(id_, None)  # the last one goes to the end, as the case does
        self._changed[id_] = None

    # -- stored -----------------------------------------------------------------------------------------

    def encode(self) -> dict[str, Any]:
        """As a JSON object; each case is a row, for there may be many."""
        return {"rows": self._rows(self.by_id), "seen": self.seen.encode()}

    def changes(self) -> dict[str, Any]:
        """What has changed since `stored_whole`, as a JSON object."""
        rows = self._rows(id_ for id_ in self._changed if id_ in self.by_id)
        gone = [id_ for id_ in self._changed if id_ not in self.by_id]
        return {"rows": rows, "gone": gone, "seen": self.seen.changes()}

    def stored_whole(self) -> None:
        """They are stored as `encode` gives them."""
        self._changed.clear()
        self.seen.stored_whole()

    def _rows(self, ids: Iterable[str]) -> list[list[Any]]:
        return [[*self._orders[id_], *self.by_id[id_]] for id_ in ids]

    @classmethod
    def decode(cls, stored: dict[str, Any], changes: dict[str, Any] | None = None) -> "Cases":
        """What `encode` stored, and `changes` since."""
        cases = cls()
        cases._take(stored["rows"])
        cases.stored_whole()
        if changes is not None:
            for id_ in changes["gone"]:
                cases._drop(id_)
            cases._take(changes["rows"])
        cases.seen = Seen.decode(stored["seen"], changes["seen"] if changes is not None else None)
        return cases

    def _take(self, rows: Iterable[Sequence[Any]]) -> None:
        for revision, turn, *values in rows:
            case = Case(*values)
            self._drop(case.id)
            by = tuple((channel, number) for channel, number in case.contacts_by)
            self._add(case._replace(channels=tuple(case.channels), contacts_by=by), (revision, turn))


def _case(message: Message) -> Case:
    return Case(
        id=message["id"],
        customer_id=message["customer_id"],
        severity=message["severity"],
        hot_at=message["hot_at"],
        issue_id=message.get("issue_id", ""),
        channels=tuple(message["channels"]),
        public=message["public"],
        contacts=message["contacts"],
        first_contact_at=message.get("first_contact_at"),
        contacts_by=tuple(message.get("contacts_by", {}).items()),
    )
