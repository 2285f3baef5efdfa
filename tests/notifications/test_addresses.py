"""What the senders of a storm say, and to whom."""

import pytest

from schemas.codec import dumps, loads
from schemas.times import format_time
from streams.storm_addresses import Addresses
from streams.storm_message import Beside
from tests.notifications.records import escalation, policy, resolved

RULES = policy()
BILLING = "kind=sla/topic=billing/channel=phone"


def told(envelopes):
    """(to, key, revision, turn, gone) of each."""
    return [(e.to, e.key, e.message["revision"], e.message["turn"], "gone" in e.message) for e in envelopes]


def test_a_message_holds_no_identity_no_text_and_no_timeline():
    """What goes to another partition is what groups, silences and hotspots ask for."""
    record = escalation("e") | {
        "identities": [{"type": "email", "value": "kim@example.com"}],
        "timeline": [{"id": "x", "excerpt": "my secret"}],
        "clock": {"clock_id": "c"},
        "evidence": ["x"],
        "summary": "s" * 900,
    }
    for envelope in Addresses().take(record, RULES, Beside(tier="gold")):
        raw = dumps(envelope.message)
        assert b"kim" not in raw
        assert b"secret" not in raw
        assert not envelope.message.keys() & {"timeline", "identities", "clock", "evidence", "threads"}
        assert envelope.message["tier"] == "gold"
        assert len(raw) < 1024


def test_it_goes_to_its_group_and_its_topic_and_leaves_both():
    """The last revision is told wherever the escalation was."""
    addresses = Addresses()
    assert told(addresses.take(escalation("e"), RULES)) == [
        ("topic", "billing", 1, 0, False),
        ("group", BILLING, 1, 0, False),
    ]
    assert told(addresses.take(resolved("e"), RULES)) == [
        ("topic", "billing", 2, 0, True),
        ("group", BILLING, 2, 0, True),
    ]
    assert len(addresses) == 0


def test_a_step_of_the_ladder_is_not_told_to_the_topic():
    """A topic hears what changes its count or its picture; a group hears every revision."""
    addresses = Addresses()
    addresses.take(escalation("e"), RULES)
    assert [e.to for e in addresses.take(escalation("e", 2, level=1, change="raised"), RULES)] == ["group"]
    assert [e.to for e in addresses.take(escalation("e", 3, contacts=2), RULES)] == ["topic", "group"]


def test_a_topic_learned_later_is_a_leave_and_a_join():
    """The old group and the old topic hear that it has gone."""
    addresses = Addresses()
    addresses.take(escalation("e"), RULES)
    refund = BILLING.replace("billing", "refund")
    assert told(addresses.take(escalation("e", 2, topic="refund"), RULES)) == [
        ("topic", "billing", 2, 0, True),
        ("group", BILLING, 2, 0, True),
        ("topic", "refund", 2, 0, False),
        ("group", refund, 2, 0, False),
    ]


@pytest.mark.parametrize("change", [{"severity": "warning"}, {"backfilled": True}])
def test_what_pages_nobody_goes_nowhere(change):
    """Not severe enough, or over before it was noticed."""
    assert Addresses().take(escalation("e", **change), RULES) == []


def test_what_falls_below_the_minimum_leaves():
    """It may come back, and is called again then."""
    addresses = Addresses()
    addresses.take(escalation("e"), RULES)
    assert told(addresses.take(escalation("e", 2, severity="warning"), RULES)) == [
        ("topic", "billing", 2, 0, True),
        ("group", BILLING, 2, 0, True),
    ]
    assert [e.message["came"] for e in addresses.take(escalation("e", 3), RULES)] == [(3, 0), (3, 0)]


def test_another_policy_moves_what_says_nothing_new():
    """Grouped by something else, each is told to leave and to join, within its revision; asked again, nothing is."""
    addresses = Addresses()
    addresses.follow(RULES)
    addresses.take(escalation("e"), RULES)
    addresses.take(escalation("w", severity="warning"), RULES)
    other = policy("2", notify={"group_by": ["severity"], "min_severity": "warning"})
    addresses = Addresses.decode(loads(dumps(addresses.encode())))
    assert told(addresses.follow(other)) == [
        ("group", BILLING, 1, 1, True),
        ("group", "severity=error", 1, 1, False),
        ("group", "severity=warning", 1, 1, False),
    ]
    assert addresses.follow(other) == []
    assert addresses.follow(policy("3", notify={"group_by": ["severity"], "min_severity": "warning"})) == []
    assert told(addresses.follow(RULES))[:2] == [
        ("group", "severity=error", 1, 2, True),
        ("group", BILLING, 1, 2, False),
    ]


def test_a_revision_taken_twice_says_nothing():
    """A sender repeats what it has stored, not what it makes anew."""
    addresses = Addresses()
    addresses.take(escalation("e", 2), RULES)
    assert addresses.take(escalation("e", 2), RULES) == []
    assert addresses.take(escalation("e", 1), RULES) == []


def test_calls_are_counted_by_the_sender():
    """Come, worse, open again after somebody had it: three calls. A step of the ladder is none."""
    addresses = Addresses()
    lives = [
        escalation("e"),
        escalation("e", 2, level=1, change="raised"),
        escalation("e", 3, severity="critical"),
        escalation("e", 4, severity="critical", status="acknowledged"),
        escalation("e", 5, severity="critical"),
        escalation("e", 6, severity="error"),
        escalation("e", 7, severity="critical"),
    ]
    rings = [addresses.take(record, RULES)[-1].message["ring"] for record in lives]
    assert rings == [1, 1, 2, 2, 3, 3, 3]


def test_it_is_hot_since_it_rose_and_not_since_it_moved():
    """What a hotspot's window asks for: when it became error, or critical rather than error."""
    addresses = Addresses()
    at = [1_780_000_000_000 + 1000 * number for number in range(5)]
    lives = [
        escalation("e", 1, severity="warning"),
        escalation("e", 2),
        escalation("e", 3, topic="refund"),
        escalation("e", 4, topic="refund", severity="critical"),
    ]
    hot = []
    for number, record in enumerate(lives):
        sent = addresses.take(record | {"detected_at": format_time(at[number])}, RULES)
        hot += [e.message["hot_at"] for e in sent if e.to == "topic" and "gone" not in e.message]
    assert hot == [at[1], at[1], at[3]]


def test_addresses_merge_and_part_with_their_escalations():
    """The surviving customer goes on where the other was; a part takes what is its own."""
    mine, other = Addresses(), Addresses()
    mine.take(escalation("a"), RULES)
    other.take(escalation("b"), RULES)
    mine.absorb(other)
    assert [e.to for e in mine.take(resolved("b"), RULES)] == ["topic", "group"]
    mine.take(escalation("c"), RULES)
    part = mine.part(["c", "unknown"])
    assert (len(mine), len(part)) == (1, 1)
    assert part.take(resolved("c"), RULES)
    assert mine.take(resolved("c"), RULES) == []


def test_a_state_of_a_newer_version_is_refused():
    """A downgrade says so, and does not guess."""
    with pytest.raises(ValueError, match="newer"):
        Addresses.decode(Addresses().encode() | {"v": 2})
