"""Records that are almost right, records that are nothing, and bytes."""

import json
from random import Random
from typing import Any

from hypothesis import strategies as st

from schemas.times import parse_time

NOW = parse_time("2026-06-08T13:00:00Z")
MARK = "Zk7vQ9mark"
"""Stands in values that no detail of a dead letter may quote."""

INTERACTION: dict[str, Any] = {
    "id": "e1",
    "occurred_at": "2026-06-08T12:00:00Z",
    "channel": "chat",
    "kind": "contact",
    "actor": {"type": "customer", "id": "c", "team": "t", "role": "r"},
    "identities": [{"type": "email", "value": "ann@example.org"}, {"type": "phone", "value": "+15550100200"}],
    "thread": "chat:1",
    "in_reply_to": "e0",
    "issue": "case-1",
    "topic": "billing",
    "public": False,
    "priority": "high",
    "difficulty": "easy",
    "tier": "gold",
    "text": "hello",
    "data": {"reach": 5, "due_at": "2026-06-08T15:00:00Z", "status": "open", "into": "chat:2", "to": "email"},
}
LINK: dict[str, Any] = {
    "id": "l1",
    "occurred_at": "2026-06-08T12:00:00Z",
    "action": "link",
    "a": {"type": "email", "value": "ann@example.org"},
    "b": {"type": "customer_id", "value": "C1"},
    "source": "crm",
}
COMMAND: dict[str, Any] = {
    "id": "k1",
    "at": "2026-06-08T12:00:00Z",
    "customer_id": "cus_1.0",
    "escalation_id": "esc_1",
    "action": "suppress",
    "by": "op",
    "until": "2026-06-08T14:00:00Z",
    "reason": "known",
}
GOOD = {"interactions.chat": INTERACTION, "identities.links": LINK, "escalations.commands": COMMAND}
"""A good record of each topic that others write."""

TIMES = [
    "0001-01-01T00:00:00Z", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59Z", "9999-12-31T23:59:60-23:59",
    "2026-06-08T12:00:00", "2026-06-08", "2026-02-30T12:00:00Z", "\uff12026-06-08T12:00:00Z", "2026-06-08T12:00:00Z\n",
    "2026-06-08T24:00:00Z", "2026-06-08t11:00:00.123456789z", "1969-12-31T23:59:59Z", "2038-01-19T03:14:08Z", "now",
]  # fmt: skip
TEXTS = [
    "", " ", "\x00", "a\x00b", "\x1b[2J", "\n", "'", '"', "' is not", "\u202e", "\ufeff", "A\u030a", "\u00c5", "İ" * 200,
    "\U0001f600", "x" * 256, "x" * 10_000, "+" * 500, "+1 " + "(" * 500, "00" * 250, "null", "n/a", "cus_1.0", "cus_1.9999999",
    "a.-1", "a.\u0660", "e1", "chat:1", "email:ann@example.org", MARK, f"'{MARK}' is not", "thread:chat:1",
]  # fmt: skip
NUMBERS = [0, -1, 1, 2**53, 2**63, 2**64 - 1, -(2**63), 1e308, -1e308, 5e-324, 0.1, 1e15, -0.0]
WORDS = ["contact", "reply", "status", "merge", "promise", "deflect", "transfer", "feedback", "answered", "phone", "social",
         "solved", "unlink", "link", "resolve", "acknowledge", "peer", "agent", "thread", "device", "self_service_failed"]  # fmt: skip


def nested(depth: int) -> Any:
    """Lists in lists."""
    value: Any = MARK
    for _ in range(depth):
        value = [value]
    return value


leaf = st.one_of(
    st.sampled_from([None, True, False, [], {}]),
    st.sampled_from(NUMBERS),
    st.sampled_from(TIMES),
    st.sampled_from(TEXTS),
    st.sampled_from(WORDS),
    st.text(max_size=20).filter(lambda text: text.isprintable()),
    st.sampled_from([nested(3), nested(300), [MARK] * 500, {MARK: MARK}, [{"type": "email", "value": MARK}] * 1000]),
)
junk = st.recursive(
    leaf,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def _paths(value: Any, at: tuple = ()) -> list[tuple]:
    found = [at] if at else []
    if isinstance(value, dict):
        for key in value:
            found += _paths(value[key], (*at, key))
    elif isinstance(value, list):
        for index in range(len(value)):
            found += _paths(value[index], (*at, index))
    return found


def replaced(value: Any, path: tuple, by: Any) -> Any:
    """The value with one part of it replaced; `...` takes it out."""
    head, *rest = path
    copy: Any = dict(value) if isinstance(value, dict) else list(value)
    if rest:
        copy[head] = replaced(copy[head], tuple(rest), by)
    elif by is ...:
        del copy[head]
    else:
        copy[head] = by
    return copy


@st.composite
def records(draw: st.DrawFn, good: dict[str, Any]) -> dict[str, Any]:
    """A good record with a few of its parts replaced, taken out, or others put in."""
    value: Any = good
    for _ in range(draw(st.integers(0, 4))):
        paths = _paths(value)
        if not paths:
            break
        value = replaced(value, draw(st.sampled_from(paths)), draw(st.one_of(st.just(...), junk)))
    kind = draw(st.sampled_from([None, *WORDS[:9]]))
    if kind is not None and "kind" in value:
        value = {**value, "kind": kind}
    return value


def as_bytes(value: Any) -> bytes:
    """JSON as careless producers write it: NaN and Infinity as they are, and halves of surrogate pairs escaped."""
    return json.dumps(value).encode()


def mutated(raw: bytes, random: Random) -> bytes:
    """Bytes cut, doubled, flipped, put in."""
    for _ in range(random.randint(1, 4)):
        at = random.randint(0, len(raw))
        length = random.choice((0, 1, 2, 8, 40))
        piece = random.choice((
            b"", random.randbytes(random.randint(1, 6)), raw[at : at + length] * 2, b"\xff\xfe", b"\x00", b"NaN", b"1e999",
            b"-Infinity", b'"\\ud800"', b"[" * 600, b'{"a":' * 600, b"\xef\xbb\xbf", b"9" * 400, b"\xed\xa0\x80", b'"id":"e9",',
        ))  # fmt: skip
        raw = raw[:at] + piece + raw[at + length :]
    return raw


@st.composite
def raws(draw: st.DrawFn, good: dict[str, Any]) -> bytes:
    """The bytes of a record: structured, mutated, or anything."""
    how = draw(st.sampled_from(("record", "record", "mutated", "bytes", "junk")))
    if how == "bytes":
        return draw(st.binary(max_size=200))
    if how == "junk":
        return as_bytes(draw(junk))
    raw = as_bytes(draw(records(good)))
    return mutated(raw, Random(draw(st.integers(0, 2**32)))) if how == "mutated" else raw
