"""Finding the subject of a standing escalation again, after the history that it was opened for has changed."""

from dataclasses import dataclass, field

from streams.clocks import Clock
from streams.derive import Derived
from streams.episodes import Episode
from streams.fingerprint import fingerprint
from streams.history import History
from streams.standing import Standing

Subject = tuple[str, str]
"""(kind, clock id or issue id): what one escalation at a time is about."""


@dataclass(slots=True)
class Subjects:
    """The subjects of a derived history and their episodes."""

    history: History
    episodes: dict[Subject, list[Episode]] = field(default_factory=dict)
    clocks: dict[tuple[str, str], list[Clock]] = field(default_factory=dict)
    """By metric and thread."""

    @classmethod
    def of(cls, derived: Derived) -> "Subjects":
        """The index of a derived history; made once."""
        if isinstance(derived.index, cls):
            return derived.index
        found = cls(derived.history)
        derived.index = found
        for clock in derived.clocks:
            found.clocks.setdefault((clock.run.metric, clock.run.thread), []).append(clock)
        for episode in derived.episodes:
            found.episodes.setdefault(subject_of(episode), []).append(episode)
        for episodes in found.episodes.values():
            episodes.sort(key=lambda episode: episode.start)
        return found

    def locate(self, standing: Standing) -> Subject | None:
        """The subject that a standing escalation is about now; None where its thread is gone."""
        if standing.kind == "history":
            issue = self.history.by_thread.get(standing.thread)
            return ("history", issue.id) if issue else None
        clock = self.clock_of(standing)
        return ("sla", clock.id) if clock else None

    def clock_of(self, standing: Standing) -> Clock | None:
        """The clock that a standing escalation is about now; None where there is no such clock any more."""
        if standing.metric == "issue_resolution":
            issue = self.history.by_thread.get(standing.thread)
            if issue is None:
                return None
            thread = issue.run.thread if issue.run is not None else ""
            return next((c for c in self.clocks.get(("issue_resolution", thread), ()) if c.run is issue.run), None)
        for clock in self.clocks.get((standing.metric or "", standing.thread), ()):
            if clock.run.metric in ("first_response", "resolution") or standing.anchor in clock.run.contacts:
                return clock
        return None


def subject_of(episode: Episode) -> Subject:
    """What an episode is about."""
    if episode.clock is not None:
        return (episode.kind, episode.clock.id)
    assert episode.issue is not None
    return (episode.kind, episode.issue.id)


def anchor_of(episode: Episode) -> tuple[str, str, str | None]:
    """Thread, anchoring event and metric by which an episode's escalation is found again."""
    if episode.clock is not None:
        run = episode.clock.run
        return run.thread, run.anchor.id, run.metric
    assert episode.issue is not None
    founder = episode.issue.founder
    return founder.thread or "", founder.id, None


def id_of(episode: Episode, number: int = 0) -> str:
    """The id of an episode's escalation; `number` tells those apart that begin at the same instant."""
    thread, anchor, metric = anchor_of(episode)
    return fingerprint("esc", episode.kind, metric, thread, anchor, episode.start, *([number] if number else []))
