"""Channel gaps of two runs: the last revision of each window, and revisions that count from 1."""

from typing import Any

import pytest

from schemas.times import DAY, HOUR, format_time
from streams.compare import Terms, compare
from tests.compare.runs import Files, found
from tests.node.cluster import policy

T0 = 20 * DAY
RULES = policy()


def gap(hour: int, revision: int = 1, channel: str = "chat", **measures: Any) -> dict[str, Any]:
    """A record, as short as can be."""
    return {
        "revision": revision,
        "window_start": format_time(T0 + hour * HOUR),
        "window_end": format_time(T0 + (hour + 1) * HOUR),
        "channel": channel,
        "contacts": 2,
        "first_response_p50_s": 60.0,
        **measures,
    }


def differences(a: list[dict[str, Any]], b: list[dict[str, Any]], until: int | None = T0 + 3 * HOUR) -> list[str]:
    """What differs."""
    runs = [Files([], [], [], []).run()._replace(gaps=lambda each=each: iter(each)) for each in (a, b)]
    terms = None if until is None else Terms(RULES, until)
    return [what for section, _, what in found(compare(*runs, terms=terms)) if section == "gaps"]


TOLD = [gap(0), gap(1), gap(1, 2, contacts=3), gap(2, channel="email")]


def test_how_often_a_window_was_corrected_may_differ():
    """The last revision counts, in any order and as often as it comes."""
    assert differences(TOLD, [gap(2, channel="email"), gap(1, contacts=3), gap(0), gap(0)]) == []


CASES = {
    "differs": [gap(0, contacts=9), *TOLD[1:]],
    "only in A": TOLD[1:],
    "only in B": [*TOLD, gap(1, channel="phone")],
    "revisions are missing (B)": [TOLD[0], *TOLD[2:]],
    "one revision, two contents (B)": [*TOLD, gap(0, contacts=5)],
}


@pytest.mark.parametrize("what", CASES)
def test_what_differs_is_named(what):
    """A window that is missing, or another, or told in two ways."""
    assert what in differences(TOLD, CASES[what])


def test_windows_that_last_are_not_compared():
    """Replay tells the window that lasts, live does not; without a time the last that both have decides."""
    assert differences([*TOLD, gap(3)], TOLD) == []
    assert differences([*TOLD, gap(3)], TOLD, None) == []
    assert differences([*TOLD, gap(3)], TOLD, T0 + 4 * HOUR) == ["only in A"]


def test_a_window_of_which_nothing_is_left_is_none():
    """Told once, and taken back: as if never told."""
    empty = gap(0, 2, channel="phone", contacts=0, first_response_p50_s=None)
    assert differences(TOLD, [*TOLD, gap(0, channel="phone"), empty]) == []


def test_what_is_final_is_not_compared():
    """A correction that comes after a week is made by replay only."""
    assert differences([gap(0, contacts=9)], [gap(0)], T0 + 8 * DAY) == []
    assert differences([gap(0, contacts=9)], [gap(0)], T0 + 6 * DAY) == ["differs"]
