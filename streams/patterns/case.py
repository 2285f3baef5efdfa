"""What a pattern looks at, and what it says."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from streams.clocks import Clock
from streams.event import Event
from streams.history import History
from streams.intervals import FOREVER
from streams.issue import Issue
from streams.policy import Policy, PolicyHistory


class Hold(NamedTuple):
    """An interval in which a pattern holds, and the ids of the events that made it true."""

    start: int
    end: int = FOREVER
    evidence: tuple[str, ...] = ()
    name: str = ""
    severity: str = ""


@dataclass(frozen=True, slots=True)
class Outside:
    """What a customer's own log cannot tell."""

    crowds: Mapping[str, Sequence[tuple[int, str]]] = field(default_factory=dict)
    """By public thread: when (ms) which other customer made contact in it, sorted."""
    canned: frozenset[str] = frozenset()
    """Ids of replies recognised as canned because many customers got the same text."""


NOWHERE = Outside()
"""Nothing is known of others."""


@dataclass(frozen=True, slots=True)
class Case:
    """An issue, its surroundings and the policy by which it is judged."""

    issue: Issue
    history: History
    clocks: Sequence[Clock]
    policy: Policy
    policies: PolicyHistory
    outside: Outside


def reached(events: Sequence[Event], count: int, window: int = FOREVER) -> Hold | None:
    """From the moment at which `count` of the events lie within `window` ms of one another (both ends included)."""
    for last in range(count - 1, len(events)):
        first = events[last - count + 1]
        if events[last].at - first.at <= window:
            return Hold(events[last].at, evidence=tuple(event.id for event in events[last - count + 1 : last + 1]))
    return None
