"""Notifications as timelines on virtual time (contract, section 7)."""

from itertools import pairwise
from typing import Any

import pytest

from schemas.codec import dumps, loads
from schemas.notification import validate_notification
from schemas.times import HOUR, MINUTE, SECOND, format_time
from streams.notifications import Notifier
from streams.policy import Policy
from streams.storm_addresses import Addresses, Envelope
from streams.storm_message import Beside
from tests.notifications.records import escalation, policy, resolved

T0 = 1_780_000_000_000
STORM = 5 * MINUTE + 30 * SECOND


class Timeline:
    """Feeds revisions at their times, wakes the notifier when it asks for that, and restarts it all the time."""

    def __init__(self, rules: Policy | None = None) -> None:
        self.rules = rules or policy()
        self.addresses = Addresses()
        self.notifier = Notifier()
        self.sent: list[tuple[int, dict[str, Any]]] = []
        self.steps = 0

    def until(self, at: int) -> "Timeline":
        """Let time pass up to `at` ms after the start."""
        while (due := self.notifier.next_wake) is not None and due <= T0 + at:
            self.take(due, self.notifier.wake(due, self.rules))
        return self

    def add(self, at: int, record: dict[str, Any], beside: Beside | None = None) -> "Timeline":
        """A revision at `at` ms after the start."""
        self.until(at - 1)
        record = record | {"detected_at": format_time(T0 + at)}
        self.send(at, self.addresses.take(record, self.rules, beside))
        self.steps += 1
        if self.steps % 7 == 1:
            self.notifier = Notifier.decode(loads(dumps(self.notifier.encode())))
            self.addresses = Addresses.decode(loads(dumps(self.addresses.encode())))
        return self

    def send(self, at: int, envelopes: list[Envelope]) -> None:
        """What senders have for the groups."""
        for to, key, message in envelopes:
            if to == "group":
                self.take(T0 + at, self.notifier.observe(key, message, self.rules, T0 + at))

    def change(self, at: int, rules: Policy) -> "Timeline":
        """Another policy takes effect: the senders look at all again, and the groups are woken."""
        self.until(at)
        self.rules = rules
        self.send(at, self.addresses.follow(rules))
        self.take(T0 + at, self.notifier.wake(T0 + at, rules))
        return self

    def take(self, at: int, records: list[dict[str, Any]]) -> None:
        for record in records:
            validate_notification(record)
            assert record["at"] == format_time(at)
            self.sent.append((at - T0, record))

    def said(self) -> list[tuple[int, str, int]]:
        """(ms since the start, change, count) of each."""
        return [(at, record["change"], record["count"]) for at, record in self.sent]


def test_a_storm_of_500_breaches_in_a_minute_pages_at_most_twice():
    """500 breaches of one group in a minute are at most 2 notifications in the first 5.5 minutes."""
    line = Timeline()
    for number in range(500):
        line.add(number * 120, escalation(f"e{number}"))
    line.until(STORM)
    assert line.said() == [(30_000, "first", 251), (5 * MINUTE + 30_000, "more", 500)]
    assert len(line.sent[1][1]["escalation_ids"]) == 100
    assert line.until(4 * HOUR).said()[2:] == []


def test_one_escalation_is_first_then_repeated_then_resolved():
    """A page comes after group_wait, again after repeat_interval while it is open, and its end is told once."""
    line = Timeline().add(0, escalation("e")).until(9 * HOUR)
    line.add(9 * HOUR, resolved("e")).until(40 * HOUR)
    start = 30 * SECOND
    assert line.said() == [
        (start, "first", 1),
        (start + 4 * HOUR, "repeat", 1),
        (start + 8 * HOUR, "repeat", 1),
        (9 * HOUR, "resolved", 0),
    ]
    assert line.notifier.next_wake is None
    assert line.sent[3][1]["escalation_ids"] == ["e"]
    assert line.sent[0][1]["group_key"] == "kind=sla/topic=billing/channel=phone"


