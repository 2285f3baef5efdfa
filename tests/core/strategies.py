"""Histories small and dense: a few threads, two or three identities, one hour, everything within reach of everything."""

from typing import Any

from hypothesis import strategies as st

from schemas.times import MINUTE, format_time, parse_time

Record = dict[str, Any]

START = parse_time("2026-06-08T12:00:00Z")
SPAN = 60
"""Minutes in which all events happen."""
END = START + 200 * MINUTE
"""Late enough for every wait of the policies below to be over."""

PATTERNS = {
    "repeat_contact": {"threads": 2},
    "abandoned": {"window": "20m"},
    "long_hold": {"after": "3m"},
    "spreading": {"reach": 100, "customers": 2, "window": "10m"},
    "self_service_failed": {"severity": "warning", "window": "10m"},
    "passed_around": {"count": 2},
    "public_argument": {"count": 2},
    "reopened": {"count": 1},
    "deflection_loop": {"count": 2, "window": "20m", "handoff_window": "5m"},
    "handoff_dropped": {"window": "5m"},
}
POLICY: Record = {
    "version": "1",
    "calendars": {"day": {"zone": "UTC", "week": {"mon-sun": ["12:10-12:30", "12:40-20:00"]}}},
    "channels": {"social": {"public": True}, "community": {"public": True}, "phone": {"calendar": "day"}},
    "targets": [
        {"when": {"priority": "urgent"}, "first_response": "2m", "next_response": "2m"},
        {"when": {"topic": "billing"}, "resolution": "10m"},
        {"when": {"tier": "gold"}, "first_response": "3m"},
        {"first_response": "5m", "next_response": "4m", "resolution": "15m"},
    ],
    "issue_resolution": {"target": "20m"},
    "pauses": ["pending"],
    "issues": {
        "repeat_window": "20m",
        "window": "20m",
        "quiet_after": "30m",
        "drop_after": "60m",
        "handoff_window": "5m",
        "ignored_after": "10m",
    },
    "promises": {"grace": "1m"},
    "patterns": PATTERNS,
    "ladders": {
        "warning": [{"after": "3m", "role": "lead"}],
        "error": [{"after": "0m", "role": "lead"}, {"after": "5m", "role": "head"}],
        "critical": [{"after": "2m", "role": "head"}, {"after": "4m", "role": "lead"}],
    },
    "roles": {"lead": {}, "head": {"contact": "pagerduty:P1"}},
    "ack_timeout": "5m",
    "canned": {"customers": 2},
}
LATER = (
    {"version": "strict", "targets": [{"first_response": "1m", "resolution": "5m"}], "patterns": {"abandoned": "off"}},
    {"version": "lax", "targets": [{"first_response": "40m"}], "issues": {**POLICY["issues"], "quiet_after": "10m"}},
    {"version": "bare", "targets": [], "issue_resolution": None, "pauses": ["pending", "on_hold"], "ack_timeout": "0m"},
    {"version": "new", "apply": "new", "targets": [{"first_response": "1m"}], "answers": {"canned": True, "bot": True}},
)
"""Changes to `POLICY` that later versions make."""

PRIVATE, PUBLIC, UNSEEN = ("t1", "t2", "t3"), ("s1",), ("t9",)
CHANNELS = {"t1": "phone", "t2": "email", "t3": "chat", "t9": "email", "s1": "social"}
CUSTOMERS = ("email:kim@example.com", "handle:kim", "email:lee@example.com")
STATUSES = ("new", "open", "pending", "pending", "on_hold", "solved", "solved", "closed")

_KINDS = (
    *["contact"] * 8,
    *["reply"] * 4,
    *["status"] * 5,
    *["answered", "promise", "merge", "deflect", "confirmed"] * 2,
    *["abandoned", "feedback", "transfer", "note", "promise_kept", "compensate", "self_service_failed"],
)


def identity(text: str) -> Record:
    kind, _, value = text.partition(":")
    return {"type": kind, "value": value}


@st.composite
def interactions(
    draw: st.DrawFn, most: int = 12, people: tuple[str, ...] = CUSTOMERS[:1], *, flips: bool = False
) -> list[Record]:
    """Up to `most` interactions with the ids e0, e1, ... in no order; ids say nothing about time.

    With `flips` a thread may be private by one event and public by another.
    """
    return [draw(_interaction(f"e{number}", people, flips)) for number in range(draw(st.integers(1, most)))]


