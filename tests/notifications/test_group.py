"""One group as it is stored: silences by matcher, limits, and what it remembers."""

import pytest

from schemas.codec import dumps, loads
from schemas.notification import validate_notification
from schemas.times import DAY, HOUR, MINUTE, format_time
from streams.notification_group import MEMBERS_MAX, NotificationGroup
from streams.storm_addresses import Addresses
from streams.storm_message import Beside
from streams.storm_seen import SEEN_MAX
from tests.aggregates.in_two import InTwo
from tests.notifications.records import escalation, policy, resolved
from tests.notifications.test_notifications import T0, Timeline

BESIDE = Beside(priority="high", difficulty="hard", tier="gold", team="cards", attempts=2)
PLAIN = {"kind": "history", "metric": None, "patterns": ["ignored", "went_public"], "public": True, "contacts": 3}


@pytest.mark.parametrize(
    "when",
    [
        {"channel": "phone"},
        {"topic": ["billing", "x"]},
        {"kind": "history"},
        {"severity": "error"},
        {"min_severity": "warning"},
        {"pattern": ["went_public", "lapsed"]},
        {"public": True},
        {"tier": "gold"},
        {"team": "cards"},
        {"priority": ["high", "urgent"]},
        {"difficulty": "hard"},
        {"level": 0},
        {"min_contacts": 3},
        {"min_attempts": 2},
        {"channel": "phone", "tier": "gold", "pattern": "ignored"},
    ],
)
def test_a_silence_matches_by_what_is_known_of_an_escalation(when):
    """In a maintenance window it is recorded and not paged; when the window ends, what is open pages."""
    silence = {"when": when, "from": format_time(T0), "until": format_time(T0 + HOUR), "reason": "maintenance"}
    line = Timeline(policy(silences=[silence])).add(0, escalation("e", **PLAIN), BESIDE).until(2 * HOUR)
    assert line.said() == [(HOUR, "first", 1)]


@pytest.mark.parametrize(
    "when",
    [
        {"channel": "chat"},
        {"kind": ["sla", "hotspot"]},
        {"metric": "resolution"},
        {"severity": ["warning", "critical"]},
        {"min_severity": "critical"},
        {"pattern": "lapsed"},
        {"public": False},
        {"team": "loans"},
        {"min_level": 1},
        {"min_contacts": 4},
        {"min_attempts": 3},
        {"channel": "phone", "tier": "silver"},
    ],
)
def test_a_silence_that_does_not_match_silences_nothing(when):
    """All of its conditions must hold, and what is not there fulfils none."""
    silence = {"when": when, "from": format_time(T0), "until": format_time(T0 + HOUR)}
    line = Timeline(policy(silences=[silence])).add(0, escalation("e", **PLAIN), BESIDE).until(HOUR)
    assert line.said() == [(30_000, "first", 1)]


def test_what_grows_out_of_a_silence_pages():
    """Silenced as an error, it pages group_wait after it has become critical, long before the silence ends."""
    silence = {"when": {"severity": "error"}, "from": format_time(T0), "until": format_time(T0 + 8 * HOUR)}
    rules = policy(silences=[silence], notify={"group_by": []})
    line = Timeline(rules).add(0, escalation("e")).add(0, escalation("f")).until(HOUR)
    line.add(HOUR, escalation("e", 2, severity="critical")).until(2 * HOUR)
    assert line.said() == [(HOUR + 30_000, "first", 1)]


def crowd(first: int, last: int, group: NotificationGroup, **changes: object) -> list:
    """So many escalations join at T0."""
    sent = []
    for number in range(first, last):
        (envelope,) = [
            e for e in Addresses().take(escalation(f"esc_{number:024}", **changes), policy()) if e.to == "group"
        ]
        sent += group.observe(envelope.message, policy(), T0)
    return sent


def test_a_group_larger_than_is_kept_still_pages_counts_and_ends():
    """Beyond the limit escalations are counted, page as any other, and the group ends when they have gone too."""
    rules = policy()
    group = NotificationGroup("g")
    crowd(0, MEMBERS_MAX, group)
    assert group.wake(T0 + 30_000, rules)[0]["count"] == MEMBERS_MAX
    for _ in range(2):  # delivered twice
        crowd(MEMBERS_MAX, MEMBERS_MAX + 300, group, severity="critical")
    assert len(dumps(group.encode())) < 256 * 1024
    group = NotificationGroup.decode(loads(dumps(group.encode())))
    assert group.next_wake == T0 + 30_000 + 5 * MINUTE
    (note,) = group.wake(group.next_wake, rules)
    validate_notification(note)
    assert (note["change"], note["count"], note["severity"]) == ("more", MEMBERS_MAX + 300, "critical")
    assert group.seen.beyond_ever == 300
    for number in range(MEMBERS_MAX + 300):
        gone = {"id": f"esc_{number:024}", "revision": 2, "turn": 0, "gone": True}
        group.observe(gone, rules, T0 + HOUR)
    assert (group.seen.beyond, len(group.members)) == (0, 0)
    assert [note["change"] for note in group.wake(T0 + HOUR, rules)] == ["resolved"]


