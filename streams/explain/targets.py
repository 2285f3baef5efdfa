"""Why a clock has the target that it has: which row of which policy."""

from streams.clocks import Clock, Segment
from streams.explain.line import span
from streams.history import History
from streams.policy import Policy
from streams.policy_rules import Condition, TargetFacts


def why(clock: Clock, segment: Segment, history: History) -> str:
    """The target, the row that gives it, the calendar and the policy's version, in a few words."""
    policy = segment.policy
    if segment.target is None:
        return f"policy {policy.version} has no target for it"
    if clock.run.metric == "promise":
        return f"promised, with a grace of {span(policy.promise_grace)} (promises.grace), policy {policy.version}"
    assert segment.calendar is not None
    row = "issue_resolution"
    if clock.run.metric != "issue_resolution":
        facts = clock.run.facts or (clock.thread.facts(history.tier) if clock.thread else TargetFacts())
        row = _row(policy, clock.run.metric, facts)
    return f"target {span(segment.target)} in calendar {segment.calendar.name} ({row}, policy {policy.version})"


def _row(policy: Policy, metric: str, facts: TargetFacts) -> str:
    for place, row in enumerate(policy.document.targets):
        if getattr(row, metric) is not None and Condition(row.when).matches(facts):
            wanted = {name: values for name in TargetFacts._fields if (values := getattr(row.when, name)) is not None}
            when = ", ".join(f"{name} {'|'.join(map(_word, values))}" for name, values in wanted.items())
            return f"targets[{place}]: {when or 'all'}"
    return "targets"


def _word(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
