"""Sample escalation records, valid under the contract."""

from typing import Any

from schemas.escalation import validate_escalation

BASE: dict[str, Any] = {
    "escalation_id": "esc-1",
    "revision": 1,
    "kind": "history",
    "patterns": ["third_channel", "went_public"],
    "status": "open",
    "change": "opened",
    "severity": "critical",
    "level": 0,
    "route": {"role": "shift_lead", "contact": "pagerduty:PABC"},
    "waiting_on": "company",
    "backfilled": False,
    "provisional": False,
    "customer_id": "cus_1",
    "identities": [{"type": "phone", "value": "+***67"}, {"type": "customer_id", "value": "C***42"}],
    "threads": [{"thread": "pbx:call:1", "channel": "phone", "state": "open"}],
    "timeline": [],
    "issue_id": "iss_1",
    "topic": "billing",
    "channel": "social",
    "channels": ["phone", "email", "social"],
    "public": True,
    "first_contact_at": "2026-06-05T14:00:00.000Z",
    "contacts": 3,
    "detected_at": "2026-06-08T12:00:00.000Z",
    "detection_lag_s": 0.5,
    "evidence": ["e1", "e2"],
    "summary": "3rd channel in 70 h: phone 5 Jun, email 7 Jun, public post 8 Jun 12:00; nobody has answered",
    "policy_version": "1",
    "schema_version": "1",
    "runbook": "docs/runbooks/went_public.md",
}

CLOCK = {
    "clock_id": "clk-1",
    "customer_id": "cus_1",
    "issue_id": "iss_1",
    "thread": "desk:ticket:1",
    "metric": "first_response",
    "cycle": 0,
    "state": "breached",
    "calendar": "office",
    "policy_version": "1",
    "tzdata_version": "2026a",
    "target_s": 28800,
    "started_at": "2026-06-05T14:00:00.000Z",
    "due_at": "2026-06-08T09:00:00.000Z",
    "stopped_at": None,
    "counted_s": 28800,
    "remaining_s": 0,
    "paused": [],
    "illegitimate_pause_s": 0,
    "breaches": [{"at": "2026-06-08T09:00:00.000Z", "policy_version": "1"}],
}


def history(**changes: Any) -> dict[str, Any]:
    return _checked(BASE | changes)


def sla(**changes: Any) -> dict[str, Any]:
    record = {name: value for name, value in BASE.items() if name != "patterns"} | {
        "kind": "sla",
        "phase": "breached",
        "metric": "first_response",
        "severity": "error",
        "thread": "desk:ticket:1",
        "channel": "email",
        "channels": ["email"],
        "public": False,
        "due_at": "2026-06-08T09:00:00.000Z",
        "breached_at": "2026-06-08T09:00:00.000Z",
        "clock": CLOCK,
    }
    return _checked(record | changes)


def hotspot(**changes: Any) -> dict[str, Any]:
    keep = set(BASE) - {"patterns", "customer_id", "identities", "threads", "timeline", "issue_id", "channel"}
    record = {name: BASE[name] for name in BASE if name in keep} | {"kind": "hotspot", "severity": "error"}
    return _checked(record | {"public": False, "topic": "outage", "summary": "20 customers, one topic"} | changes)


def _checked(record: dict[str, Any]) -> dict[str, Any]:
    validate_escalation(record)
    return record
