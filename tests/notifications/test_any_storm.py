"""Notifications over arbitrary lives of escalations."""

from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.codec import dumps, loads
from schemas.times import MINUTE, SECOND, format_time, parse_time
from streams.notifications import Notifier
from tests.notifications.records import escalation, policy

T0 = 1_780_000_000_000
RULES = policy(
    notify={"group_wait": "30s", "group_interval": "5m", "repeat_interval": "20m", "group_by": ["topic", "channel"]},
    silences=[
        {"when": {"topic": "a"}, "from": format_time(T0 + 5 * MINUTE), "until": format_time(T0 + 11 * MINUTE)},
        {"when": {"channel": "chat"}, "from": format_time(T0), "until": format_time(T0 + 9 * MINUTE)},
    ],
)

steps = st.tuples(
    st.integers(0, 5),  # which escalation
    st.integers(0, 400),  # seconds since the step before
    st.sampled_from(["open", "open", "open", "acknowledged", "suppressed", "resolved"]),
    st.sampled_from(["warning", "error", "critical"]),
    st.sampled_from([None, "a", "b"]),
    st.sampled_from(["phone", "chat"]),
)


def play(moves: list[tuple[Any, ...]], restart: bool) -> tuple[list[dict[str, Any]], dict[str, dict[str, Any]], int]:
    """What is sent, the last revisions, and the end of time: long after the last move."""
    notifier, sent, now = Notifier(), [], T0
    last: dict[str, dict[str, Any]] = {}
    revisions: dict[int, int] = {}
    lives: dict[int, int] = {}
    for which, gap, status, severity, topic, channel in moves:
        now += gap * SECOND
        while (due := notifier.next_wake) is not None and due < now:
            sent += notifier.wake(due, RULES)
        revisions[which] = revisions.get(which, 0) + 1
        id_ = f"e{which}.{lives.get(which, 0)}"
        record = escalation(id_, revisions[which], now, status=status, severity=severity, topic=topic, channel=channel)
        sent += notifier.observe(record, RULES, now)
        last[id_] = record
        if status == "resolved":
            revisions[which], lives[which] = 0, lives.get(which, 0) + 1
        if restart:
            notifier = Notifier.decode(loads(dumps(notifier.encode())))
    end = now + 19 * MINUTE  # before a repeat of what was paged last, and after every silence
    while (due := notifier.next_wake) is not None and due <= end:
        sent += notifier.wake(due, RULES)
    return sent, last, end


@settings(max_examples=300, deadline=None)
@given(st.lists(steps, max_size=40), st.booleans())
def test_any_storm_is_grouped(moves, restart):
    """No group pages more often than allowed; all that stays open is in a page; a group's changes are in order."""
    sent, last, _ = play(moves, restart)
    groups: dict[str, list[dict[str, Any]]] = {}
    for record in sent:
        groups.setdefault(record["group_key"], []).append(record)
    for records in groups.values():
        out = False
        for number, record in enumerate(records):
            assert (record["change"] == "first") == (not out)
            assert (record["change"] == "resolved") == (record["count"] == 0)
            out = record["change"] != "resolved"
            if number and out and records[number - 1]["change"] != "resolved":
                between = parse_time(record["at"]) - parse_time(records[number - 1]["at"])
                assert between >= (20 if record["change"] == "repeat" else 5) * MINUTE
        pages = [parse_time(record["at"]) for record in records if record["change"] != "resolved"]
        assert all(later - earlier >= 5 * MINUTE for earlier, later in pairwise(pages))
    for id_, record in last.items():
        if record["status"] == "open" and record["severity"] != "warning":
            key = f"topic={record.get('topic', '')}/channel={record['channel']}"
            assert any(id_ in page["escalation_ids"] for page in groups[key])
            assert groups[key][-1]["change"] != "resolved"


@settings(max_examples=100, deadline=None)
@given(st.lists(steps, max_size=30))
def test_a_restart_changes_nothing(moves):
    """State stored and read back after every revision sends the same notifications."""
    assert play(moves, restart=True) == play(moves, restart=False)
