"""What the facts of one channel in one window amount to. Facts can be taken out again."""

from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from streams.gaps.facts import BEGUN_PUBLIC, BREACH, CONTACT, ELSEWHERE, ENDED, FIRST, NEXT, RESOLVED, Fact
from streams.gaps.percentile import percentile, percentile_s, ratio

_MEASURED = (FIRST, NEXT, RESOLVED, ENDED)


@dataclass(slots=True)
class Tally:
    """Counts and sorted values: the order in which facts came and went leaves no trace."""

    counts: Counter[str] = field(default_factory=Counter)
    values: dict[str, list[int]] = field(default_factory=lambda: {what: [] for what in _MEASURED})
    public: list[int] = field(default_factory=list)
    """The first responses on public threads: how long they took."""
    answered: list[tuple[int, int]] = field(default_factory=list)
    """Likewise: (when its wait began, when it was answered)."""
    jumps: int = 0
    returning: int = 0

    @property
    def empty(self) -> bool:
        """Nothing happened."""
        return not self.counts

    @classmethod
    def of(cls, facts: Iterable[Fact]) -> "Tally":
        """What many facts amount to, sorted once."""
        tally = cls()
        for fact in facts:
            tally.counts[fact.what] += 1
            if fact.what in tally.values:
                tally.values[fact.what].append(fact.value)
            if fact.what == FIRST and fact.public:
                tally.public.append(fact.value)
                tally.answered.append((fact.at - fact.value, fact.at))
                tally.jumps += fact.mark
            elif fact.what == BEGUN_PUBLIC:
                tally.returning += fact.mark
        for values in tally.values.values():
            values.sort()
        tally.public.sort()
        tally.answered.sort()
        return tally

    def add(self, fact: Fact) -> None:
        """Count a fact in."""
        self.counts[fact.what] += 1
        if fact.what in self.values:
            insort(self.values[fact.what], fact.value)
        if fact.what == FIRST and fact.public:
            insort(self.public, fact.value)
            insort(self.answered, (fact.at - fact.value, fact.at))
            self.jumps += fact.mark
        elif fact.what == BEGUN_PUBLIC:
            self.returning += fact.mark

    def remove(self, fact: Fact) -> None:
        """Count a fact out that was counted in."""
        self.counts[fact.what] -= 1
        if not self.counts[fact.what]:
            del self.counts[fact.what]
        if fact.what in self.values:
            _out(self.values[fact.what], fact.value)
        if fact.what == FIRST and fact.public:
            _out(self.public, fact.value)
            del self.answered[bisect_left(self.answered, (fact.at - fact.value, fact.at))]
            self.jumps -= fact.mark
        elif fact.what == BEGUN_PUBLIC:
            self.returning -= fact.mark

    def measures(self, public: list[int], overtaken: int) -> dict[str, Any]:
        """The fields of the record. `public`: the lengths of all public first responses, sorted (ms)."""
        first = self.values[FIRST]
        return {
            "contacts": self.counts[CONTACT],
            "first_responses": len(first),
            "first_response_p50_s": percentile_s(first, 50),
            "first_response_p90_s": percentile_s(first, 90),
            "next_response_p90_s": percentile_s(self.values[NEXT], 90),
            "breached": self.counts[BREACH],
            "resolved": self.counts[RESOLVED],
            "median_resolution_s": percentile_s(self.values[RESOLVED], 50),
            "queue_jumps": self.jumps,
            "ratio_to_public": ratio(first, public),
            "overtaken": overtaken,
            "resolved_here": self.counts[ENDED],
            "ended_elsewhere": self.counts[ELSEWHERE],
            "contacts_per_issue_p50": percentile(self.values[ENDED], 50),
            "public_first": self.counts[BEGUN_PUBLIC],
            "public_first_returning": self.returning,
        }


def _out(ordered: list[int], value: int) -> None:
    del ordered[bisect_left(ordered, value)]


def public_lengths(tallies: "dict[str, Tally]") -> list[int]:
    """How long the public first responses of all channels took, sorted (ms)."""
    return sorted(length for tally in tallies.values() for length in tally.public)
