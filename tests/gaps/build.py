"""Histories as short as a test wants them. Times in minutes after the start of a window."""

from typing import Any

from schemas.identity import Identity
from schemas.policy import PolicyDocument
from schemas.times import MINUTE
from streams.derive import Derived, derive
from streams.event import Event
from streams.log import Log
from streams.policy import PolicyHistory, compile_policy

T0 = 1_780_002_000_000 // 3_600_000 * 3_600_000

POLICIES = PolicyHistory(
    compile_policy(
        PolicyDocument.model_validate(
            {
                "version": "1",
                "channels": {"social": {"public": True}, "community": {"public": True}},
                "targets": [{"first_response": "1h", "next_response": "2h", "resolution": "8h"}],
                "issue_resolution": {"target": "12h"},
                "warn_at": "off",
            }
        )
    )
)


def event(at: float, kind: str, thread: str, channel: str = "", **more: Any) -> Event:
    """An event; the thread's name up to a `:` is its channel, and the customer acts where one does by default."""
    channel = channel or thread.partition(":")[0]
    actor = "customer" if kind in ("contact", "confirmed", "abandoned", "feedback") else "agent"
    moment = T0 + round(at * MINUTE)
    id_ = more.pop("id", f"{thread}/{kind}/{at}")
    fields = {"actor": actor, "identities": (Identity("customer_id", "c"),), "arrived_at": moment} | more
    return Event(id=id_, at=moment, kind=kind, channel=channel, thread=thread, **fields)


def solved(at: float, thread: str) -> Event:
    """The thread is solved."""
    return event(at, "status", thread, data={"status": "solved"})


def derived(*events: Event) -> Derived:
    """What follows from one customer's events."""
    return derive(Log(events), POLICIES)
