"""The patterns of an issue's history (contract, section 6): when each holds, and by which events."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from streams.clocks import Clock
from streams.history import History
from streams.intervals import FOREVER, intersect, union
from streams.issue import Issue
from streams.patterns import company, contacts, waiting
from streams.patterns.case import NOWHERE, Case, Hold, Outside
from streams.policy import PolicyHistory

EVIDENCE_HOLDS_MAX = 20
"""How many intervals of one pattern are kept for their evidence alone."""

__all__ = ["NOWHERE", "PATTERNS", "Case", "Hold", "Outside", "patterns"]

PATTERNS: dict[str, Callable[[Case, Any], Iterator[Hold]]] = {
    "channel_switch": contacts.channel_switch,
    "third_channel": contacts.channel_switch,
    "went_public": contacts.went_public,
    "repeat_contact": contacts.repeat_contact,
    "reopened": contacts.reopened,
    "self_service_failed": contacts.self_service_failed,
    "spreading": contacts.spreading,
    "deflection_loop": company.deflection_loop,
    "handoff_dropped": company.handoff_dropped,
    "broken_promise": company.broken_promise,
    "comp_in_place_of_fix": company.comp_in_place_of_fix,
    "canned_only": company.canned_only,
    "passed_around": company.passed_around,
    "public_argument": company.public_argument,
    "ignored": waiting.ignored,
    "abandoned": waiting.abandoned,
    "long_hold": waiting.long_hold,
    "lapsed": waiting.lapsed,
}
"""Name in the policy and in records -> the intervals in which it would hold if the issue stayed unresolved."""


def patterns(
    issue: Issue, history: History, clocks: Sequence[Clock], policies: PolicyHistory, outside: Outside = NOWHERE
) -> list[Hold]:
    """When each pattern held or will hold while the issue is unresolved, each under the policy of its time."""
    unresolved = union(issue.open_intervals())
    if not unresolved:
        return []
    found: list[Hold] = []
    entries = policies.entries
    for place, entry in enumerate(entries):
        end = entries[place + 1].since if place + 1 < len(entries) else FOREVER
        within = intersect(unresolved, [(entry.since, end)])
        if not within:
            continue
        case = Case(issue, history, clocks, entry.policy, policies, outside)
        for name, rule in entry.policy.patterns.items():
            for hold in _outermost(PATTERNS[name](case, rule)):
                for start, until in intersect(within, [(hold.start, hold.end)]):
                    found.append(Hold(start, until, hold.evidence, name, rule.severity))
    return found


def _outermost(holds: Iterable[Hold]) -> Iterator[Hold]:
    """Without most of those that lie within an earlier one: they only add evidence, and there may be thousands."""
    reach = -FOREVER
    within = 0
    for hold in sorted(holds):
        if hold.end > reach:
            reach = hold.end
        elif within < EVIDENCE_HOLDS_MAX:
            within += 1
        else:
            continue
        yield hold
