"""Small inputs for stories."""

from schemas.policy import PolicyDocument
from schemas.times import parse_time
from streams.policy import Policy, compile_policy
from streams.replay import Line

DOCUMENT = {
    "version": "1",
    "calendars": {
        "office": {"zone": "America/New_York", "week": {"mon-fri": ["09:00-17:00"]}},
        "always": {"zone": "UTC", "week": {"mon-sun": ["00:00-24:00"]}},
    },
    "channels": {"social": {"calendar": "always", "public": True}},
    "targets": [
        {"when": {"channel": ["phone", "chat"]}, "first_response": "1h"},
        {"first_response": "8h", "resolution": "16h", "calendar": "office"},
    ],
}


def policy(**changes) -> Policy:
    return compile_policy(PolicyDocument.model_validate(DOCUMENT | changes))


def event(id_: str, at: str, kind: str, thread: str | None, channel: str = "email", **fields) -> Line:
    """An interaction of 8 June 2026 (a Monday); `at` is hours and minutes, or a day and those: `09T13:00`."""
    day = at if "T" in at else f"08T{at}"
    identities = fields.pop("identities", ["email:kim@example.com"])
    late = fields.pop("arrived_at", day)
    value = {
        "id": id_,
        "occurred_at": f"2026-06-{day}:00Z",
        "channel": channel,
        "kind": kind,
        "thread": thread,
        "identities": [dict(zip(("type", "value"), text.split(":", 1), strict=True)) for text in identities],
        **fields,
    }
    return Line(instant(late), "interactions", value)


def link(id_: str, at: str, action: str, a: str, b: str) -> Line:
    pair = {name: dict(zip(("type", "value"), text.split(":", 1), strict=True)) for name, text in (("a", a), ("b", b))}
    value = {"id": id_, "occurred_at": f"2026-06-08T{at}:00Z", "action": action, **pair, "source": "crm"}
    return Line(instant(at), "identities.links", value)


def instant(at: str) -> int:
    day = at if "T" in at else f"08T{at}"
    return parse_time(f"2026-06-{day}:00Z")
