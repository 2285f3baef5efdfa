"""Canned replies that no source marks: the same text, sent to many customers within a day. Hashes are kept, no text."""

from bisect import insort
from collections.abc import Callable, Iterable

from schemas.times import DAY
from streams.event import Event

REMEMBERED_MAX = 200
"""Replies remembered of one text."""


class CannedReplies:
    """Who got which text when, over all customers."""

    def __init__(self) -> None:
        self._sent: dict[str, list[tuple[int, str, str]]] = {}  # digest -> (at, event id, customer id), sorted
        self._known: set[str] = set()

    def add(self, customer_id: str, event: Event, customers: int, resolve: Callable[[str], str]) -> list[str]:
        """Take note of a reply; the customers, as they were named, for whom a reply has become a canned one."""
        if event.digest is None:
            return []
        sent = self._sent.setdefault(event.digest, [])
        insort(sent, (event.at, event.id, customer_id))
        near = [entry for entry in sent if abs(entry[0] - event.at) <= DAY]
        found: dict[str, None] = {}
        for first in near:
            within = [entry for entry in near if first[0] <= entry[0] <= first[0] + DAY]
            if len({resolve(owner) for _, _, owner in within}) >= customers:
                for _, id_, owner in within:
                    if id_ not in self._known:
                        self._known.add(id_)
                        found[owner] = None
        if len(sent) > REMEMBERED_MAX:
            del sent[0]
        return list(found)

    def among(self, event_ids: Iterable[str]) -> frozenset[str]:
        """Those of the replies that are canned."""
        return frozenset(self._known.intersection(event_ids))
