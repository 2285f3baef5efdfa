"""Records that carry marks where personal data is, and many ways of being wrong."""

import json
from typing import Any

PERSON = "Qz7personQz7"
"""In every identity, by which a log line would name somebody."""
TEXT = "Qz7wordsQz7"
"""In every text, team, name and other thing that people said."""
SECRET = "Qz7secretQz7"
"""In every password."""
MARK = "qz7"
"""In all of them, whatever case they were put in."""


def good(number: int, occurred_at: str, **more: Any) -> dict[str, Any]:
    """An interaction in which everything that is somebody's is marked."""
    return {
        "id": f"{TEXT}-{number}",
        "occurred_at": occurred_at,
        "channel": "chat",
        "kind": "contact",
        "actor": {"type": "customer", "id": f"{PERSON}-{number}", "team": TEXT},
        "identities": [
            {"type": "email", "value": f"{PERSON}{number}@example.org"},
            {"type": "handle", "value": f"@{PERSON}{number}"},
        ],
        "thread": f"chat:{PERSON}-{number}",
        "topic": TEXT,
        "text": f"my name is {PERSON}, {TEXT}",
        **more,
    }


def key(number: int) -> bytes:
    """The key of such a record."""
    return f"email:{PERSON}{number}@example.org".lower().encode()


def poison(occurred_at: str) -> list[tuple[str, bytes, bytes]]:
    """Topic, key and value of marked records, each wrong in a way of its own; the inboxes are among the topics."""
    one = good(0, occurred_at)
    deep: Any = TEXT
    for _ in range(300):
        deep = [deep]
    interactions = [
        f"{PERSON} {TEXT}".encode(), json.dumps(one).encode()[:-9], b"\xff" + PERSON.encode(), f'"{TEXT}"'.encode(),
        json.dumps(one | {"occurred_at": TEXT}).encode(), json.dumps(one | {"occurred_at": "9999-01-01T00:00:00Z"}).encode(),
        json.dumps(one | {"channel": TEXT}).encode(), json.dumps(one | {"kind": PERSON}).encode(),
        json.dumps(one | {"identities": [{"type": PERSON, "value": PERSON}]}).encode(),
        json.dumps(one | {"identities": PERSON}).encode(), json.dumps(one | {"identities": [PERSON]}).encode(),
        json.dumps(one | {"text": TEXT * 10_000}).encode(), json.dumps(one | {"text": TEXT * 200_000}).encode(),
        json.dumps(one | {"kind": "promise", "data": {"due_at": f"'{TEXT}' is not"}}).encode(),
        json.dumps(one | {"kind": "feedback", "data": {"score": deep}}).encode(),
        json.dumps(one | {"kind": "status", "data": {"status": TEXT}}).encode(),
        json.dumps(one | {"occurred_at": "1990-01-01T00:00:00Z"}).encode(),
    ]  # fmt: skip
    commands = [
        {"id": "k", "at": occurred_at, "customer_id": PERSON, "escalation_id": TEXT, "action": "resolve", "by": PERSON},
        {
            "id": "k",
            "at": occurred_at,
            "customer_id": f"{PERSON}.0",
            "escalation_id": TEXT,
            "action": "resolve",
            "by": PERSON,
        },
        {"id": "k", "at": TEXT, "customer_id": PERSON, "escalation_id": TEXT, "action": PERSON, "by": PERSON},
    ]
    link = {"id": "l", "occurred_at": occurred_at, "action": TEXT, "a": {"type": PERSON, "value": PERSON}, "b": PERSON}
    inbox = [
        PERSON.encode(), json.dumps({"i": PERSON, "t": TEXT}).encode(), json.dumps({"c": PERSON, "t": "grant"}).encode(),
        json.dumps({"i": f"email:{PERSON}", "t": "event", "e": [PERSON]}).encode(),
        json.dumps({"c": "cus_1.0", "t": "absorb", "from": PERSON, "h": TEXT}).encode(),
        json.dumps({"k": f"hot/{TEXT}", "t": "storm", "m": {PERSON: TEXT}}).encode(), json.dumps([PERSON]).encode(),
    ]  # fmt: skip
    found = [("interactions.chat", key(0), value) for value in interactions]
    found += [("escalations.commands", PERSON.encode(), json.dumps(command).encode()) for command in commands]
    found.append(("identities.links", PERSON.encode(), json.dumps(link).encode()))
    for topic in ("identity-inbox", "customer-inbox", "aggregate-inbox"):
        found += [(topic, PERSON.encode(), value) for value in inbox]
    return found


def lines_with_marks(log: str) -> list[str]:
    """The lines that tell what they must not; shortened."""
    return [line[:400] for line in log.splitlines() if MARK in line.lower()]
