"""How far the whole input has been worked off, records on their way between partitions included. Pure.

Every worker says of its partitions: all input that was appended before `low` is worked off; so much of the inboxes is
done; and so far reach, in every inbox, the records that I have sent. Each of these is true for ever, so what is known
is the largest of all that was said. Reports that are lost, repeated or late do no harm, and a partition's new owner
goes on where the old one stopped.

Nothing older than t can come any more once (1) every partition is past t, and (2) what had been sent by then is done,
and (3) what that led to is done, and so on: each is a hop. A round is over when the inboxes are done up to the ends
noted at its beginning; the next begins with the ends as they are then. Where they are still the same, nothing is on its
way, whatever the number of hops. Under steady traffic they never are; then a number of rounds has to do.

A customer asks one question at a time, and what waits for the answer is in its state, so what follows from a record can
take as many hops as all the questions before its own. Live that is a few; where a backlog is worked off all at once it
was measured to be 43. So the number is small only for times at which the input was not behind, and none that had been
behind is under way any more.

Origin times in the headers of inbox records would not do: all that is known of an output is the batch that it comes
from, so it would inherit the oldest origin in the batch, and under steady traffic an origin would never die out.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from operator import ge
from typing import NamedTuple

HOPS_MAX = 24
"""Inboxes that what follows from a record passes through one after the other, at the most, where no input is behind.

