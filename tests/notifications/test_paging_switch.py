"""One switch that stops all paging, and what is told when it is on again."""

import pytest

from schemas.times import HOUR, MINUTE, format_time
from tests.notifications.records import escalation, policy, resolved
from tests.notifications.test_notifications import T0, Timeline

OFF = policy("off", notify={"paging": "off", "reason": "the pager's own outage"})
ON = policy("on")


def test_while_paging_is_off_nobody_is_paged_or_repeated():
    """Neither first nor more nor repeat; the escalations go on."""
    line = Timeline(OFF).add(0, escalation("a")).add(HOUR, escalation("b")).add(2 * HOUR, escalation("a", 2))
    assert line.until(24 * HOUR).said() == []


def test_what_is_open_when_it_is_on_again_is_told_once_as_first():
    """Grouped, group_wait after the switch; what was resolved or taken meanwhile is not told."""
    line = Timeline(OFF)
    for name in ("open", "worse", "gone", "taken"):
        line.add(0, escalation(name))
    line.add(MINUTE, escalation("worse", 2, severity="critical"))
    line.add(MINUTE, resolved("gone")).add(MINUTE, escalation("taken", 2, status="acknowledged"))
    line.change(HOUR, ON).until(4 * HOUR)
    assert line.said() == [(HOUR + 30_000, "first", 2)]
    assert sorted(line.sent[0][1]["escalation_ids"]) == ["open", "worse"]


def test_what_had_been_paged_before_is_told_again():
    """A pager that was cut off hears all that is open, as first; what somebody has taken counts, but does not call."""
    line = Timeline(policy("before")).add(0, escalation("a")).add(0, escalation("b")).until(10 * MINUTE)
    line.change(10 * MINUTE, OFF).add(11 * MINUTE, escalation("b", 2, status="acknowledged"))
    line.add(12 * MINUTE, escalation("c")).change(HOUR, ON).until(2 * HOUR)
    assert line.said() == [(30_000, "first", 2), (HOUR + 30_000, "first", 3)]
    line.add(3 * HOUR, escalation("d")).until(4 * HOUR)
    assert line.said()[2:] == [(3 * HOUR + 30_000, "more", 4)]


def test_nothing_is_told_where_all_is_in_somebody_s_hands():
    """What was acknowledged before paging came back is not told anew, and the next call is more, not first."""
    line = Timeline(policy("before")).add(0, escalation("a")).until(10 * MINUTE)
    line.change(10 * MINUTE, OFF).add(11 * MINUTE, escalation("a", 2, status="acknowledged"))
    line.change(HOUR, ON).until(2 * HOUR).add(2 * HOUR, escalation("b")).until(3 * HOUR)
    assert line.said() == [(30_000, "first", 1), (2 * HOUR + 30_000, "more", 2)]


def test_that_a_group_is_over_is_told_while_paging_is_off():
    """It closes what pagers have open, and rings nowhere."""
    line = Timeline(policy("before")).add(0, escalation("a")).until(10 * MINUTE)
    line.change(10 * MINUTE, OFF).add(HOUR, resolved("a")).until(2 * HOUR)
    assert line.said() == [(30_000, "first", 1), (HOUR, "resolved", 0)]
    assert line.change(3 * HOUR, ON).until(9 * HOUR).said()[2:] == []


def test_off_and_on_at_once_does_not_page_more_often_than_group_interval():
    """The telling anew keeps the distance from the last page."""
    line = Timeline(policy("before")).add(0, escalation("a")).until(MINUTE)
    line.change(MINUTE, OFF).change(MINUTE + 1, ON).until(HOUR)
    assert line.said() == [(30_000, "first", 1), (5 * MINUTE + 30_000, "first", 1)]


def test_a_silence_holds_the_telling_back_too():
    """What is silenced when paging is on again pages when the silence ends."""
    silence = {"when": {"channel": "phone"}, "from": format_time(T0), "until": format_time(T0 + 3 * HOUR)}
    line = Timeline(OFF).add(0, escalation("a")).change(HOUR, policy("on", silences=[silence])).until(4 * HOUR)
    assert line.said() == [(3 * HOUR, "first", 1)]


@pytest.mark.parametrize("word", ["off", False])
def test_what_the_shell_reads(word):
    """The policy says that paging is off, and why: for a metric and a line in the log."""
    rules = policy(notify={"paging": word, "reason": "drill"})
    assert (rules.paging, rules.paging_off_reason) == (False, "drill")
    assert (ON.paging, ON.paging_off_reason) == (True, None)
