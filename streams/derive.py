"""derive(log, policies) -> what follows: threads, issues, clocks, episodes, on a time axis that has no `now`.

What lies after `now` is what will be true if nothing more happens; reading it up to `now` is the present,
and its next moment is the customer's next wake-up.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import NamedTuple

from streams.clocks import Clock, clocks
from streams.episodes import Episode, history_episodes, sla_episodes
from streams.event import Event
from streams.history import Closing, History, sweep
from streams.issue import Issue
from streams.log import Log
from streams.patterns import NOWHERE, Hold, Outside, patterns
from streams.policy import Entry, PolicyHistory


class Part(NamedTuple):
    """What follows for one issue: from the issue, and from what the `Basis` says."""

    issue: Issue
    clocks: list[tuple[Clock, list[Episode]]]
    """Each with its SLA episodes."""
    holds: list[Hold]
    episodes: list[Episode]
    """Of its history."""
    moments: frozenset[int]


class Basis(NamedTuple):
    """All that a part depends on besides its issue."""

    entries: tuple[Entry, ...]
    outside: Outside
    tier: str | None
    self_service: list[Event]

    def same(self, other: "Basis") -> bool:
        """True where an issue that is the same on both leads to the same."""
        return self.entries is other.entries and self[1:] == other[1:]


@dataclass(slots=True)
class Derived:
    """Everything that follows from a log and the policies."""

    history: History
    clocks: list[Clock]
    holds: dict[str, list[Hold]]
    """By issue id."""
    episodes: list[Episode]
    basis: Basis
    parts: list[Part]
    """In the order of the issues."""
    moments: list[int] = field(default_factory=list)
    """Instants at which some episode begins, changes or ends, or another policy takes effect, sorted."""
    changes: frozenset[int] = frozenset()
    """Instants at which another policy takes effect."""
    index: object | None = None
    """`streams.subjects` keeps its index of the episodes here."""

    def next_moment(self, now: int) -> int | None:
        """The first moment after `now`, or None."""
        place = bisect_right(self.moments, now)
        return self.moments[place] if place < len(self.moments) else None


def derive(
    log: Log,
    policies: PolicyHistory,
    closings: Sequence[Closing] = (),
    outside: Outside = NOWHERE,
    before: Derived | None = None,
) -> Derived:
    """A pure function: equal arguments, equal result, whatever came first.

    `before`: what was derived of an earlier state of the log. What follows for an issue that has not changed since is
    taken from there, the issue itself included; the result is the same, and costs what changed, and a sweep.
    """
    history = sweep(log, policies, closings)
    basis = Basis(policies.entries, outside, history.tier, history.self_service)
    old = before.parts if before is not None and before.basis.same(basis) else []
    known = {part.issue.id: part for part in old}
    changes = frozenset(entry.since for entry in policies.entries[1:])
    parts: list[Part] = []
    for place, issue in enumerate(history.issues):
        part = known.get(issue.id)
        if part is not None and part.issue == issue:
            history.put(place, part.issue)
        else:
            part = _part(issue, history, policies, outside, changes)
        parts.append(part)
    timed = sorted(chain.from_iterable(part.clocks for part in parts), key=_by_start)
    episodes = [episode for _, found in timed for episode in found]
    episodes += [episode for part in parts for episode in part.episodes]
    return Derived(
        history,
        [clock for clock, _ in timed],
        {part.issue.id: part.holds for part in parts},
        episodes,
        basis,
        parts,
        sorted(changes.union(*(part.moments for part in parts))),
        changes,
    )


def _part(issue: Issue, history: History, policies: PolicyHistory, outside: Outside, changes: frozenset[int]) -> Part:
    mine = clocks(issue, history.tier, policies)
    timed = [(clock, sla_episodes(clock)) for clock in mine]
    holds = patterns(issue, history, mine, policies, outside)
    episodes = history_episodes(issue, holds, changes)
    every = chain(episodes, *(found for _, found in timed))
    return Part(issue, timed, holds, episodes, frozenset(moment for each in every for moment in each.moments()))


def _by_start(timed: tuple[Clock, list[Episode]]) -> tuple[tuple[int, int, str], str]:
    return timed[0].order
