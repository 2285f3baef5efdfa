"""How many identities of each type a customer may have, and what would be too many."""

from collections.abc import Iterable, Sequence

from schemas.identity import STRENGTH
from streams.identity.rules import IdentityRules

TYPES: tuple[str, ...] = tuple(STRENGTH)
TOTAL = len(TYPES)
"""Where counts hold the number of identities that are not threads."""

Counts = list[int]
"""How many identities there are of each type, in order of strength, and how many in all but threads."""


class Limits:
    """The limits of a policy, ready to be asked."""

    def __init__(self, rules: IdentityRules) -> None:
        limits = [(STRENGTH[name], f"limit:{name}", most) for name, most in rules.limits.items() if name in STRENGTH]
        self._limits = (*sorted(limits), (TOTAL, "limit:identities", rules.most))

    def over(self, x: Sequence[int], y: Sequence[int]) -> str | None:
        """The reason why the customers that have these counts may not be one; None where they may."""
        for index, reason, most in self._limits:
            if x[index] + y[index] > most:
                return reason
        return None


def counts_of(name: str) -> Counts:
    """The counts of one identity of type `name`."""
    counts = [0] * (TOTAL + 1)
    if name in STRENGTH:
        counts[STRENGTH[name]] = 1
        counts[TOTAL] = int(name != "thread")
    return counts


def count(identities: Iterable[str]) -> Counts:
    """The counts of identities in text form."""
    counts = [0] * (TOTAL + 1)
    for identity in identities:
        add(counts, _ALONE[identity.partition(":")[0]])
    return counts


def add(counts: Counts, more: Sequence[int]) -> None:
    """Adds up, in place."""
    for index, number in enumerate(more):
        counts[index] += number


_ALONE = {name: counts_of(name) for name in (*TYPES, "event")}