@st.composite
def _interaction(draw: st.DrawFn, id_: str, people: tuple[str, ...], flips: bool) -> Record:
    kind = draw(st.sampled_from(_KINDS))
    thread = draw(st.sampled_from((*PRIVATE[:2], *PRIVATE, *PUBLIC)))
    at = START + draw(st.integers(0, SPAN)) * MINUTE + draw(st.sampled_from((0, 0, 0, 0, 1, -1)))
    others = ("email", "community", "chat") if flips else ("community",) if thread in PUBLIC else ("email", "chat")
    channel = CHANNELS[thread] if draw(st.integers(0, 9)) else draw(st.sampled_from(others))
    record: Record = {"id": id_, "occurred_at": format_time(at), "channel": channel, "kind": kind, "thread": thread}
    record["identities"] = [identity(draw(st.sampled_from(people)))]
    if thread in PUBLIC and draw(st.integers(0, 4)) == 0:
        record["identities"] = []
        record["in_reply_to"] = f"e{draw(st.integers(0, 11))}"
    actor = draw(st.sampled_from((None, None, None, None, None, "customer", "agent", "bot", "system", "peer")))
    if actor:
        record["actor"] = {"type": actor, **({"team": "t"} if draw(st.booleans()) else {})}
    data = draw(_data(kind, at))
    if data:
        record["data"] = data
    if kind == "reply":
        record["text"] = draw(
            st.sampled_from(("Thank you for your patience with us.", "We have sent it to you again today."))
        )
    _adorn(record, draw(st.integers(0, 40)), flips=flips)
    return record


def _adorn(record: Record, die: int, *, flips: bool) -> None:
    """Now and then a topic, a case, a priority, a plan, a public flag."""
    if die < 6:
        record["topic"] = ("billing", "shipping")[die % 2]
    elif die < 8:
        record["issue"] = f"case-{die}"
    elif die < 11:
        record["priority"] = ("low", "urgent", "urgent")[die - 8]
    elif die == 11:
        record["tier"] = "gold"
    elif die < 14 and flips:
        record["public"] = die == 12


@st.composite
def _data(draw: st.DrawFn, kind: str, at: int) -> Record:
    if kind == "status":
        return {"status": draw(st.sampled_from(STATUSES))}
    if kind == "promise":
        return {"due_at": format_time(at + draw(st.integers(-5, 20)) * MINUTE)}
    if kind == "merge":
        return {"into": draw(st.sampled_from((*PRIVATE, *UNSEEN)))}
    if kind == "deflect":
        return draw(st.sampled_from(({}, {"to": "phone"}, {"to": "email"}, {"to": "community"}, {"to": "chat"})))
    if kind == "contact":
        return draw(st.sampled_from(({}, {}, {}, {"queued": True}, {"reach": 100})))
    if kind == "reply":
        return draw(st.sampled_from(({}, {}, {}, {"auto": True}, {"canned": True})))
    if kind in ("answered", "abandoned"):
        return draw(st.sampled_from(({}, {}, {"waited_s": 100}, {"waited_s": 180})))
    return {}


@st.composite
def versions(draw: st.DrawFn) -> list[tuple[int, Record]]:
    """Up to two later versions of the policy, with the times (ms) at which they arrive."""
    found = []
    for change in draw(st.lists(st.sampled_from(LATER), max_size=2, unique_by=lambda c: c["version"])):
        arrived = START + draw(st.integers(0, SPAN)) * MINUTE
        document = {name: value for name, value in (POLICY | change).items() if value is not None}
        if draw(st.booleans()):
            document["effective_at"] = format_time(arrived + draw(st.integers(-10, 30)) * MINUTE)
        found.append((arrived, document))
    return found


@st.composite
def delays(draw: st.DrawFn, count: int) -> list[int]:
    """How much later than it happened each event arrives (ms): mostly at once, some much later."""
    one = st.one_of(st.just(0), st.just(0), st.integers(0, 100).map(lambda minutes: minutes * MINUTE))
    return draw(st.lists(one, min_size=count, max_size=count))
