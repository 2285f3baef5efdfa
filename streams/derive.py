"""derive(log, policies) -> what follows: threads, issues, clocks, episodes, on a time axis that has no `now`.

What lies after `now` is what will be true if nothing more happens; reading it up to `now` is the present,
and its next moment is the customer's next wake-up.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field

from streams.clocks import Clock, clocks
from streams.episodes import Episode, history_episodes, sla_episodes
from streams.history import Closing, History, sweep
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
    """Instants at which some episode begins, changes or ends, or another policy takes effect, sorted."""
    changes: frozenset[int] = frozenset()
    """Instants at which another policy takes effect."""
    index: object | None = None
    """`streams.subjects` keeps its index of the episodes here."""

    def next_moment(self, now: int) -> int | None:
        """The first moment after `now`, or None."""
        place = bisect_right(self.moments, now)
        return self.moments[place] if place < len(self.moments) else None


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
    moments = {moment for episode in episodes for moment in episode.moments()} | changes
    return Derived(history, all_clocks, holds, episodes, sorted(moments), changes)
