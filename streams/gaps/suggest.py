"""Where an issue of a topic is solved fastest: the channel to guide customers to."""

from collections.abc import Iterable
from dataclasses import dataclass

from streams.gaps.facts import CONTACT, RESOLVED, Fact
from streams.gaps.lengths import Lengths
from streams.gaps.percentile import percentile_s
from streams.intervals import FOREVER

SOLVED_MIN = 10
"""Threads that a channel must have solved for a topic before it is compared."""


@dataclass(frozen=True, slots=True)
class Solving:
    """How one channel does with one topic: `solved` threads of their own, in `median_s` from their first contact."""

    channel: str
    public: bool
    contacts: int
    solved: int
    median_s: float


@dataclass(frozen=True, slots=True)
class Suggestion:
    """The channels that solve a topic (None: not known), the fastest first; those with too few solves are left out."""

    topic: str | None
    contacts: int
    channels: tuple[Solving, ...]

    @property
    def fastest(self) -> Solving | None:
        """Where it is solved fastest, in public or not."""
        return self.channels[0] if self.channels else None

    @property
    def private(self) -> Solving | None:
        """The fastest of the private channels: where to guide customers to, if not into the open."""
        return next((channel for channel in self.channels if not channel.public), None)


def suggest(
    facts: Iterable[Fact], public: Iterable[str], *, least: int = SOLVED_MIN, until: int = FOREVER
) -> list[Suggestion]:
    """By topic, those with most contacts first, from the facts up to `until` (ms). `public`: the public channels.

    Only a thread's own solves count, not those that covered it: a phone thread that ended because the post about it was
    solved says nothing for the phone. Lengths run from the thread's first contact, in wall time, without the times in
    which it was solved before. A channel needs `least` of them.
    """
    public = frozenset(public)
    lengths: dict[str | None, dict[str, list[int]]] = {}
    contacts: dict[str | None, dict[str, int]] = {}
    for fact in facts:
        if fact.at > until:
            continue
        if fact.what == CONTACT:
            by_channel = contacts.setdefault(fact.topic, {})
            by_channel[fact.channel] = by_channel.get(fact.channel, 0) + 1
        elif fact.what == RESOLVED and fact.mark:
            lengths.setdefault(fact.topic, {}).setdefault(fact.channel, []).append(fact.value)
    found = []
    for topic in contacts.keys() | lengths.keys():
        came = contacts.get(topic, {})
        solving = [
            Solving(channel, channel in public, came.get(channel, 0), len(took), _median_s(took))
            for channel, took in lengths.get(topic, {}).items()
            if len(took) >= least
        ]
        solving.sort(key=lambda each: (each.median_s, each.channel))
        found.append(Suggestion(topic, sum(came.values()), tuple(solving)))
    return sorted(found, key=lambda each: (-each.contacts, each.topic or ""))


def _median_s(lengths: list[int]) -> float:
    median = percentile_s(Lengths.of(sorted(lengths)), 50)
    assert median is not None
    return median
