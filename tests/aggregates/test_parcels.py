"""What an aggregate is told of escalations, some in one message."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.codec import dumps, loads
from streams.aggregates.messages import PARCEL_BYTES_MAX, PARCEL_MAX, in_parcels, unpacked

KEY = "page/all"


def _told(sizes: list[int]) -> list[dict[str, Any]]:
    return [{"id": f"esc_{number}", "lead": "x" * size} for number, size in enumerate(sizes)]


@settings(max_examples=40)
@given(st.lists(st.sampled_from([0, 300, 5_000, PARCEL_BYTES_MAX]), max_size=150))
def test_all_come_in_order_in_messages_of_a_bounded_size(sizes: list[int]) -> None:
    """However large each is, and one that has too much room for any other is by itself."""
    told = _told(sizes)
    sent = [dumps(post.message) for post in in_parcels({KEY: told})]
    assert [each for value in sent for each in unpacked(loads(value))] == [
        {"k": KEY, "t": "storm", "m": message} for message in told
    ]
    for value in sent:
        parts = list(unpacked(loads(value)))
        assert len(parts) <= PARCEL_MAX
        assert len(parts) == 1 or len(value) < PARCEL_BYTES_MAX + 200


def test_as_few_messages_as_may_be() -> None:
    """Small ones fill a message by their number, large ones by their bytes."""
    assert len(list(in_parcels({KEY: _told([300] * 129)}))) == 3
    assert len(list(in_parcels({KEY: _told([PARCEL_BYTES_MAX // 4] * 6)}))) == 2
    assert list(in_parcels({})) == []
