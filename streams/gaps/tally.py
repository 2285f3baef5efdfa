"""What the facts of one channel in one window amount to. Facts can be taken out again."""

from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from streams.gaps.facts import BEGUN_PUBLIC, BREACH, CONTACT, ELSEWHERE, ENDED, FIRST, NEXT, RESOLVED, Fact
from streams.gaps.lengths import Lengths
from streams.gaps.partial import Answered, Partial, frontier

_MEASURED = (FIRST, NEXT, RESOLVED, ENDED)
ANSWERED_MAX = 10_000
"""Public first responses that a partial keeps for `overtaken`, so that it fits into a record at the broker; where there
are more in one window of one channel and partition, a few who were overtaken by their neighbours only go uncounted."""


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

    def partial(self) -> Partial:
        """As it adds up with those of others."""
        answered = frontier(self.answered)
        return Partial(
            contacts=self.counts[CONTACT],
            breached=self.counts[BREACH],
            queue_jumps=self.jumps,
            ended_elsewhere=self.counts[ELSEWHERE],
            public_first=self.counts[BEGUN_PUBLIC],
            public_first_returning=self.returning,
            first=Lengths.of(self.values[FIRST]),
            later=Lengths.of(self.values[NEXT]),
            resolution=Lengths.of(self.values[RESOLVED]),
            per_issue=Lengths.of(self.values[ENDED]),
            public=Lengths.of(self.public),
            answered=answered if len(answered) <= ANSWERED_MAX else thinned(answered),
        )


def _out(ordered: list[int], value: int) -> None:
    del ordered[bisect_left(ordered, value)]


def thinned(answered: Sequence[Answered]) -> tuple[Answered, ...]:
    """At most `ANSWERED_MAX`, the last one among them."""
    step = -(-len(answered) // ANSWERED_MAX)
    return tuple(answered[::-1][::step][::-1])
