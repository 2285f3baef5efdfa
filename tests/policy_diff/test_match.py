"""Which escalation is which, by properties."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from streams.intervals import FOREVER
from streams.policy_diff.match import changes, pairs
from streams.policy_diff.side import Seen

MIRRORED = {"appears": "vanishes", "earlier": "later", "higher": "lower", "rerouted": "rerouted", "reasons": "reasons"}
MIRRORED |= {b: a for a, b in MIRRORED.items()}


def seen(
    number: int, subject: str, start: int, length: int, severity: str = "error", roles: tuple[str, ...] = ()
) -> Seen:
    end = start + length if length < 50 else FOREVER
    return Seen(
        f"esc_{number}",
        "sla",
        subject,
        "resolution",
        (),
        "email",
        None,
        "cus_1",
        "t1",
        start,
        None,
        end,
        severity,
        roles,
    )


@st.composite
def histories(draw):
    rows = draw(
        st.lists(
            st.tuples(
                st.sampled_from("abc"), st.integers(0, 40), st.integers(0, 50),
                st.sampled_from(["warning", "error"]), st.sampled_from([(), ("desk",), ("desk", "lead")]),
            ),
            max_size=12,
        )
    )  # fmt: skip
    return [seen(number, *row) for number, row in enumerate(rows)]


@given(histories(), histories())
def test_every_escalation_is_in_one_pair(old, new):
    """Nothing is lost, nothing is counted twice, and only what is about the same subject and meets is paired."""
    found = list(pairs(old, new))
    assert Counter(pair.old.id for pair in found if pair.old) == Counter(each.id for each in old)
    assert Counter(pair.new.id for pair in found if pair.new) == Counter(each.id for each in new)
    for a, b in found:
        assert a is None or b is None or (a.subject == b.subject and a.meets(b))


@given(histories())
def test_what_is_equal_is_paired_with_itself(history):
    """A history and itself have no change."""
    assert [changes(pair) for pair in pairs(history, history)] == [()] * len(history)


@given(histories(), histories())
def test_the_other_way_round_is_the_mirror_image(old, new):
    """What appears from A to B vanishes from B to A, what comes earlier comes later, and so on."""
    there = Counter(change for pair in pairs(old, new) for change in changes(pair))
    back = Counter(change for pair in pairs(new, old) for change in changes(pair))
    assert Counter({MIRRORED[change]: number for change, number in there.items()}) == back


def test_episodes_of_one_subject_are_told_apart_by_time():
    """Of two episodes before and one now, the one that meets it is the same, the other has vanished."""
    old = [seen(1, "a", 0, 5), seen(2, "a", 10, 10)]
    new = [seen(3, "a", 12, 8)]
    assert [tuple(each and each.id for each in pair) for pair in pairs(old, new)] == [
        ("esc_1", None),
        ("esc_2", "esc_3"),
    ]
