"""Canned replies that no source marks: the same text, sent to many customers within a day. Hashes are kept, no text."""

from bisect import insort
from collections import Counter
from collections.abc import Callable, Iterable

from schemas.times import DAY
from streams.event import Event

REMEMBERED_MAX = 1_000
"""Replies remembered of one text: the newest. One that was sent more often has been a template for long."""

Resolve = Callable[[str], str]


class CannedReplies:
    """Who got which text when, over all customers."""

    def __init__(self) -> None:
        self._sent: dict[str, list[tuple[int, str]]] = {}  # digest -> (at, event id), sorted
        self._owner: dict[str, str] = {}  # event id -> customer id
        self._known: dict[str, set[str]] = {}  # digest -> ids of the replies that are canned
        self._canned: set[str] = set()  # those of all digests
        self._got: dict[str, set[str]] = {}  # customer id -> digests

    def add(self, customer_id: str, event: Event, customers: int, resolve: Resolve) -> set[str]:
        """Take note of a reply; the customers for whom some reply has become a canned one."""
        if event.digest is None or event.id in self._owner:
            return set()
        self._owner[event.id] = customer_id
        self._got.setdefault(customer_id, set()).add(event.digest)
        sent = self._sent.setdefault(event.digest, [])
        insort(sent, (event.at, event.id))
        if len(sent) > REMEMBERED_MAX:
            del self._owner[sent.pop(0)[1]]
        return self._judge(event.digest, customers, resolve)

    def merge(self, into: str, loser: str, customers: int, resolve: Resolve) -> set[str]:
        """Two customers are one, who counts once; the customers for whom that changes anything."""
        lost = self._got.pop(loser, set())
        got = self._got.setdefault(into, set())
        shared = got & lost
        got |= lost
        return {owner for digest in sorted(shared) for owner in self._judge(digest, customers, resolve)}

    def move(self, event_ids: Iterable[str], to: str, origin: str, customers: int, resolve: Resolve) -> set[str]:
        """These replies went to another customer than it seemed; the customers for whom that changes anything."""
        moved = [id_ for id_ in event_ids if id_ in self._owner]
        if not moved:
            return set()
        self._owner.update(dict.fromkeys(moved, to))
        got = self._got.setdefault(to, set())
        got |= self._got.get(origin, set())
        return {owner for digest in sorted(got) for owner in self._judge(digest, customers, resolve)}

    def among(self, event_ids: Iterable[str]) -> frozenset[str]:
        """Those of the replies that are canned."""
        return frozenset(self._canned.intersection(event_ids))

    def _judge(self, digest: str, customers: int, resolve: Resolve) -> set[str]:
        """Mark every reply that lies in a day in which so many customers got the text."""
        sent = self._sent[digest]
        owners = [resolve(self._owner[id_]) for _, id_ in sent]
        within: Counter[str] = Counter()
        known: set[str] = set()
        first = marked = 0
        for last, (at, _) in enumerate(sent):
            within[owners[last]] += 1
            while sent[first][0] < at - DAY:
                within[owners[first]] -= 1
                if not within[owners[first]]:
                    del within[owners[first]]
                first += 1
            if len(within) >= customers:
                known.update(id_ for _, id_ in sent[max(first, marked) : last + 1])
                marked = last + 1
        before = self._known.get(digest, set())
        changed = known ^ before
        self._canned -= before
        self._canned |= known
        self._known[digest] = known
        return {resolve(self._owner[id_]) for id_ in changed if id_ in self._owner}
