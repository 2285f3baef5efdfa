"""Hotspots as timelines (contract, section 6)."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.codec import dumps, loads
from schemas.command import Command
from schemas.escalation import validate_escalation
from schemas.times import HOUR, MINUTE, format_time
from streams.hotspot_topic import Told
from streams.hotspots import Hotspots
from streams.policy import Policy
from streams.storm_addresses import Addresses, Envelope
from tests.notifications.records import escalation, policy, resolved

T0 = 1_780_000_000_000
THREE = policy(hotspots={"customers": 3, "window": "1h"})


class Timeline:
    """Feeds revisions at their times and wakes the hotspots when they ask for that."""

    def __init__(self, rules: Policy = THREE) -> None:
        self.rules = rules
        self.addresses = Addresses()
        self.hotspots = Hotspots()
        self.pages: list[Envelope] = []
        self.sent: list[dict[str, Any]] = []

    def until(self, at: int) -> "Timeline":
        """Let time pass up to `at` ms after the start."""
        while (due := self.hotspots.next_wake) is not None and due <= T0 + at:
            self.take(self.hotspots.wake(due, self.rules))
        return self

    def add(self, at: int, record: dict[str, Any]) -> "Timeline":
        """A revision at `at` ms after the start."""
        self.until(at - 1)
        record = record | {"detected_at": format_time(T0 + at)}
        self.send(at, self.addresses.take(record, self.rules))
        self.hotspots = Hotspots.decode(loads(dumps(self.hotspots.encode())))
        return self

    def send(self, at: int, envelopes: list[Envelope]) -> None:
        """What senders have for the topics."""
        for to, key, message in envelopes:
            if to == "topic":
                self.take(self.hotspots.observe(key, message, self.rules, T0 + at))

    def change(self, at: int, rules: Policy) -> "Timeline":
        """Another policy takes effect."""
        self.rules = rules
        self.take(self.hotspots.wake(T0 + at, rules))
        return self

    def command(self, at: int, action: str, **more: Any) -> list[dict[str, Any]] | None:
        """A command on the newest hotspot."""
        self.until(at - 1)
        record = {"id": f"{action}{at}", "at": format_time(T0 + at), "customer_id": "nobody", "by": "lead"} | more
        record = {"escalation_id": self.sent[-1]["escalation_id"], "action": action} | record
        told = self.hotspots.command(Command.model_validate(record), self.rules, T0 + at)
        if told is None:
            return None
        self.take(told)
        return told.records

    def take(self, told: Told) -> None:
        for record in told.records:
            validate_escalation(record)
        self.sent += told.records
        self.pages += told.pages

    def said(self) -> list[tuple[str, int, str]]:
        """(change, revision, status) of each."""
        return [(record["change"], record["revision"], record["status"]) for record in self.sent]


def three(line: Timeline | None = None) -> Timeline:
    """Three customers with an error on billing, ten minutes apart."""
    line = line or Timeline()
    for number in range(3):
        line.add(number * 10 * MINUTE, escalation(f"e{number}", at=T0 - number))
    return line


def test_a_topic_with_enough_customers_opens_one_hotspot():
    """It names how many, by which channels and since when; ends when fewer have one open; both are one escalation."""
    line = three().add(21 * MINUTE, escalation("e3", channels=["email"]))
    opened = line.sent[0]
    assert len(line.sent) == 1
    assert opened["kind"] == "hotspot"
    assert (opened["severity"], opened["topic"], opened["status"]) == ("error", "billing", "open")
    assert opened["evidence"] == ["e0", "e1", "e2"]
    assert opened["detected_at"] == format_time(T0 + 20 * MINUTE)
    assert opened["first_contact_at"] == format_time(T0 - 2)
    assert "customer_id" not in opened
    for word in ("3 customers", "billing", "phone", "e2", "since 28 May 20:26"):
        assert word in opened["summary"]
    line.add(30 * MINUTE, resolved("e0"))
    assert len(line.sent) == 1
    line.add(31 * MINUTE, resolved("e3"))
    assert line.said() == [("opened", 1, "open"), ("resolved", 2, "resolved")]
    assert line.sent[1]["escalation_id"] == opened["escalation_id"]
    assert line.sent[1]["reason"] == "no_longer_holds"
    assert line.sent[1]["evidence"] == ["e0", "e1", "e2"]
    assert "4 at its height" in line.sent[1]["summary"]


def test_it_opens_within_the_window_only_but_lasts_longer():
    """Two old errors and a new one are no hotspot; an open hotspot does not end with its window."""
    line = Timeline()
    for number, at in enumerate((0, 30 * MINUTE, HOUR + 1)):
        line.add(at, escalation(f"e{number}"))
    assert line.sent == []
    line.add(90 * MINUTE, escalation("e3"))
    assert line.said() == [("opened", 1, "open")]
    line.add(9 * HOUR, resolved("e0")).until(20 * HOUR)
    assert len(line.sent) == 1


def test_the_end_of_the_window_still_counts():
    """An escalation exactly one window old is within it."""
    line = Timeline().add(0, escalation("a")).add(1, escalation("b")).add(HOUR, escalation("c"))
    assert line.said() == [("opened", 1, "open")]


def test_it_is_customers_that_count():
    """Several escalations of one customer count once; so do two customers that turn out to be one."""
    line = Timeline()
    for number in range(5):
        line.add(number, escalation(f"e{number}", customer_id="cus_1"))
    assert line.sent == []
    line.add(10, escalation("x", customer_id="cus_2")).add(11, escalation("y", customer_id="cus_3"))
    assert line.said() == [("opened", 1, "open")]
    line.add(12, escalation("y", 2, customer_id="cus_2"))
    assert line.said()[1:] == [("resolved", 2, "resolved")]


def test_a_merged_escalation_no_longer_counts():
    """On a merge one of two escalations is resolved, the other moves to the customer that survives."""
    line = three()
    line.add(HOUR, resolved("e1") | {"reason": "merged", "merged_into": "e0"})
    assert line.said()[-1] == ("resolved", 2, "resolved")


@pytest.mark.parametrize(
    "changes", [{"severity": "warning"}, {"backfilled": True}, {"topic": None}, {"kind": "hotspot"}, {"topic": "other"}]
)
def test_what_does_not_count(changes):
    """Warnings, backfilled escalations, hotspots and other topics do not count."""
    line = Timeline().add(0, escalation("a")).add(1, escalation("b")).add(2, escalation("c", **changes))
    assert line.sent == []


def test_a_raise_counts_from_when_it_came():
    """A warning raised to error within the window counts, and so does an old error raised to critical."""
    line = Timeline().add(0, escalation("a", severity="warning")).add(0, escalation("b"))
    line.add(3 * HOUR, escalation("a", 2)).add(3 * HOUR, escalation("c"))
    assert line.sent == []
    line.add(3 * HOUR + 1, escalation("b", 2, severity="critical"))
    assert line.said() == [("opened", 1, "open")]


def test_a_topic_learned_later_counts_then():
    """An escalation that moves to another topic leaves the one and joins the other."""
    line = three().add(HOUR, escalation("e1", 2, topic="refund"))
    assert line.said()[-1] == ("resolved", 2, "resolved")
    line.add(HOUR + 1, escalation("r", topic="refund")).add(HOUR + 2, escalation("s", topic="refund"))
    assert (line.sent[-1]["change"], line.sent[-1]["topic"]) == ("opened", "refund")


def test_the_next_hotspot_of_a_topic_is_another_one():
    """A resolved escalation is final: the next has an id of its own and names the one before."""
    line = three().add(2 * HOUR, resolved("e0")).add(2 * HOUR, escalation("e4"))
    assert [record["change"] for record in line.sent] == ["opened", "resolved"]  # e1 and e2 were opened too long ago
    line.add(121 * MINUTE, escalation("e5")).add(122 * MINUTE, escalation("e6"))
    ids = [record["escalation_id"] for record in line.sent]
    assert line.sent[2]["previous"] == ids[0] == ids[1] != ids[2]


def test_ladders_acknowledgement_and_suppression_are_those_of_any_escalation():
    """It climbs its ladder until somebody acknowledges it, and goes on climbing after the timeout."""
    rules = policy(
        hotspots={"customers": 3},
        ladders={"error": [{"after": "15m", "role": "lead"}, {"after": "1h", "role": "head"}]},
        roles={"lead": {"contact": "pagerduty:P1"}, "head": {}},
        ack_timeout="30m",
    )
    line = three(Timeline(rules)).until(35 * MINUTE)
    assert line.said() == [("opened", 1, "open"), ("raised", 2, "open")]
    assert line.sent[0]["route"] == {"role": "unassigned"}
    assert line.sent[1]["route"] == {"role": "lead", "contact": "pagerduty:P1"}
    line.command(40 * MINUTE, "acknowledge")
    assert line.sent[-1]["time_to_acknowledge_s"] == 20 * 60
    line.until(70 * MINUTE)
    assert line.said()[2:] == [("acknowledged", 3, "acknowledged"), ("updated", 4, "open")]
    line.until(6 * HOUR)
    assert (line.sent[-1]["change"], line.sent[-1]["level"]) == ("raised", 2)
    line.command(6 * HOUR, "suppress", until=format_time(T0 + 7 * HOUR))
    line.until(8 * HOUR)
    assert line.said()[5:] == [("suppressed", 6, "suppressed"), ("unsuppressed", 7, "open")]


def test_resolved_by_command_it_opens_again_only_when_it_has_ceased():
    """After a resolve command more customers of the same storm open nothing."""
    line = three()
    line.command(HOUR, "resolve")
    line.add(HOUR, escalation("e4")).add(HOUR + 1, escalation("e5"))
    assert line.said() == [("opened", 1, "open"), ("resolved", 2, "resolved")]
    assert line.sent[-1]["reason"] == "command"
    assert line.command(HOUR + 2, "acknowledge") is None
    for number in (0, 1, 2):
        line.add(HOUR + 3, resolved(f"e{number}"))
    line.add(HOUR + 4, escalation("e6"))
    assert line.said()[2:] == [("opened", 1, "open")]


def test_another_policy_is_compared_at_once():
    """A higher limit ends a hotspot with reason policy_change; a lower one opens it, its window looked at again."""
    line = three()
    line.change(HOUR, policy("2", hotspots={"customers": 4}))
    assert (line.sent[-1]["change"], line.sent[-1]["reason"]) == ("resolved", "policy_change")
    line.change(2 * HOUR, policy("3", hotspots={"customers": 2, "window": "5h"}))
    assert line.said()[-1] == ("opened", 1, "open")


def test_a_revision_seen_before_changes_nothing():
    """A resolved escalation that is delivered again does not count again."""
    line = three().add(HOUR, resolved("e0"))
    line.add(HOUR, escalation("e0"))
    assert len(line.sent) == 2


moves = st.tuples(
    st.integers(0, 7),
    st.integers(0, 40),
    st.sampled_from(["open", "acknowledged", "resolved"]),
    st.sampled_from(["warning", "error", "critical"]),
    st.sampled_from([None, "a", "b"]),
    st.integers(0, 4),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(moves, max_size=40))
def test_at_any_time_a_hotspot_is_open_where_it_should_be(steps):
    """Against a plain oracle: opened by enough within the window, ended by too few; revisions without gaps."""
    line, now = Timeline(), 0
    cases: dict[str, tuple[str, str, int, int]] = {}
    revisions: dict[str, int] = {}
    hot: dict[str, bool] = {}
    ranks = {"warning": 0, "error": 1, "critical": 2}
    for number, gap, status, severity, topic, customer in steps:
        now += gap * MINUTE
        id_ = f"e{number}.{sum(1 for key in revisions if key.startswith(f'e{number}.'))}"
        current = next((key for key in revisions if key.startswith(f"e{number}.") and revisions[key] > 0), id_)
        revisions[current] = revisions.get(current, 0) + 1
        customer_id = f"c{customer}"
        record = escalation(current, revisions[current], status=status, severity=severity, topic=topic)
        line.add(now, record | {"customer_id": customer_id})
        old = cases.pop(current, None)
        if status == "resolved":
            revisions[current] = -1
        elif topic and severity != "warning":
            at = now if old is None or ranks[severity] > old[3] else old[2]
            cases[current] = (topic, customer_id, at, ranks[severity])
        for name in ("a", "b"):
            mine = [case for case in cases.values() if case[0] == name]
            if len({case[1] for case in mine}) < 3:
                hot[name] = False
            elif len({case[1] for case in mine if case[2] >= now - HOUR}) >= 3:
                hot[name] = True
        standing = dict.fromkeys(("a", "b"), False)
        for said in line.sent:
            standing[said["topic"]] = said["status"] != "resolved"
        assert standing == {name: hot.get(name, False) for name in ("a", "b")}
    by_id: dict[str, list[int]] = {}
    for said in line.sent:
        by_id.setdefault(said["escalation_id"], []).append(said["revision"])
    assert all(found == list(range(1, len(found) + 1)) for found in by_id.values())
