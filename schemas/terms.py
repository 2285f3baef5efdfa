"""The words of what goes out: metrics, severities, patterns, and how an escalation begins and ends."""

from typing import Literal, get_args

Metric = Literal["first_response", "next_response", "resolution", "issue_resolution", "promise"]
SlaMetric = Literal["first_response", "next_response", "resolution", "issue_resolution"]
"""Metrics that an escalation of kind `sla` may have: a promise's breach is the pattern `broken_promise`."""
Severity = Literal["info", "warning", "error", "critical"]
EscalationKind = Literal["sla", "history", "hotspot"]
Phase = Literal["at_risk", "breached"]
EscalationStatus = Literal["open", "acknowledged", "suppressed", "resolved"]
Change = Literal["opened", "raised", "updated", "acknowledged", "suppressed", "unsuppressed", "resolved"]
Reason = Literal[
    "answered",
    "met",
    "solved",
    "no_longer_holds",
    "quiet",
    "late_evidence",
    "policy_change",
    "merged",
    "split",
    "cancelled",
    "command",
]
WaitingOn = Literal["company", "customer", "nobody"]
Pattern = Literal[
    "channel_switch",
    "third_channel",
    "went_public",
    "repeat_contact",
    "reopened",
    "deflection_loop",
    "handoff_dropped",
    "broken_promise",
    "comp_in_place_of_fix",
    "canned_only",
    "ignored",
    "abandoned",
    "long_hold",
    "passed_around",
    "public_argument",
    "spreading",
    "lapsed",
    "self_service_failed",
]
ThreadState = Literal["new", "open", "pending", "on_hold", "solved", "closed", "covered", "merged"]

SEVERITIES: tuple[str, ...] = get_args(Severity)
"""The severities, lowest first."""
PATTERNS: tuple[str, ...] = get_args(Pattern)
