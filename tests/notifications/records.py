"""Revisions of escalations, as short as a test wants them."""

from typing import Any

from schemas.policy import PolicyDocument
from schemas.times import format_time
from streams.policy import Policy, compile_policy


def escalation(id_: str, revision: int = 1, at: int = 0, **changes: Any) -> dict[str, Any]:
    """A revision with what later stages read; `at` in ms."""
    record = {
        "escalation_id": id_,
        "revision": revision,
        "kind": "sla",
        "metric": "first_response",
        "status": "open",
        "change": "opened" if revision == 1 else "updated",
        "severity": "error",
        "level": 0,
        "route": {"role": "shift_lead"},
        "backfilled": False,
        "provisional": False,
        "customer_id": f"cus_{id_}",
        "issue_id": f"iss_{id_}",
        "threads": [],
        "topic": "billing",
        "channel": "phone",
        "channels": ["phone"],
        "public": False,
        "contacts": 1,
        "first_contact_at": format_time(at),
        "detected_at": format_time(at),
        "summary": f"First response by phone was due ({id_})",
    }
    return {name: value for name, value in (record | changes).items() if value is not None}


def resolved(id_: str, revision: int = 2, at: int = 0, **changes: Any) -> dict[str, Any]:
    """The last revision."""
    return escalation(id_, revision, at, status="resolved", change="resolved", reason="answered", **changes)


def policy(version: str = "1", **parts: Any) -> Policy:
    """A policy with these parts."""
    return compile_policy(PolicyDocument.model_validate({"version": version, **parts}))
