"""What workers tell one another: it comes out as it went in, and nonsense is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.worker.report import Report, decode, encode
from agents.worker.tracking import Facts, PartitionFacts
from schemas.codec import dumps, loads

INBOXES = ("identity-inbox", "customer-inbox")
offsets = st.integers(0, 2**53)
times = st.none() | st.integers(-(2**53), 2**53)
parts = st.builds(PartitionFacts, times, offsets, st.fixed_dictionaries(dict.fromkeys(INBOXES, offsets)))
ends = st.lists(offsets, min_size=3, max_size=3).map(tuple)
facts = st.builds(
    Facts,
    st.dictionaries(st.integers(0, 2), parts, max_size=3),
    st.fixed_dictionaries(dict.fromkeys(INBOXES, ends)),
    times,
    st.booleans(),
)


@given(st.builds(Report, st.text("0123456789abcdef", max_size=8), facts, times))
def test_there_and_back(report):
    """A report is read as it was written."""
    assert decode(encode(report)) == report


GOOD = encode(Report("w", Facts({0: PartitionFacts(1, 2, {"a": 3})}, {"a": (3,)}, 4), 5))


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"\xff",
        b"[]",
        b"7",
        b"{}",
        dumps({**loads(GOOD), "v": 2}),
        dumps({**loads(GOOD), "p": {"x": [1, 2, 3]}}),
        dumps({**loads(GOOD), "p": {"0": [1]}}),
        dumps({**loads(GOOD), "p": {"0": [1, 2, 3, 4]}}),
        dumps({**loads(GOOD), "s": []}),
        dumps({**loads(GOOD), "g": "soon"}),
        dumps({**loads(GOOD), "p": None}),
    ],
)
def test_nonsense_is_refused(value):
    """Anything else is a ValueError."""
    with pytest.raises(ValueError):
        decode(value)