Live, 17 were measured at 20 records a second, and 25 at 100. What takes a longer way may be overtaken: it is late
evidence then. Under steady traffic time is so many rounds late."""
HOPS_BEHIND_MAX = 64
"""The same where a backlog is being worked off: 43 were measured. Where traffic pauses neither number is waited for."""
BEHIND_HEARD_S = 2.0
"""How long a worker that said it was behind counts as behind: until its next report, also where one is lost."""
_Ends = tuple[int, ...]


class PartitionFacts(NamedTuple):
    """What is true of one partition. `done`: by inbox, the offset before which everything is worked off.

    `low` (ms): all input appended before it is worked off, and what was sent because of it is confirmed; None where
    that is not known yet. `mark` changes when the input that holds `low` is worked on.
    """

    low: int | None
    mark: int
    done: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Facts:
    """What one worker knows. `confirmed` (ms): nothing older comes any more, anywhere; None where that is not known.

    `sent`: by inbox, for each of its partitions the offset after the last record that the worker has sent there.
    `behind`: the worker works off a backlog, or did a moment ago.
    """

    partitions: Mapping[int, PartitionFacts]
    sent: Mapping[str, Sequence[int]]
    confirmed: int | None = None
    behind: bool = False


@dataclass(slots=True)
class _Candidate:
    at: int
    ends: _Ends
    behind: bool


class Rounds:
    """Follows times through the rounds, several at once. `hops` and `hops_behind`: how many rounds have to do."""

    def __init__(self, hops: int = HOPS_MAX, hops_behind: int = HOPS_BEHIND_MAX) -> None:
        self.reached: int | None = None
        """The newest time (ms) behind which nothing is on its way."""
        self.patient = False
        """What was behind may still be under way."""
        self._hops, self._hops_behind = hops, max(hops, hops_behind)
        self._begun: int | None = None
        self._stages: list[list[_Candidate]] = [[] for _ in range(self._hops_behind)]  # each: under way, and who waits

    def advance(self, low: int | None, sent: _Ends, done: Sequence[int], *, behind: bool = False) -> int | None:
        """Begin with `low` where it is new, and go on with what is under way; the newest time reached.

        `sent` and `done`: offsets by inbox and partition, in one order. `behind`: a backlog is being worked off.
        """
        self.patient |= behind
        if low is not None and (self._begun is None or low > self._begun):
            self._begun = low
            self._enter(0, _Candidate(low, sent, behind))
        for number, stage in enumerate(self._stages):
            while stage and all(map(ge, done, stage[0].ends)):
                candidate = stage.pop(0)
                if candidate.ends == sent or number + 1 >= (self._hops_behind if self.patient else self._hops):
                    self.reached = candidate.at if self.reached is None else max(self.reached, candidate.at)
                    self.patient &= candidate.behind
                else:
                    self._enter(number + 1, _Candidate(candidate.at, sent, candidate.behind))
        return self.reached

    def _enter(self, number: int, candidate: _Candidate) -> None:
        stage = self._stages[number]
        del stage[1:]  # who waited is overtaken: where the newer time has passed, the older has
        stage.append(candidate)


class Tracker:
    """All that is known of all partitions. `seconds` of its methods is a clock of the machine that never runs back."""

    def __init__(
        self,
        partitions: int,
        inboxes: Sequence[str],
        seconds: float,
        hops: int = HOPS_MAX,
        hops_behind: int = HOPS_BEHIND_MAX,
    ) -> None:
        self.partitions = partitions
        self.confirmed: int | None = None
        """Nothing older (ms) comes any more, on any partition; None where that is not known."""
        self._inboxes = tuple(inboxes)
        self._low: list[int | None] = [None] * partitions
        self._mark = [0] * partitions
        self._moved = [seconds] * partitions
        self._sent = [0] * (partitions * len(self._inboxes))
        self._done = list(self._sent)
        self._waiting: list[float | None] = [None] * len(self._sent)
        self._new_rounds = partial(Rounds, hops, hops_behind)
        self._rounds = self._new_rounds()
        self._behind = False
        self._behind_at = -math.inf
        self._without: tuple[frozenset[int], Rounds] = (frozenset(), self._new_rounds())

    @property
    def low(self) -> int | None:
        """How far (ms) all input is worked off; None where that is not known of every partition."""
        lows = [low for low in self._low if low is not None]
        return min(lows) if len(lows) == self.partitions else None

    def take(self, facts: Facts, seconds: float) -> None:
        """Take note of what a worker says; raises ValueError where it has other partitions than we have."""
        if any(not 0 <= number < self.partitions for number in facts.partitions) or any(
            len(ends) != self.partitions for ends in facts.sent.values()
        ):
            raise ValueError(f"a report about other than {self.partitions} partitions")
        if facts.behind:
            self._behind_at = seconds
        self._behind = seconds - self._behind_at < BEHIND_HEARD_S
        if facts.confirmed is not None:
            self.confirm(facts.confirmed)
        for place, inbox in enumerate(self._inboxes):
            first = place * self.partitions
            for index, end in enumerate(facts.sent.get(inbox, ()), first):
                self._sent[index] = max(self._sent[index], end)
            for number, partition in facts.partitions.items():
                self._take_done(first + number, partition.done.get(inbox, 0), seconds)
        for index, since in enumerate(self._waiting):
            if since is None and self._done[index] < self._sent[index]:
                self._waiting[index] = seconds
        for number, partition in facts.partitions.items():
            self._take_low(number, partition, seconds)

    def _take_done(self, index: int, done: int, seconds: float) -> None:
        if done > self._done[index]:
            self._done[index] = done
            self._waiting[index] = None if done >= self._sent[index] else seconds

    def _take_low(self, number: int, facts: PartitionFacts, seconds: float) -> None:
        known = self._low[number]
        moved = facts.mark != self._mark[number]
        self._mark[number] = facts.mark
        if facts.low is not None and (known is None or facts.low > known):
            self._low[number] = facts.low
            moved = True
        if moved:
            self._moved[number] = seconds

    def confirm(self, at: int) -> None:
        """Somebody knows that nothing older than `at` (ms) comes any more."""
        self.confirmed = at if self.confirmed is None else max(self.confirmed, at)

    def advance(self) -> int | None:
        """What follows from all that was said: `confirmed`."""
        reached = self._rounds.advance(self.low, tuple(self._sent), self._done, behind=self._behind)
        if reached is not None:
            self.confirm(reached)
        return self.confirmed

    def held(self, now: int, seconds: float, limit_s: float) -> frozenset[int]:
        """The partitions that time waits for (the clock shows `now`, ms) and that have not moved for so long."""
        inputs = {
            number
            for number, (low, moved) in enumerate(zip(self._low, self._moved, strict=True))
            if seconds - moved > limit_s and (low is None or low < now)
        }
        inboxes = {
            index % self.partitions
            for index, since in enumerate(self._waiting)
            if since is not None and seconds - since > limit_s
        }
        return frozenset(inputs | inboxes)

    def advance_without(self, left_out: frozenset[int], now: int) -> int | None:
        """How far time would be if these partitions, which stand still, did not count; `now` without any others."""
        if left_out != self._without[0]:
            self._without = (left_out, self._new_rounds())
        lows = [low for number, low in enumerate(self._low) if number not in left_out]
        known = [low for low in lows if low is not None]
        low = min(known, default=now) if len(known) == len(lows) else None
        return self._without[1].advance(low, self._only(self._sent, left_out), self._only(self._done, left_out))

    def _only(self, ends: Sequence[int], left_out: Collection[int]) -> _Ends:
        return tuple(end for index, end in enumerate(ends) if index % self.partitions not in left_out)