def test_what_is_over_within_group_wait_pages_nobody():
    """An escalation that is resolved before its first page leaves no trace."""
    line = Timeline().add(0, escalation("e")).add(20_000, resolved("e")).until(HOUR)
    assert line.said() == []
    assert line.notifier.next_wake is None


def test_a_group_that_flaps_is_not_paged_more_often_than_group_interval():
    """Opening and resolving every few seconds pages once per group_interval."""
    line = Timeline()
    for number in range(60):
        line.add(number * 20_000, escalation(f"e{number}"))
        line.add(number * 20_000 + 19_000, resolved(f"e{number}"))
    line.until(HOUR)
    pages = [at for at, change, _ in line.said() if change != "resolved"]
    assert all(later - earlier >= 5 * MINUTE for earlier, later in pairwise(pages))


@pytest.mark.parametrize("change", ["acknowledged", "suppressed"])
def test_what_somebody_has_taken_does_not_page_or_repeat(change):
    """An acknowledged or suppressed escalation stands, but is not repeated; when it is open again, it pages."""
    line = Timeline().add(0, escalation("e")).until(MINUTE)
    line.add(MINUTE, escalation("e", 2, status=change, change=change)).until(12 * HOUR)
    assert line.said() == [(30_000, "first", 1)]
    line.add(12 * HOUR, escalation("e", 3)).until(13 * HOUR)
    assert line.said()[1:] == [(12 * HOUR + 30_000, "more", 1)]


def test_an_escalation_acknowledged_before_its_page_is_not_paged():
    """Who acknowledges within group_wait is not paged; the group goes unsaid."""
    line = Timeline().add(0, escalation("e")).add(9000, escalation("e", 2, status="acknowledged"))
    line.add(HOUR, resolved("e", 3)).until(2 * HOUR)
    assert line.said() == []


def test_one_open_escalation_keeps_a_group_repeating_beside_an_acknowledged_one():
    """The repeat counts what stands, and says how many nobody has acknowledged."""
    line = Timeline().add(0, escalation("a")).add(0, escalation("b")).until(MINUTE)
    line.add(MINUTE, escalation("a", 2, status="acknowledged")).until(5 * HOUR)
    assert line.said() == [(30_000, "first", 2), (4 * HOUR + 30_000, "repeat", 2)]
    assert "1 not acknowledged" in line.sent[1][1]["summary"]


def test_backfilled_escalations_never_page():
    """What was over before it was noticed is recorded, not paged."""
    line = Timeline().add(0, escalation("e", backfilled=True)).add(0, resolved("e", backfilled=True)).until(HOUR)
    assert line.said() == []


def test_severity_decides_when_it_joins_and_leaves():
    """A warning pages nobody; raised to the minimum it joins then; fallen below it leaves."""
    line = Timeline().add(0, escalation("e", severity="warning")).until(HOUR)
    assert line.said() == []
    line.add(HOUR, escalation("e", 2, severity="error")).until(2 * HOUR)
    line.add(2 * HOUR, escalation("e", 3, severity="critical")).until(3 * HOUR)
    line.add(3 * HOUR, escalation("e", 4, severity="warning")).until(4 * HOUR)
    assert line.said() == [
        (HOUR + 30_000, "first", 1),
        (2 * HOUR + 30_000, "more", 1),
        (3 * HOUR, "resolved", 0),
    ]
    assert [record["severity"] for _, record in line.sent] == ["error", "critical", "critical"]


def test_a_topic_learned_later_moves_the_escalation_to_its_group():
    """An escalation whose group changes is paged in the new one, whether or not the old one had paged."""
    line = Timeline().add(0, escalation("e", topic=None)).add(20_000, escalation("e", 2, topic="refund")).until(HOUR)
    assert [(at, r["change"], r["group_key"]) for at, r in line.sent] == [
        (30_000, "first", "kind=sla/topic=refund/channel=phone")
    ]
    line.add(HOUR, escalation("e", 3, topic="billing")).until(2 * HOUR)
    assert [(at, r["change"], r["group_key"]) for at, r in line.sent[1:]] == [
        (HOUR, "resolved", "kind=sla/topic=refund/channel=phone"),
        (HOUR + 30_000, "first", "kind=sla/topic=billing/channel=phone"),
    ]


