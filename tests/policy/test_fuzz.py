"""Any text and any value: a document or a PolicyError, nothing else."""

import random
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.policy import PolicyDocument
from schemas.policy_problem import PolicyError
from streams.policy import compile_policy
from streams.policy_file import read_policy, read_policy_value
from streams.policy_text import parse

CONTRACT = (Path(__file__).parent / "data" / "good" / "contract.yaml").read_text()
VALUE = parse(CONTRACT).value
JUNK = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 10**20), st.floats(), st.text(max_size=5), st.just([]), st.just({}),
    st.just({"a": [1]}), st.just(["x"]), st.sampled_from(["4h", "off", "phone", "mon-fri", "09:00-17:00", "office"]),
)  # fmt: skip


def accepted_or_refused(read, source):
    try:
        document = read(source, "x")
    except PolicyError as problem:
        refusal = problem
    else:
        assert isinstance(document, PolicyDocument)
        compile_policy(document)  # what passes the checks compiles
        return document
    assert refusal.problems
    assert str(refusal)
    return None


@settings(deadline=None, max_examples=150)
@given(st.data())
def test_texts_with_holes(data):
    """The contract's example with pieces cut out, doubled and replaced."""
    text = CONTRACT
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(text)))
        length = data.draw(st.integers(0, 30))
        piece = data.draw(st.one_of(st.just(""), st.text(max_size=6), st.just(text[at : at + length] * 2)))
        text = text[:at] + piece + text[at + length :]
    accepted_or_refused(read_policy, text)


def replaced(value, seeded, junk):
    """The value with one part, anywhere, replaced by junk or given another name."""
    if isinstance(value, dict) and value and seeded.random() < 0.85:
        key = seeded.choice(list(value))
        if seeded.random() < 0.15:
            return {(str(junk) if k == key else k): part for k, part in value.items()}
        return {k: replaced(part, seeded, junk) if k == key else part for k, part in value.items()}
    if isinstance(value, list) and value and seeded.random() < 0.85:
        index = seeded.randrange(len(value))
        return [replaced(part, seeded, junk) if i == index else part for i, part in enumerate(value)]
    return junk


@settings(deadline=None, max_examples=400)
@given(st.integers(0, 2**32), st.lists(JUNK, min_size=1, max_size=3))
def test_values_with_junk(seed, junk):
    """The contract's example with parts replaced by values of other shapes; what is accepted survives a round trip."""
    seeded = random.Random(seed)
    value = VALUE
    for piece in junk:
        value = replaced(value, seeded, piece)
    document = accepted_or_refused(read_policy_value, value)
    if document is not None:
        assert read_policy_value(document.to_json(), "x") == document


@settings(deadline=None, max_examples=100)
@given(st.text(max_size=60))
def test_any_text(text):
    """Any text at all."""
    accepted_or_refused(read_policy, text)
