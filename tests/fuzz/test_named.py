"""The records that somebody will send one day, each with the reason that it is set aside for, or none."""

import json

import pytest

from tests.fuzz.core import Core
from tests.fuzz.garbage import COMMAND, INTERACTION, LINK, NOW, as_bytes, nested

MINIMAL = {name: INTERACTION[name] for name in ("id", "occurred_at", "channel", "kind", "identities", "thread")}
TAKEN = ""


def contact(**more) -> bytes:
    return as_bytes({**MINIMAL, **more})


def raw(text: str) -> bytes:
    """A good record with JSON of any kind as its data."""
    return as_bytes(MINIMAL)[:-1] + b', "data": ' + text.encode() + b"}"


INTERACTIONS = {
    "nothing": (None, "not_json: line 1"),
    "no bytes": (b"", "not_json: line 1"),
    "a null byte": (b"\0", "not_json: line 1"),
    "a byte order mark": (b"\xef\xbb\xbf" + contact(), "not_json: line 1"),
    "UTF-16": (contact().decode().encode("utf-16"), "not_json: line 1"),
    "Latin-1": (json.dumps({**MINIMAL, "text": "é"}, ensure_ascii=False).encode("latin-1"), "not_json: line 1"),
    "NaN": (raw('{"reach": NaN}'), "not_json: line 1"),
    "Infinity": (raw('{"reach": Infinity}'), "not_json: line 1"),
    "more than a double holds": (raw('{"reach": 1e999}'), "not_json: line 1"),
    "a thousand digits": (raw('{"reach": ' + "9" * 1000 + "}"), "not_json: line 1"),
    "half a surrogate pair": (raw('{"what": "\\ud800"}'), "not_json: line 1"),
    "500,000 levels": (b"[" * 500_000, "not_json: line 1"),
    "10 MB": (contact(text="x" * 10_000_000), "too_large: "),
    "a list": (b"[]", "schema: $: "),
    "a null": (b"null", "schema: $: "),
    "nothing in it": (b"{}", "schema: id: Field required; occurred_at: "),
    "a million elements": (b"[" + b"1," * 500_000 + b"1]", "schema: $: "),
    "300,000 identities": (contact(identities=[1] * 300_000), "schema: identities: at most 20"),
    "1,000 identities": (contact(identities=[{"type": "email", "value": f"a{n}@b.c"} for n in range(1000)]), "schema: identities: at most 20"),
    "an unknown type of identity": (contact(identities=[{"type": "fax", "value": "1"}]), "schema: identities.0.type: "),
    "100,001 characters of text": (contact(text="x" * 100_001), "schema: text: "),
    "an id of 10,000": (contact(id="x" * 10_000), "schema: id: "),
    "a thread of 10,000": (contact(thread="x" * 10_000), "schema: thread: "),
    "an empty id": (contact(id=""), "schema: id: "),
    "no thread": (as_bytes({**MINIMAL, "thread": None}), "schema: thread: required"),
    "a time without offset": (contact(occurred_at="2026-06-08T12:00:00"), "schema: occurred_at: "),
    "a time in other digits": (contact(occurred_at="\uff12026-06-08T12:00:00Z"), "schema: occurred_at: not an RFC 3339"),
    "a number for a time": (contact(occurred_at=1_780_000_000), "schema: occurred_at: "),
    "before the year 1": (contact(occurred_at="0001-01-01T00:00:00+23:59"), "schema: occurred_at: not between"),
    "the year 9999": (contact(occurred_at="9999-12-31T23:59:59Z"), "schema: occurred_at: not between"),
    "the year 5000": (contact(occurred_at="5000-01-01T00:00:00Z"), "future_timestamp: "),
    "the year 1": (contact(occurred_at="0001-01-01T00:00:00Z"), "too_old: "),
    "6 minutes ahead": (contact(occurred_at="2026-06-08T13:06:00Z"), "future_timestamp: "),
    "due in the year 9999": (contact(kind="promise", data={"due_at": "9999-12-31T00:00:00Z"}), "schema: data.due_at: not between"),
    "due before the year 1": (contact(kind="promise", data={"due_at": "0001-01-01T00:00:00+01:00"}), "schema: data.due_at: not between"),
    "a megabyte of promise": (contact(kind="promise", data={"due_at": "2026-06-09T00:00:00Z", "what": "x" * 1_000_000}), "schema: data.what: "),
    "a score of 300 levels": (contact(kind="feedback", data={"score": nested(300)}), "schema: data.score: "),
    "a team of 300 levels": (contact(kind="transfer", data={"to_team": nested(300)}), "schema: data.to_team: "),
    "queued, 300 levels deep": (contact(data={"queued": nested(300)}), "schema: data.queued: "),
    "canned, 300 levels deep": (contact(kind="reply", data={"canned": nested(300)}), "schema: data.canned: "),
    "a status that is an object": (contact(kind="status", data={"status": {}}), "schema: data.status: "),
    "a negative reach": (contact(data={"reach": -1}), "schema: data.reach: "),
    "a merge into 10,000 characters": (contact(kind="merge", data={"into": "x" * 10_000}), "schema: data.into: "),
    "data that is a list": (contact(data=[]), "schema: data: "),
    "6 minutes behind, and a day": (contact(occurred_at="2026-06-07T12:54:00Z"), TAKEN),
    "unknown data, 300 levels deep": (contact(data={"theirs": nested(300)}), TAKEN),
    "keys that stand twice": (raw('{"reach": 1, "reach": 2}'), TAKEN),
    "ids of null bytes": (contact(id="\0", thread="\0"), TAKEN),
    "identities of control characters": (contact(identities=[{"type": "email", "value": "\0\n\x1b"}]), TAKEN),
    "two normal forms of one character": (contact(identities=[{"type": "email", "value": "A\u030a@b"}, {"type": "email", "value": "\u00c5@b"}]), TAKEN),
    "telephones of brackets": (contact(identities=[{"type": "phone", "value": "+49 30 " + "(" * 500}] * 20), TAKEN),
    "a reply to itself": (contact(in_reply_to="e1"), TAKEN),
    "a merge into itself": (contact(kind="merge", data={"into": "chat:1"}), TAKEN),
    "a promise of the year 1": (contact(kind="promise", data={"due_at": "0001-01-01T00:00:00Z"}), TAKEN),
    "the smallest wait": (contact(kind="answered", data={"waited_s": 5e-324}), TAKEN),
    "the longest wait": (contact(kind="answered", data={"waited_s": 9e14}), TAKEN),
}  # fmt: skip
OTHERS = {
    "a link that is a list": ("identities.links", b"[]", "schema: $: "),
    "a link to an unknown type": ("identities.links", as_bytes({**LINK, "b": {"type": "x", "value": "1"}}), "schema: b.type: "),
    "a link in the year 9999": ("identities.links", as_bytes({**LINK, "occurred_at": "9999-12-31T23:59:59Z"}), "schema: occurred_at: "),
    "a link to itself": ("identities.links", as_bytes({**LINK, "b": LINK["a"]}), TAKEN),
    "a tombstone": ("identities.links", None, TAKEN),
    "an unlink of the year 1": ("identities.links", as_bytes({**LINK, "action": "unlink", "occurred_at": "0001-01-01T00:00:00Z"}), TAKEN),
    "a command that is a text": ("escalations.commands", b'"resolve"', "schema: $: "),
    "no customer's id": ("escalations.commands", as_bytes({**COMMAND, "customer_id": "x"}), "unknown_escalation: "),
    "a partition that is not there": ("escalations.commands", as_bytes({**COMMAND, "customer_id": "cus_1.7"}), "unknown_escalation: "),
    "a partition of 4,000 digits": ("escalations.commands", as_bytes({**COMMAND, "customer_id": "c." + "9" * 200}), "unknown_escalation: "),
    "suppressed until the year 9999": ("escalations.commands", as_bytes({**COMMAND, "until": "9999-12-31T23:59:59Z"}), "schema: until: not between"),
}  # fmt: skip
CASES = {name: ("interactions.chat", *case) for name, case in INTERACTIONS.items()} | OTHERS


@pytest.mark.parametrize(("topic", "value", "expected"), CASES.values(), ids=CASES)
def test_each_has_its_reason(topic, value, expected):
    """It is taken in, or set aside with the reason and the path of the field; in either case time goes on."""
    core = Core()
    core.take([(topic, value)], NOW)
    said = [f"{dead.reason}: {dead.detail}" for dead in core.dead]
    if expected == TAKEN:
        assert said == []
    else:
        assert len(said) == 1
        assert said[0].startswith(expected)
    core.wait(NOW)
