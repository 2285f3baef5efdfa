"""Each pattern as it became true, by which events, and as it ceased."""

from collections.abc import Iterator

from streams.derive import Derived
from streams.explain.line import StoryLine
from streams.patterns import Hold

EVIDENCE_SHOWN = 8


def pattern_lines(derived: Derived, now: int) -> Iterator[StoryLine]:
    """A line for the beginning of each pattern, and one for its end, up to `now` (ms)."""
    for issue_id, holds in derived.holds.items():
        begun = {(hold.name, hold.severity, hold.start) for hold in holds}
        ended = {(hold.name, hold.severity, hold.end) for hold in holds}
        for hold in holds:
            if (hold.name, hold.severity, hold.start) not in ended:  # else it goes on under a new policy version
                yield _begins(issue_id, hold)
            if hold.end <= now and (hold.name, hold.severity, hold.end) not in begun:
                yield StoryLine(hold.end, "pattern", f"{hold.name} ceases for issue {issue_id}", (issue_id,))


def _begins(issue_id: str, hold: Hold) -> StoryLine:
    shown = ", ".join(hold.evidence[:EVIDENCE_SHOWN]) or "the passing of time"
    more = len(hold.evidence) - EVIDENCE_SHOWN
    by = f"{shown} and {more} more" if more > 0 else shown
    text = f"{hold.name} holds ({hold.severity}) for issue {issue_id}, by {by}"
    return StoryLine(hold.start, "pattern", text, (issue_id, *hold.evidence))