def test_a_silence_holds_a_page_back_until_it_ends():
    """In a silence nothing is paged or repeated; what is still open when it ends pages then."""
    silence = {"when": {"channel": "phone"}, "from": format_time(T0), "until": format_time(T0 + HOUR)}
    line = Timeline(policy(silences=[silence]))
    line.add(0, escalation("gone")).add(0, escalation("stays")).add(MINUTE, resolved("gone")).until(2 * HOUR)
    line.add(2 * HOUR, escalation("mail", channel="email")).until(3 * HOUR)
    assert line.said() == [(HOUR, "first", 1), (2 * HOUR + 30_000, "first", 1)]


def test_a_silence_holds_repeats_back():
    """What was paged before a silence is not repeated within it, but right after it."""
    silence = {"from": format_time(T0 + HOUR), "until": format_time(T0 + 6 * HOUR)}
    line = Timeline(policy(silences=[silence])).add(0, escalation("e")).until(7 * HOUR)
    assert line.said() == [(30_000, "first", 1), (6 * HOUR, "repeat", 1)]


def test_a_silence_by_tier_needs_to_be_told_the_tier():
    """What a record does not say can be said beside it."""
    silence = {"when": {"tier": "free"}, "from": format_time(T0), "until": format_time(T0 + HOUR)}
    line = Timeline(policy(silences=[silence])).add(0, escalation("e"), Beside(tier="free")).until(HOUR - 1)
    assert line.said() == []


def test_another_policy_groups_anew():
    """What stands is grouped by the policy in force; a lower minimum lets warnings join."""
    line = Timeline().add(0, escalation("e")).add(0, escalation("w", severity="warning")).until(HOUR)
    line.change(HOUR, policy("2", notify={"group_by": ["severity"], "min_severity": "warning"})).until(2 * HOUR)
    assert [(at, r["change"], r["group_key"]) for at, r in line.sent[1:]] == [
        (HOUR, "resolved", "kind=sla/topic=billing/channel=phone"),
        (HOUR + 30_000, "first", "severity=error"),
        (HOUR + 30_000, "first", "severity=warning"),
    ]


def test_a_revision_delivered_twice_or_late_changes_nothing():
    """A consumer orders by revision: an older one, or one of a resolved escalation, is passed over."""
    line = Timeline().add(0, escalation("e")).until(MINUTE)
    line.add(MINUTE, resolved("e", 3)).add(MINUTE, escalation("e", 2)).add(MINUTE, escalation("e")).until(HOUR)
    assert line.said() == [(30_000, "first", 1), (5 * MINUTE + 30_000, "resolved", 0)]


def test_a_resolved_record_that_has_lost_its_subject_still_closes_its_group():
    """After a split a last revision may have neither topic nor channel."""
    line = Timeline().add(0, escalation("e")).until(MINUTE)
    line.add(MINUTE, resolved("e", topic=None, channel=None)).until(HOUR)
    assert line.said()[-1][1:] == ("resolved", 0)


@pytest.mark.parametrize("group_by", [[], ["kind", "topic", "channel"], ["topic", "public", "role"]])
def test_group_keys_are_bounded_and_tell_groups_apart(group_by):
    """A key has 1 to 255 characters, and long topics with the same beginning do not share one."""
    line = Timeline(policy(notify={"group_by": group_by}))
    line.add(0, escalation("a", topic="x" * 400 + "a")).add(0, escalation("b", topic="x" * 400 + "b"))
    line.add(0, escalation("c", topic="a/channel=b", channel=None)).until(MINUTE)
    keys = [record["group_key"] for _, record in line.sent]
    assert all(1 <= len(key) <= 255 for key in keys)
    assert len(set(keys)) == (3 if group_by else 1)
