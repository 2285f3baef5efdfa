"""Does every escalation reach a role? Where it may not, the check says so, by day.

A policy that names nobody (no ladder, no route) is sound: whoever reads the escalations finds them all under
`unassigned`. One that names somebody must name somebody for every escalation. What it surely knows of each is its
kind, its severity, whether it is public, and its level; a route that asks for more may find it unknown, so that only
routes which ask for these, or for nothing, count as a last resort.
"""

from collections.abc import Iterator
from itertools import product

from schemas.policy import PolicyDocument
from schemas.policy_when import EscalationWhen
from streams.policy_messages import Finding
from streams.policy_routing import step_of
from streams.policy_rules import EscalationCondition, EscalationFacts

_KNOWN = frozenset({"kind", "severity", "min_severity", "public", "level", "min_level"})
_SEVERITIES = ("warning", "error", "critical")
"""Those that an escalation can have: below a warning nothing is escalated."""
_KINDS = ("sla", "history", "hotspot")


def unroutable(document: PolicyDocument) -> Iterator[Finding]:
    """The finding that some escalation would be for nobody, with an example of one; none where all reach a role."""
    if not document.ladders and not document.routes:
        return
    sure = [EscalationCondition(route.when) for route in document.routes if _asks_what_is_known(route.when)]
    for facts in _escalations(document):
        steps = document.ladders.get(facts.severity or "", ())  # type: ignore[call-overload]
        step = step_of(steps, facts.level or 0)
        if step is not None and step.role is not None:
            continue
        if not any(condition.matches(facts) for condition in sure):
            where = "routes" if document.routes else "ladders"
            yield Finding((where,), _message(document, facts), at_key=True)
            return


def _asks_what_is_known(when: EscalationWhen) -> bool:
    return all(name in _KNOWN or getattr(when, name) is None for name in EscalationWhen.model_fields)


def _escalations(document: PolicyDocument) -> Iterator[EscalationFacts]:
    """One of each sort that there can be, the mildest first."""
    highest = max((len(steps) for steps in document.ladders.values()), default=0)
    waits = False
    for severity in _SEVERITIES:
        steps = document.ladders.get(severity, ())  # type: ignore[call-overload]
        waits = waits or not steps or steps[0].after > 0  # acknowledged at level 0, it may get worse and stay there
        levels = range(0 if waits else 1, (len(steps) or highest) + 1)
        for level, kind, public in product(levels, _KINDS, (False, True)):
            if kind == "hotspot" and severity != "error":
                continue
            yield EscalationFacts(kind=kind, severity=severity, public=public, level=level)


def _message(document: PolicyDocument, facts: EscalationFacts) -> str:
    roles = [route.role for route in reversed(document.routes)]
    roles += [step.role for steps in document.ladders.values() for step in steps if step.role]
    role = roles[0] if roles else next(iter(document.roles or ()), "shift_lead")
    public = "public" if facts.public else "not public"
    example = f"{facts.kind} of severity {facts.severity}, {public}, at level {facts.level}"
    return f"an escalation may be for nobody ({example}): end routes with one for all the rest, {{role: {role}}}"
