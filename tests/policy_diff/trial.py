"""Stories told under two policies."""

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from streams.calendar_zones import load_zone
from streams.policy import compile_policy
from streams.policy_diff import Diff, Side, Tally, compare
from streams.policy_file import read_policy_value
from streams.replay import Line
from tests.timelines.timeline import Record, ms, policy

PEOPLE = {
    "routes": [{"role": "desk"}],
    "ladders": {"error": [{"after": "15m", "role": "lead"}, {"after": "1h", "role": "head"}]},
    "roles": {"desk": {}, "lead": {}, "head": {}, "night_desk": {}},
}
UTC = load_zone("UTC")


def plan(**parts: object) -> Record:
    """A policy with a desk, a lead and a head of service."""
    return policy(**{**PEOPLE, **parts})


def answer_within(target: str, **parts: object) -> Record:
    """A policy that promises a first response within `target`."""
    return plan(targets=[{"first_response": target}], **parts)


def side(document: Record, story: Sequence[Line], until: str) -> Side:
    """What comes of a story under a policy."""
    tally = Tally(compile_policy(read_policy_value(document, "story")))
    for outcome in tally.run.run(sorted(story, key=lambda line: line.arrived_at), ms(until)):
        tally.observe(outcome)
    return tally.finish()


def tried(old: Record, new: Record, *story: Line, until: str = "12:00", zone: ZoneInfo = UTC) -> Diff:
    """What would change in a story by another policy."""
    return compare(side(old, story, until), side(new, story, until), zone)


def changed(diff: Diff) -> dict[str, int]:
    """The kinds of change that there are, with how many."""
    return {name: number for name, number in diff.found.total.changes.items() if number}
