"""One whole sample of every output record, for tests to copy and to spoil."""

from typing import Any

AT = "2026-06-08T13:00:00.000Z"
IDENTITY = {"type": "email", "value": "k***@example.com"}


def clock() -> dict[str, Any]:
    """A first-response clock that breached."""
    return {
        "clock_id": "clk_1",
        "customer_id": "cus_1",
        "issue_id": "iss_1",
        "thread": "t2",
        "metric": "first_response",
        "cycle": 1,
        "state": "breached",
        "calendar": "always",
        "policy_version": "1",
        "tzdata_version": "2026f",
        "target_s": 3600,
        "started_at": "2026-06-08T12:00:00.000Z",
        "due_at": AT,
        "stopped_at": None,
        "counted_s": 3600,
        "remaining_s": -0.5,
        "paused": [["2026-06-08T12:10:00.000Z", "2026-06-08T12:20:00.000Z"], [AT, None]],
        "illegitimate_pause_s": 0,
        "breaches": [{"at": AT, "policy_version": "1"}],
    }


def escalation() -> dict[str, Any]:
    """The first revision of a breach."""
    return {
        "escalation_id": "esc_1",
        "revision": 1,
        "kind": "sla",
        "phase": "breached",
        "metric": "first_response",
        "status": "open",
        "change": "opened",
        "severity": "error",
        "level": 0,
        "route": {"role": "shift_lead", "contact": "pagerduty:PABC"},
        "waiting_on": "company",
        "backfilled": False,
        "provisional": False,
        "customer_id": "cus_1",
        "identities": [IDENTITY],
        "threads": [{"thread": "t2", "channel": "social", "state": "open"}],
        "timeline": [{"id": "e1", "at": AT, "channel": "social", "kind": "contact", "actor": "customer"}],
        "issue_id": "iss_1",
        "thread": "t2",
        "channel": "social",
        "channels": ["phone", "social"],
        "public": True,
        "first_contact_at": "2026-06-08T12:00:00.000Z",
        "contacts": 2,
        "due_at": AT,
        "breached_at": AT,
        "detected_at": AT,
        "detection_lag_s": 0,
        "evidence": ["e1"],
        "clock": clock(),
        "summary": "No answer in public for 1 h: post 8 Jun 12:00",
        "policy_version": "1",
        "schema_version": "1",
        "runbook": "docs/runbooks/sla.md",
    }


def history() -> dict[str, Any]:
    """The first revision of a history escalation."""
    record = escalation() | {"kind": "history", "patterns": ["channel_switch", "went_public"], "severity": "critical"}
    return {
        key: value for key, value in record.items() if key not in {"phase", "metric", "clock", "due_at", "breached_at"}
    }


def hotspot() -> dict[str, Any]:
    """The first revision of a hotspot: a cohort, and so no customer."""
    record = escalation() | {"kind": "hotspot", "topic": "billing", "public": False}
    gone = {"phase", "metric", "clock", "due_at", "breached_at", "customer_id", "identities", "threads", "timeline"}
    return {key: value for key, value in record.items() if key not in gone | {"issue_id", "thread", "channel"}}


def resolved() -> dict[str, Any]:
    """The last revision of a breach that late evidence disproved."""
    return escalation() | {
        "revision": 2,
        "status": "resolved",
        "change": "resolved",
        "reason": "late_evidence",
        "retracted": True,
    }


def notification() -> dict[str, Any]:
    """The first page of a storm."""
    return {
        "group_key": "sla/billing/phone",
        "at": AT,
        "change": "first",
        "count": 500,
        "severity": "error",
        "escalation_ids": [f"esc_{n}" for n in range(100)],
        "summary": "500 breaches on phone about billing",
    }


def gap() -> dict[str, Any]:
    """An hour of a channel with nothing resolved."""
    return {
        "revision": 1,
        "window_start": "2026-06-08T12:00:00.000Z",
        "window_end": AT,
        "channel": "email",
        "contacts": 4,
        "first_responses": 2,
        "first_response_p50_s": 5400.5,
        "first_response_p90_s": 7200,
        "next_response_p90_s": None,
        "breached": 1,
        "resolved": 0,
        "median_resolution_s": None,
        "queue_jumps": 1,
        "ratio_to_public": 9.25,
        "overtaken": 3,
        "resolved_here": 0,
        "ended_elsewhere": 0,
        "contacts_per_issue_p50": 2.0,
        "public_first": 0,
        "public_first_returning": 0,
    }


def conflict() -> dict[str, Any]:
    """A kiosk's phone that a second customer may not have."""
    return {
        "identity": {"type": "phone", "value": "+12125550100"},
        "refused_by": "cus_2",
        "reason": "limit",
        "record_id": "e2",
        "seen_at": AT,
    }


def dead_letter() -> dict[str, Any]:
    """A record that is no JSON, and no UTF-8 either."""
    return {
        "reason": "not_json",
        "detail": "line 1 column 1: unexpected character",
        "topic": "interactions.phone",
        "partition": 0,
        "offset": 17,
        "seen_at": AT,
        "key": "email:k@example.com",
        "key_encoding": "utf-8",
        "value": "/w==",
        "value_encoding": "base64",
        "headers": [{"name": "source", "value": "zendesk", "value_encoding": "utf-8"}],
    }


def customer() -> dict[str, Any]:
    """A customer with one issue."""
    return {
        "customer_id": "cus_1",
        "aliases": ["cus_9"],
        "identities": [{"type": "email", "value": "k@example.com"}, {"type": "thread", "value": "t2"}],
        "issues": [
            {
                "issue_id": "iss_1",
                "topic": None,
                "status": "open",
                "first_contact_at": AT,
                "last_contact_at": AT,
                "channels": ["phone"],
                "contacts": 1,
                "threads": ["t2"],
                "deflections": 0,
            }
        ],
    }
