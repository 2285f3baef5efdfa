"""An aggregate as a node stores it: its state, its next timer, and what was decided but not yet confirmed.

A storm has thousands of escalations on one topic, and each batch changes a few. So one that is large is stored in two
records: whole, now and then, and beside it what has changed since, with each batch. Each batch writes one of the two,
so no crash leaves half of it. The changes name the whole that they belong to; those of another are not read.

What has left it is in the whole until the next one. So that comes within some days, and `mindgap forget` asks for it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from schemas.codec import dumps, loads
from schemas.times import DAY
from streams.aggregates.aggregate import Aggregate, Record, Said
from streams.aggregates.gatherings import Crowd, Template
from streams.aggregates.messages import (
    CANNED,
    CROWD,
    HOT,
    ORDER,
    PAGE,
    WHOLE,
    Post,
    kind_of,
    name_of,
    to_aggregate,
)
from streams.aggregates.storms import Directory, Hot, Page
from streams.header import Header, check_version, read_header

KEPT_VERSION = 2
TABLE = "aggregates"
"""Where all of this is stored."""
KINDS: dict[str, type[Aggregate]] = {PAGE: Page, HOT: Hot, ORDER: Directory, CROWD: Crowd, CANNED: Template}
WHOLE_FOR = DAY
"""How long (ms) what has changed is stored beside a whole."""
SMALL = 4096
"""Up to so many bytes an aggregate is always stored whole."""
CHANGES_MAX = 1.0
"""The changes of a whole may take so much of its size, all that were written together: less than twice the least."""
_CHANGES = "changes/"
"""Begins the key of what has changed since an aggregate was stored whole."""
Write = tuple[str, bytes, bytes | None]
"""Table, key and value; None deletes."""


@dataclass(slots=True)
class Kept:
    """One aggregate. `said` is what the last batch decided."""

    aggregate: Aggregate
    wake: int | None = None
    policies: str = ""
    said: Said = field(default_factory=Said)
    whole: int = 0
    """The number of the whole in the store,"""
    whole_at: int = 0
    """when it was written (ms),"""
    size: int = 0
    """how many bytes it took the last time,"""
    since: int = 0
    """and how many the changes that were written since, all together."""
    changes_of: int | None = None
    """Which whole the changes in the store belong to; None where there are none."""
    anew: bool = False
    """It is to be stored whole the next time."""

    def is_old(self, now: int) -> bool:
        """The whole was written long ago: the next one is due, where anything has changed since."""
        return now >= self.whole_at + WHOLE_FOR

    def writes(self, key: str, batch: int, now: int) -> Iterator[Write]:
        """What `batch` writes: what has changed, unless that was written so often that the whole takes no more."""
        apart = self.size > SMALL and not self.anew and not self.is_old(now)
        changes = self.aggregate.changes() if apart else None
        if changes is not None:
            value = self._value(batch, {"c": changes})
            self.since += len(value)
            if self.since <= CHANGES_MAX * self.size:
                self.changes_of = self.whole
                yield TABLE, changes_key(key), value
                return
        if self.changes_of is not None and self.changes_of < self.whole:
            self.changes_of = None
            yield TABLE, changes_key(key), None
        self.whole += 1
        value = self._value(batch, {"t": now, "s": self.aggregate.encode()})
        self.aggregate.stored_whole()
        self.whole_at, self.size, self.since, self.anew = now, len(value), 0, False
        yield TABLE, key.encode(), value

    def _value(self, batch: int, state: Record) -> bytes:
        return dumps(
            {
                "v": KEPT_VERSION,
                "w": self.wake,
                "b": batch,
                "o": len(self.said.records) + len(self.said.posts),
                "p": self.policies,
                "q": self.whole,
                **state,
                "x": self.said.records,
                "y": [list(post) for post in self.said.posts],
            }
        )


def changes_key(key: str) -> bytes:
    """The key under which the changes of an aggregate are stored."""
    return f"{_CHANGES}{key}".encode()


def headers(values: Mapping[bytes, bytes]) -> Iterator[tuple[str, Header]]:
    """The header of each aggregate as it is now. One that cannot be read is left out.

    Changes without a whole, which a crash may leave when an aggregate is deleted, are due at once, to be deleted, too.
    """
    for raw, value in values.items():
        found, key = raw.decode(), raw.decode().removeprefix(_CHANGES)
        header = read_header(value, KEPT_VERSION)
        try:
            other = values.get(key.encode() if found != key else changes_key(key))
        except ValueError:
            continue
        if found != key:
            if other is None:
                yield key, header._replace(wake=0, outputs=0, policies="")
        else:
            yield key, read_header(_last(value, other), KEPT_VERSION)


def encode_plain(state: Any, batch: int, records: Sequence[tuple[str, str, Record]] = ()) -> bytes:
    """The value of something that has no timer, with the records (topic, key, value) that `batch` decided."""
    head = {"v": KEPT_VERSION, "w": None, "b": batch, "o": len(records), "p": ""}
    return dumps({**head, "s": state, "x": records, "y": ()})


def decode_kept(key: str, values: Mapping[bytes, bytes]) -> Kept:
    """What `Kept.writes` wrote, or the aggregate of which nothing is known yet.

    Raises ValueError for a value of a newer version.
    """
    kind, value, beside = KINDS[kind_of(key)], values.get(key.encode()), values.get(changes_key(key))
    changes = _read(beside) if beside is not None else None
    changes_of = changes["q"] if changes is not None else None
    if value is None:
        return Kept(kind.make(name_of(key)), whole=changes_of or 0, changes_of=changes_of)
    whole = stored = _read(value)
    number = whole.get("q", 0)
    since = 0
    if changes is not None and (last := _last(value, beside)) is beside:
        stored, since = changes, len(last)
    aggregate = kind.decode(whole["s"], stored.get("c"))
    kept = Kept(aggregate, stored["w"], stored["p"], _said(stored["x"], stored["y"]), number, whole.get("t", 0))
    kept.size, kept.since, kept.changes_of = len(value), since, changes_of
    if changes_of is not None and changes_of > number:  # a repair has put an older whole there
        kept.whole, kept.anew = changes_of, True
    return kept


def read_kept(key: str, value: bytes) -> None:
    """Read one of the two records of an aggregate, or what else the table holds; raises where that cannot be done."""
    of, stored = key.removeprefix(_CHANGES), _read(value)
    _said(stored["x"], stored["y"])
    kind = KINDS.get(kind_of(of))
    if kind is not None and of == key:
        kind.decode(stored["s"])
    elif kind is not None:
        kind.decode(loads(dumps(kind.make(name_of(of)).encode())), stored["c"])


def to_be_whole(key: str) -> Post | None:
    """The message that has an aggregate stored whole, by either of its keys; None for what else the table holds."""
    of = key.removeprefix(_CHANGES)
    return to_aggregate(kind_of(of), name_of(of), WHOLE) if kind_of(of) in KINDS else None


def said_last(key: str, values: Mapping[bytes, bytes]) -> Said | None:
    """The outputs in what was written last of an aggregate, and nothing else of it; None where there is nothing."""
    value = values.get(key.encode())
    if value is None:
        return None
    stored = loads(_last(value, values.get(changes_key(key))))
    return _said(stored["x"], stored["y"])


def _last(whole: bytes, changes: bytes | None) -> bytes:
    """Of the two records the one that was written last: the changes, where they are this whole's."""
    if changes is None or read_header(changes, KEPT_VERSION).whole != read_header(whole, KEPT_VERSION).whole:
        return whole
    return changes


def _read(value: bytes) -> Record:
    stored: Record = loads(value)
    check_version(stored["v"], KEPT_VERSION)
    return stored


def _said(records: Sequence[Sequence[Any]], posts: Sequence[Sequence[Any]]) -> Said:
    return Said([(topic, key, value) for topic, key, value in records], [Post(*post) for post in posts])
