"""Precision and recall of each pattern."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from schemas.policy_patterns import PATTERNS
from streams.scoring.evidence import Evidence, Place
from streams.simulate import StoryTruth


@dataclass(slots=True)
class PatternScore:
    """Counts over problems. A problem shows a pattern or it does not, however often."""

    expected: int = 0
    found: int = 0
    right: int = 0
    """Expected and found: the true positives."""
    said: int = 0
    """Ever named in an escalation, also where that was taken back when a late event arrived."""
    said_right: int = 0

    @property
    def precision(self) -> float | None:
        """The share of what was found that is so; None where nothing was."""
        return self.right / self.found if self.found else None

    @property
    def recall(self) -> float | None:
        """The share of what is so that was found; None where nothing is."""
        return self.right / self.expected if self.expected else None

    def add(self, other: "PatternScore") -> None:
        """Take over another run's counts."""
        for name in ("expected", "found", "right", "said", "said_right"):
            setattr(self, name, getattr(self, name) + getattr(other, name))

    def as_record(self) -> dict[str, Any]:
        """As a JSON object."""
        return {
            "expected": self.expected,
            "found": self.found,
            "right": self.right,
            "precision": self.precision,
            "recall": self.recall,
            "said": self.said,
            "said_precision": self.said_right / self.said if self.said else None,
            "said_recall": self.said_right / self.expected if self.expected else None,
        }


class Miss(NamedTuple):
    """One difference: the observer saw a pattern that is not on record (`missed`), or the other way round (`extra`)."""

    what: str
    pattern: str
    customer_id: str
    topic: str
    thread: str


@dataclass(slots=True)
class Score:
    """The scores of one run or several. `problems` are all, `judged` those that the input tells together."""

    patterns: dict[str, PatternScore] = field(default_factory=lambda: {name: PatternScore() for name in PATTERNS})
    misses: list[Miss] = field(default_factory=list)
    problems: int = 0
    judged: int = 0
    told_apart: int = 0
    """Of the judged problems: those that are exactly one issue."""

    def add(self, other: "Score") -> None:
        """Take over another run's counts."""
        for name, counts in other.patterns.items():
            self.patterns[name].add(counts)
        self.misses += other.misses
        self.problems += other.problems
        self.judged += other.judged
        self.told_apart += other.told_apart

    def as_record(self) -> dict[str, Any]:
        """As a JSON object."""
        return {
            "problems": self.problems,
            "judged": self.judged,
            "told_apart": self.told_apart,
            "patterns": {name: counts.as_record() for name, counts in self.patterns.items()},
            "misses": [miss._asdict() for miss in self.misses],
        }


def judge(truths: Sequence[StoryTruth], evidence: Evidence) -> Score:
    """Hold what is on record against what was true.

    Judged are the problems whose conversations the input ties together as one customer's; for the others nobody
    could know. An issue that is no problem of anybody's counts as found where it should not be.
    """
    score = Score(problems=len(truths))
    placed: set[Place] = set()
    for truth in truths:
        places = _places(truth, evidence)
        placed |= places
        if not truth.joined:
            continue
        score.judged += 1
        threads = {thread for thread, _ in truth.threads}
        score.told_apart += [evidence.threads[place] == threads for place in places] == [True]
        _count(score, truth, places, evidence)
    for place in evidence.threads.keys() - placed:
        for name in evidence.on_record.get(place, ()):
            score.patterns[name].found += 1
            score.misses.append(Miss("extra", name, place.customer_id, "", min(evidence.threads[place], default="")))
    return score


def _places(truth: StoryTruth, evidence: Evidence) -> set[Place]:
    threads = [thread for thread, _ in truth.threads]
    private = [thread for thread, channel in truth.threads if channel not in ("social", "community")]
    return evidence.places(threads, truth.identities, private=private)


def _count(score: Score, truth: StoryTruth, places: Iterable[Place], evidence: Evidence) -> None:
    expected = set(truth.patterns)
    found = {name for place in places for name in evidence.on_record.get(place, ())}
    said = {name for place in places for name in evidence.said.get(place, ())}
    for name, counts in score.patterns.items():
        counts.expected += name in expected
        counts.found += name in found
        counts.right += name in expected and name in found
        counts.said += name in said
        counts.said_right += name in expected and name in said
        if (name in expected) != (name in found):
            what = "missed" if name in expected else "extra"
            score.misses.append(Miss(what, name, truth.customer_id, truth.topic, truth.threads[0][0]))
