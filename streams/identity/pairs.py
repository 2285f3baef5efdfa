"""Two identities, and what link records and limits say about joining them directly."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from schemas.identity import STRENGTH

Pair = tuple[str, str]
"""Two identities in text form, the stronger first."""

LINKED, CUT, OPEN = "linked", "cut", "open"


class Assertion(NamedTuple):
    """The newest link record about a pair: when (ms) and which, and what holds since: linked, cut, or open."""

    at: int
    id: str
    state: str

    def newer_than(self, other: "Assertion | None") -> bool:
        """Whether this one counts where `other` is known."""
        return other is None or (self.at, self.id) > (other.at, other.id)


def strength(identity: str) -> tuple[int, str]:
    """Sort key of an identity in text form, the strongest first."""
    kind, _, value = identity.partition(":")
    return (STRENGTH.get(kind, len(STRENGTH)), value)


def pair_of(a: str, b: str) -> Pair:
    """The pair, the stronger first."""
    return (a, b) if strength(a) <= strength(b) else (b, a)


def barred(identity: str, known: Mapping[str, Assertion | None], record: Sequence[Any] | None) -> list[list[Any]]:
    """The edges to the identities of `known` that an unlink forbids, as JSON lists.

    `record` is the time and id of the link record that joins them, if no event does: an older unlink is no hindrance.
    Without the ids of the records: a link record that has not ended an unlink yet is still news when it comes itself.
    """
    return [
        [*pair_of(other, identity), assertion.at, "", CUT]
        for other, assertion in known.items()
        if assertion is not None
        and assertion.state == CUT
        and (record is None or (assertion.at, assertion.id) > tuple(record))
    ]
