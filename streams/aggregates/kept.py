"""An aggregate as a node stores it: its state, its next timer, and what was decided but not yet confirmed."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from schemas.codec import dumps, loads
from streams.aggregates.aggregate import Aggregate, Record, Said
from streams.aggregates.gatherings import Crowd, Template
from streams.aggregates.messages import CANNED, CROWD, HOT, ORDER, PAGE, Post, kind_of, name_of
from streams.aggregates.storms import Directory, Hot, Page
from streams.header import check_version

KEPT_VERSION = 1
TABLE = "aggregates"
"""Where all of this is stored."""
KINDS: dict[str, type[Aggregate]] = {PAGE: Page, HOT: Hot, ORDER: Directory, CROWD: Crowd, CANNED: Template}


@dataclass(slots=True)
class Kept:
    """One aggregate. `said` is what the last batch decided."""

    aggregate: Aggregate
    wake: int | None = None
    policies: str = ""
    said: Said = field(default_factory=Said)

    def encode(self, batch: int) -> bytes:
        """As the value of the changelog record that `batch` writes."""
        return dumps(
            {
                "v": KEPT_VERSION,
                "w": self.wake,
                "b": batch,
                "o": len(self.said.records) + len(self.said.posts),
                "p": self.policies,
                "s": self.aggregate.encode(),
                "x": self.said.records,
                "y": [list(post) for post in self.said.posts],
            }
        )


def encode_plain(state: Any, batch: int, records: Sequence[tuple[str, str, Record]] = ()) -> bytes:
    """The value of something that has no timer, with the records (topic, key, value) that `batch` decided."""
    head = {"v": KEPT_VERSION, "w": None, "b": batch, "o": len(records), "p": ""}
    return dumps({**head, "s": state, "x": records, "y": ()})


def new(key: str) -> Kept:
    """The aggregate of which nothing is known yet."""
    return Kept(KINDS[kind_of(key)].make(name_of(key)))


def decode_kept(key: str, value: bytes) -> Kept:
    """What `Kept.encode` wrote; raises ValueError for a value of a newer version."""
    stored = loads(value)
    check_version(stored["v"], KEPT_VERSION)
    aggregate = KINDS[kind_of(key)].decode(stored["s"])
    return Kept(aggregate, stored["w"], stored["p"], _said(stored["x"], stored["y"]))


def decode_said(value: bytes) -> Said:
    """The outputs in a value, and nothing else of it."""
    stored = loads(value)
    return _said(stored["x"], stored["y"])


def _said(records: Sequence[Sequence[Any]], posts: Sequence[Sequence[Any]]) -> Said:
    return Said([(topic, key, value) for topic, key, value in records], [Post(*post) for post in posts])
