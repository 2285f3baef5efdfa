"""derive(log, policies) -> what follows: threads, issues, clocks, episodes, on a time axis that has no `now`.

What lies after `now` is what will be true if nothing more happens; reading it up to `now` is the present,
and its next moment is the customer's next wake-up.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from streams.clocks import Clock, clocks
from streams.episodes import Episode, history_episodes, sla_episodes
from streams.history import Closing, History, sweep
from streams.intervals import FOREVER
from streams.issue import Issue
from streams.log import Log
from streams.patterns import NOWHERE, Hold, Outside, patterns
from streams.policy import PolicyHistory


@dataclass(slots=True)
class Derived:
    """Everything that follows from a log and the policies."""

    history: History
    clocks: list[Clock]
    holds: dict[str, list[Hold]]
    """By issue id."""
    episodes: list[Episode]
    moments: list[int] = field(default_factory=list)
    """Instants at which some episode begins, changes or ends, sorted."""

    def next_moment(self, now: int) -> int | None:
        """The first moment after `now`, or None."""
        return next((moment for moment in self.moments if moment > now), None)


def derive(log: Log, policies: PolicyHistory, closings: Sequence[Closing] = (), outside: Outside = NOWHERE) -> Derived:
    """A pure function: equal arguments, equal result, whatever came first."""
    history = sweep(log, policies, closings)
    all_clocks = clocks(history, policies)
    by_issue: dict[int, list[Clock]] = {}
    for clock in all_clocks:
        if clock.issue is not None:
            by_issue.setdefault(id(clock.issue), []).append(clock)
    changes = frozenset(entry.since for entry in policies.entries[1:])
    holds: dict[str, list[Hold]] = {}
    episodes: list[Episode] = []
    for clock in all_clocks:
        episodes += sla_episodes(clock)
    for issue in history.issues:
        found = patterns(issue, history, by_issue.get(id(issue), []), policies, outside)
        holds[issue.id] = found
        episodes += history_episodes(issue, found, changes)
    derived = Derived(history, all_clocks, holds, episodes)
    derived.moments = sorted(set(_moments(derived)))
    return derived


def _moments(derived: Derived) -> Iterator[int]:
    for episode in derived.episodes:
        for step in episode.steps:
            yield step.at
        if episode.end < FOREVER:
            yield episode.end


def issue_of(derived: Derived, thread: str) -> Issue | None:
    """The issue that a thread belongs to."""
    return derived.history.by_thread.get(thread)
