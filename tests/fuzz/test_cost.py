"""What a record costs grows with its size, and no faster: nobody stops a partition with one that the limits let in."""

import time
from collections.abc import Callable
from contextlib import suppress

import pytest

from schemas.identity import VALUE_MAX, normalise
from schemas.policy_problem import PolicyError
from streams.intake import admit, parse
from streams.policy_file import read_policy
from tests.fuzz.core import POLICY, Core
from tests.fuzz.garbage import INTERACTION, NOW, as_bytes

LIMIT = 1_048_576
LARGER = 8
RATIO_MAX = 36
"""Eight times as large may take eight times as long; squares would be 64. Between the two, for the noise."""
FLOOR_S = 0.004
"""Shorter times are noise."""
ONE_S = 0.5
"""What one record of the largest size may take at the most; seen: 5 to 20 ms."""


def seconds(work: Callable[[], object]) -> float:
    """The best of three, by the processor's clock: what else the machine does is not the record's."""
    taken = []
    for _ in range(3):
        started = time.process_time()
        work()
        taken.append(time.process_time() - started)
    return min(taken)


def with_(**more) -> bytes:
    return as_bytes({**INTERACTION, **more})


RECORDS: dict[str, Callable[[int], bytes]] = {
    "identities that are numbers": lambda n: with_(identities=[1] * (n // 3)),
    "identities that are empty": lambda n: with_(identities=[{}] * (n // 4)),
    "unknown fields": lambda n: with_(**{f"k{i}": 1 for i in range(n // 14)}),
    "unknown fields of an identity": lambda n: with_(identities=[{"type": "email", "value": "a", **{f"k{i}": 1 for i in range(n // 14)}}]),
    "a long word": lambda n: with_(channel="x" * n),
    "a long time": lambda n: with_(occurred_at="2" * n),
    "quotes": lambda n: with_(kind="promise", data={"due_at": "' is not" * (n // 8)}),
    "lists in lists": lambda n: b"[" * (n // 2) + b"]" * (n // 2),
    "digits": lambda n: with_()[:-1] + b',"x":' + b"9" * n + b"}",
    "escapes": lambda n: with_(data={"x": "\u0001" * (n // 6)}),
    "data": lambda n: with_(data={"score": [1] * (n // 3)}),
}  # fmt: skip


@pytest.mark.parametrize("make", RECORDS.values(), ids=RECORDS)
def test_a_record_costs_by_its_size(make):
    """To the largest that is read."""

    def take(raw: bytes) -> None:
        value = parse(raw, LIMIT)
        if isinstance(value, dict):
            admit(value, NOW, POLICY)

    large = make(LIMIT - 2_000)
    small = make((LIMIT - 2_000) // LARGER)
    assert len(large) <= LIMIT
    took = seconds(lambda: take(large))
    assert took < ONE_S
    assert took < RATIO_MAX * max(seconds(lambda: take(small)), FLOOR_S)


def test_the_longest_text_of_a_reply():
    """100,000 characters of the kinds that normalising takes longest for, through the whole core."""
    for fill in ("a b", "\u0344", "1", "\ufdfa", "ß"):
        raw = with_(id=fill, kind="reply", actor={"type": "agent"}, text=(fill * 100_000)[:100_000])
        if len(raw) <= LIMIT:
            core = Core()
            assert seconds(lambda core=core, raw=raw: core.take([("interactions.chat", raw)], NOW)) < ONE_S
            assert core.dead == []


@pytest.mark.parametrize("fill", ["1", "(", " ", "-", "x", ";ext=", "\uff19", "#", "+1 ", "0", "a1"])
def test_the_longest_telephone(fill):
    """Whatever it is made of, each takes milliseconds."""
    for begin in ("", "+", "+1 ", "+49 30 ", "+1;ext=", "00", "tel:+1;phone-context="):
        value = (begin + fill * VALUE_MAX)[:VALUE_MAX]
        assert seconds(lambda value=value: normalise("phone", value)) < 0.05


HEAD = "version: '1'\ncalendars: {a: {zone: UTC, week: {mon-sun: ['00:00-24:00']}}}\n"
POLICIES: dict[str, Callable[[int], str]] = {
    "targets": lambda n: HEAD + "targets:\n" + "  - {first_response: 1h}\n" * n,
    "targets without a calendar": lambda n: HEAD + "targets:\n" + "  - {first_response: 1h, calendar: x}\n" * n,
    "unknown keys": lambda n: HEAD + "".join(f"k{i}: 1\n" for i in range(n)),
    "roles": lambda n: HEAD + "roles:\n" + "".join(f"  r{i}: {{}}\n" for i in range(n)),
    "anchors": lambda n: HEAD + "a: &a [1]\n" + "".join(f"b{i}: *a\n" for i in range(n)),
}


@pytest.mark.parametrize("make", POLICIES.values(), ids=POLICIES)
def test_a_policy_costs_by_its_size(make):
    """200 and 1,600 of each."""

    def read(text: str) -> None:
        with suppress(PolicyError):
            read_policy(text, "x")

    small, large = make(200), make(200 * LARGER)
    assert seconds(lambda: read(large)) < RATIO_MAX * max(seconds(lambda: read(small)), FLOOR_S)


def test_a_policy_of_brackets():
    """The YAML reader takes the square of the depth, and gives up at a thousand: seconds at the worst, once."""
    for text in (HEAD + "x: " + "[" * 400_000, HEAD + "x: " + "{a: " * 100_000, HEAD + "? " * 200_000):
        started = time.process_time()
        with pytest.raises(PolicyError, match="nested more than"):
            read_policy(text, "x")
        assert time.process_time() - started < 10
