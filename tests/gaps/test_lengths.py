"""Percentiles that add up: exact for few lengths, within a known accuracy for many."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.codec import dumps, loads
from streams.gaps.lengths import ACCURACY, EXACT_MAX, Lengths
from streams.gaps.percentile import hundredfold, percentile_s

lengths = st.integers(0, 40_000_000_000)  # up to 460 days, in ms
some = st.lists(lengths, max_size=20)
many = st.builds(
    lambda seed, count, top: Random(seed).choices(range(top), k=count),
    st.integers(0, 999),
    st.integers(90, 400),
    st.sampled_from([3, 1000, 10**7, 10**10]),
)
collections = st.one_of(some, some, many)


def of(numbers: list[int]) -> Lengths:
    return Lengths.of(sorted(numbers))


@given(st.lists(collections, max_size=5), st.randoms(use_true_random=False))
def test_parts_can_be_joined_in_any_order_and_grouping(parts, random):
    """Associative and commutative, to the last bin; and the same as if all had been in one place."""
    whole = of([number for part in parts for number in part])
    assert Lengths.union(map(of, parts)) == whole
    heap = [of(part) for part in parts]
    while len(heap) > 1:
        random.shuffle(heap)
        heap.append(Lengths.union([heap.pop(), heap.pop()]))
    assert Lengths.union(heap) == whole
    assert whole.count == sum(map(len, parts))


@given(collections, st.sampled_from([0, 10, 50, 90, 99]))
def test_a_percentile_is_exact_for_few_and_accurate_for_many(numbers, percent):
    """Up to EXACT_MAX lengths exactly what a sorted list says, beyond that within ACCURACY of it."""
    found, exact = of(numbers).hundredfold(percent), hundredfold(sorted(numbers), percent)
    if len(numbers) <= EXACT_MAX:
        assert found == exact
    else:
        assert abs(found - exact) <= ACCURACY * exact + 50  # rounded to whole numbers: half of one


@given(collections)
def test_what_was_stored_comes_back(numbers):
    """Through JSON, few or many."""
    known = of(numbers)
    assert Lengths.decode(loads(dumps(known.encode()))) == known


def test_the_hundredth_length_is_still_exact_and_one_more_is_not():
    """The bound is EXACT_MAX, both sides of it looked at."""
    numbers = [1_000_003 * (n + 1) for n in range(EXACT_MAX + 1)]
    assert percentile_s(of(numbers[:-1]), 50) == 50_500.152  # (50 + 51) / 2 times 1000.003, half a ms up
    assert percentile_s(of(numbers), 50) != 51_000.153
    assert percentile_s(of(numbers), 50) == pytest.approx(51_000.153, rel=ACCURACY)


def test_small_numbers_stay_whole_in_a_sketch():
    """Contacts per issue are 1, 2, 3: a sketch of thousands says 2, not 1.98."""
    assert of([1, 2, 2, 2, 3] * 1000).hundredfold(50) == 200
    assert of([0] * 500 + [7] * 500).hundredfold(90) == 700
    assert of([0] * 999).hundredfold(50) == 0


def test_a_sketch_is_small():
    """A million lengths between a second and a month fit into some ten kilobytes."""
    random = Random(1)
    numbers = sorted(int(1000 * 10 ** random.uniform(0, 6.4)) for _ in range(200_000))
    assert len(dumps(Lengths.of(numbers).encode())) < 12_000


@pytest.mark.parametrize(
    "stored",
    [
        {"accuracy": 0.02, "bins": [[1, 200]]},
        {"accuracy": ACCURACY, "bins": [[1, 2]]},
        [-1],
        [1.5],
        "x",
        None,
        {"accuracy": ACCURACY, "bins": [[1, -5], [2, 300]]},
    ],
)
def test_what_cannot_be_added_up_is_refused(stored):
    """Another accuracy, a sketch of few, no numbers at all: a ValueError, never a wrong percentile."""
    with pytest.raises(ValueError, match="lengths"):
        Lengths.decode(stored)
