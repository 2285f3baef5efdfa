"""Tables of digests: what many records say, in a few bytes each, whatever their order."""

from collections.abc import Callable, Iterable, Iterator
from hashlib import blake2b
from typing import Any, NamedTuple

from schemas.codec import dumps_canonical
from streams.compare.report import Record

DIGEST_BYTES = 16


class View(NamedTuple):
    """How the records of a section are matched, and what of them must be equal."""

    key: Callable[[Record], str]
    value: Callable[[Record], Any]


class Table:
    """Key -> digest of all the values found under it; two tables are equal when the multisets of values are."""

    __slots__ = ("count", "digests")

    def __init__(self, records: Iterable[Record], view: View) -> None:
        self.digests: dict[str, bytes] = {}
        self.count = 0
        for record in records:
            self.count += 1
            self._add(view.key(record), digest(view.value(record)))

    def _add(self, key: str, new: bytes) -> None:
        old = self.digests.get(key)
        if old is not None:  # several records under one key: their order does not matter
            parts = [old[at : at + DIGEST_BYTES] for at in range(0, len(old), DIGEST_BYTES)]
            new = b"".join(sorted([*parts, new]))
        self.digests[key] = new

    def unlike(self, other: "Table") -> Iterator[str]:
        """The keys under which the two tables do not have the same, in this table's order, then the other's."""
        for key, found in self.digests.items():
            if other.digests.get(key) != found:
                yield key
        for key in other.digests:
            if key not in self.digests:
                yield key


def digest(value: Any) -> bytes:
    """A digest of a JSON value: equal values, equal digests."""
    return blake2b(dumps_canonical(value), digest_size=DIGEST_BYTES).digest()


def fetch(records: Iterable[Record], view: View, wanted: Iterable[str]) -> dict[str, list[Any]]:
    """The values under the wanted keys."""
    found: dict[str, list[Any]] = {key: [] for key in wanted}
    for record in records:
        key = view.key(record)
        if key in found:
            found[key].append(view.value(record))
    return found


def without_common(a: list[Any], b: list[Any]) -> tuple[list[Any], list[Any]]:
    """Both lists without the values that they share, each as often as it is shared."""
    rest = list(b)
    mine = []
    for value in a:
        if value in rest:
            rest.remove(value)
        else:
            mine.append(value)
    return mine, rest


def unlike_fields(a: Record, b: Record) -> tuple[Record, Record]:
    """The fields in which two records differ, on each side; a field that is missing is left out."""
    names = [name for name in {**a, **b} if a.get(name) != b.get(name) or (name in a) != (name in b)]
    return {name: a[name] for name in names if name in a}, {name: b[name] for name in names if name in b}