def test_those_counted_twice_are_let_go_after_a_day_of_silence():
    """A crowd that was counted too high by messages that came twice does not repeat for ever."""
    group = NotificationGroup("g")
    crowd(0, MEMBERS_MAX, group)
    crowd(MEMBERS_MAX, MEMBERS_MAX + SEEN_MAX + 5, group)
    crowd(MEMBERS_MAX, MEMBERS_MAX + 5, group)  # long forgotten, and so counted again
    assert group.seen.beyond == SEEN_MAX + 10
    rules, sent = policy(), []
    for number in range(MEMBERS_MAX + SEEN_MAX + 5):
        sent += group.observe({"id": f"esc_{number:024}", "revision": 2, "turn": 0, "gone": True}, rules, T0 + HOUR)
    assert group.seen.beyond == 5
    while group.next_wake is not None and group.next_wake < T0 + 9 * DAY:
        sent += group.wake(group.next_wake, rules)
    assert sent[-1]["change"] == "resolved"
    assert sent[-1]["at"] <= format_time(T0 + HOUR + DAY + 4 * HOUR)


def test_a_group_that_has_nothing_to_say_may_be_forgotten_after_a_day():
    """As long as an older message may come late, it remembers what has gone; then its state may be deleted."""
    line = Timeline().add(0, escalation("e")).add(MINUTE, resolved("e")).until(HOUR)
    (group,) = line.notifier._groups.values()
    assert not group.spent(T0 + HOUR)
    assert group.spent(T0 + MINUTE + DAY)


def test_an_overdue_page_is_sent_with_the_next_message():
    """A caller that did not wake it loses nothing."""
    line = Timeline()
    line.add(0, escalation("a"))
    message = Addresses().take(escalation("b"), line.rules)[-1].message
    sent = line.notifier.observe("kind=sla/topic=billing/channel=phone", message, line.rules, T0 + HOUR)
    assert [(n["change"], n["count"], n["at"]) for n in sent] == [("first", 1, format_time(T0 + HOUR))]


def test_a_state_of_a_newer_version_is_refused():
    """A downgrade says so, and does not guess."""
    with pytest.raises(ValueError, match="newer"):
        NotificationGroup.decode(NotificationGroup("g").encode() | {"v": 3})


def test_one_that_left_and_came_back_unnoticed_is_called_anew():
    """The message that it had left comes last: what came back is not the one that had been paged."""
    rules, addresses, group = policy(), Addresses(), NotificationGroup("g")
    lives = [escalation("e", 1, T0), escalation("e", 2, T0 + HOUR, severity="warning"), escalation("e", 3, T0 + HOUR)]
    joined, left, back = [next(e.message for e in addresses.take(record, rules) if e.to == "group") for record in lives]
    group.observe(joined, rules, T0)
    assert [note["change"] for note in group.wake(T0 + 30_000, rules)] == ["first"]
    group.observe(back, rules, T0 + HOUR)
    group.observe(left, rules, T0 + HOUR)
    assert group.next_wake == T0 + HOUR  # nothing that was paged stands: there is something to be said
    assert [(note["change"], note["count"]) for note in group.wake(group.next_wake, rules)] == [("more", 1)]


def test_what_policies_change_is_among_what_has_changed_since_all_was_stored():
    """Who waited for the end of a silence, and who is to be told again when paging is on again."""
    silence = {"when": {"severity": "error"}, "from": format_time(T0), "until": format_time(T0 + 8 * HOUR)}
    group = NotificationGroup("g")
    crowd(0, 3, group)
    stored = InTwo(group)
    for minute, rules in enumerate(
        (
            policy("silent", silences=[silence]),
            policy("loud"),
            policy("loud"),
            policy("off", notify={"paging": False, "reason": "drill"}),
            policy("on"),
            policy("on"),
        )
    ):
        now = T0 + (minute + 1) * 6 * MINUTE
        for step in (group.follow, lambda rules, now: group.wake(now, rules)):
            step(rules, now)
            stored.write(group, whole=False)
            stored.write(group, whole=True)
        if rules.version == "off":
            (come,) = (e for e in Addresses().take(escalation("esc_late"), rules) if e.to == "group")
            group.observe(come.message, rules, now)
            stored.write(group, whole=True)
    assert group.paged
