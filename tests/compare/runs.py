"""Small runs, written by hand, whose facts and escalations agree: for tests that then change one thing."""

import copy
from dataclasses import dataclass, field

from streams.compare import Comparison, Run, compare


def issue(**changes) -> dict:
    return {
        "issue_id": "iss_1",
        "topic": "billing",
        "status": "open",
        "first_contact_at": "2026-06-08T13:00:00.000Z",
        "last_contact_at": "2026-06-08T15:00:00.000Z",
        "channels": ["phone", "email"],
        "contacts": 2,
        "threads": ["t1", "t2"],
        "deflections": 0,
    } | changes


def customer(id_: str = "cus_1", **changes) -> dict:
    identities = [("email", "kim@example.com"), ("thread", "t1"), ("thread", "t2")]
    return {
        "customer_id": id_,
        "aliases": [],
        "identities": [{"type": kind, "value": value} for kind, value in identities],
        "issues": [issue()],
    } | changes


def clock(**changes) -> dict:
    return {
        "clock_id": "clk_1",
        "customer_id": "cus_1",
        "issue_id": "iss_1",
        "thread": "t1",
        "metric": "first_response",
        "cycle": 1,
        "state": "breached",
        "calendar": "always",
        "policy_version": "1",
        "tzdata_version": "2025b",
        "target_s": 3600,
        "started_at": "2026-06-08T13:00:00.000Z",
        "due_at": "2026-06-08T14:00:00.000Z",
        "stopped_at": "2026-06-08T16:00:00.000Z",
        "counted_s": 10800,
        "remaining_s": -7200,
        "paused": [],
        "illegitimate_pause_s": 0,
        "breaches": [{"at": "2026-06-08T14:00:00.000Z", "policy_version": "1"}],
    } | changes


def breach(**changes) -> dict:
    return {
        "customer_id": "cus_1",
        "kind": "sla",
        "subject": "clk_1",
        "start": "2026-06-08T14:00:00.000Z",
        "end": "2026-06-08T16:00:00.000Z",
        "ended_by": "answered",
        "severity": "error",
        "patterns": [],
    } | changes


def history(**changes) -> dict:
    return {
        "customer_id": "cus_1",
        "kind": "history",
        "subject": "iss_1",
        "start": "2026-06-08T15:00:00.000Z",
        "end": None,
        "ended_by": None,
        "severity": "warning",
        "patterns": ["channel_switch"],
    } | changes


def said(revision: int, at: str, **changes) -> dict:
    """A revision of the escalation of the clock's breach."""
    return {
        "escalation_id": "esc_1",
        "revision": revision,
        "kind": "sla",
        "phase": "breached",
        "metric": "first_response",
        "status": "open",
        "severity": "error",
        "customer_id": "cus_1",
        "threads": [{"thread": "t1", "channel": "phone", "state": "open"}],
        "issue_id": "iss_1",
        "thread": "t1",
        "detected_at": f"2026-06-08T{at}.000Z",
        "detection_lag_s": 0,
        "clock": {"clock_id": "clk_1"},
    } | changes


def escalations() -> list[dict]:
    of_history = {
        "escalation_id": "esc_2",
        "kind": "history",
        "metric": None,
        "phase": None,
        "severity": "warning",
        "clock": None,
        "threads": [{"thread": "t1", "channel": "phone", "state": "open"}, {"thread": "t2"}],
    }
    return [
        said(1, "13:48:00", severity="warning", phase="at_risk"),
        said(2, "14:00:00"),
        said(1, "15:00:00", **of_history),
        said(3, "16:00:02", status="resolved", reason="answered", detection_lag_s=2),
    ]


@dataclass
class Files:
    """The four outputs of one run, as lists."""

    customers: list[dict] = field(default_factory=lambda: [customer()])
    clocks: list[dict] = field(default_factory=lambda: [clock()])
    episodes: list[dict] = field(default_factory=lambda: [breach(), history()])
    escalations: list[dict] = field(default_factory=escalations)

    def run(self) -> Run:
        lists = (self.customers, self.clocks, self.episodes, self.escalations)
        return Run(*((lambda each=each: iter(copy.deepcopy(each))) for each in lists))


def compared(a: Files, b: Files, **options) -> Comparison:
    return compare(a.run(), b.run(), **options)


def found(comparison: Comparison) -> list[tuple[str, str, str]]:
    """Section, id and kind of every difference shown."""
    return [(d.section, d.id, d.what) for section in comparison.sections for d in section.differences]
