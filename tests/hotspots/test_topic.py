"""One topic as it is stored: disorder, limits, and what it remembers."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.codec import dumps, loads
from schemas.command import Command
from schemas.times import DAY, MINUTE, format_time
from streams.hotspot_cases import CASES_MAX
from streams.hotspot_record import snapshot
from streams.hotspot_topic import HotspotTopic
from streams.policy import EscalationFacts
from streams.storm_addresses import Addresses
from streams.storm_message import Beside, facts_of
from tests.aggregates.in_two import InTwo
from tests.hotspots.test_hotspots import THREE, three
from tests.notifications.records import escalation, policy, resolved

T0 = 1_780_000_000_000
LADDER = policy(
    hotspots={"customers": 3},
    ladders={"error": [{"after": "20m", "role": "lead"}]},
    routes=[{"when": {"kind": "hotspot", "min_contacts": 3}, "role": "duty"}, {"role": "desk"}],
)

moves = st.lists(
    st.tuples(
        st.integers(0, 7),
        st.sampled_from([0, 0, 1, 10, 40]),  # minutes since the move before
        st.sampled_from(["open", "open", "acknowledged", "resolved"]),
        st.sampled_from(["error", "critical", "warning"]),
        st.integers(0, 4),
    ),
    max_size=40,
)


def batches(steps):
    """The messages for the topic, those of one instant together."""
    addresses, revisions, lives, found, now = Addresses(), {}, {}, [], T0
    for which, gap, status, severity, customer in steps:
        now += gap * MINUTE
        id_ = f"e{which}.{lives.get(which, 0)}"
        revisions[id_] = revisions.get(id_, 0) + 1
        lives[which] = lives.get(which, 0) + (status == "resolved")
        record = escalation(id_, revisions[id_], now, status=status, severity=severity, customer_id=f"c{customer}")
        sent = [e.message for e in addresses.take(record, LADDER) if e.to == "topic"]
        if found and found[-1][0] == now:
            found[-1][1].extend(sent)
        else:
            found.append((now, sent))
    return found


def play(storm, chance=None):
    """All revisions that are said, and all messages for groups; `chance`: doubled, late, after crashes, restarted.

    At each instant what counts is what holds at its end; so the messages of one instant are told apart by a batch.
    """
    topic, records, pages, came = HotspotTopic("billing"), [], [], []
    store = InTwo(topic)
    for now, messages in storm:
        topic = pass_time(topic, now - 1, records, pages)
        store.write(topic, whole=False)
        batch = list(messages)
        if chance is not None:
            batch += chance.choices(batch, k=2) if batch else []
            batch += chance.choices(came, k=3) if came else []
        told = [topic.observe(message, LADDER, now) for message in batch]
        if chance is not None and chance.random() < 0.3:  # a crash before anything was written: all of it again
            topic = store.read()
            told = [topic.observe(message, LADDER, now) for message in batch]
        records += [record for each in told for record in each.records]
        pages += [page for each in told for page in each.pages]
        came += messages
        store.write(topic, whole=chance is not None and chance.random() < 0.2)
        if chance is not None:
            topic = store.read()
    pass_time(topic, (storm[-1][0] if storm else T0) + DAY, records, pages)
    return records, pages


def pass_time(topic, until, records, pages):
    while topic.next_wake is not None and topic.next_wake <= until:
        told = topic.wake(topic.next_wake, LADDER)
        records += told.records
        pages += told.pages
    return topic


@settings(max_examples=200, deadline=None)
@given(moves, st.integers(0, 2**32))
def test_messages_that_come_twice_or_late_and_crashes_change_nothing(steps, seed):
    """The same revisions with the same content, and the same messages for the groups."""
    storm = batches(steps)
    assert play(storm, random.Random(seed)) == play(storm)


@settings(max_examples=200, deadline=None)
@given(moves, st.integers(0, 2**32))
def test_the_order_within_an_instant_does_not_change_what_stands(steps, seed):
    """Shuffled within each instant: after each, the hotspot stands or not as it would have."""
    chance, storm = random.Random(seed), batches(steps)
    plain, shuffled = HotspotTopic("billing"), HotspotTopic("billing")
    for now, messages in storm:
        for message in messages:
            plain.observe(message, LADDER, now)
        for message in chance.sample(messages, k=len(messages)):
            shuffled.observe(message, LADDER, now)
        assert shuffled.cases.by_id == plain.cases.by_id
        least = plain.cases.customers >= 3
        assert least or (plain.standing is None and shuffled.standing is None)


def messages_of(numbers, revision=1, known=None, **changes):
    for number in numbers:
        (envelope,) = [
            e
            for e in Addresses().take(escalation(f"esc_{number:024}", revision, T0, **changes), THREE, known)
            if e.to == "topic"
        ]
        yield envelope.message


def test_a_storm_larger_than_is_kept_is_counted_and_ends():
    """More escalations than are kept one by one: still one hotspot, which lasts until fewer than enough are left."""
    topic = HotspotTopic("billing")
    records = []
    for _ in range(2):  # delivered twice
        for message in messages_of(range(CASES_MAX + 500)):
            records += topic.observe(message, THREE, T0).records
    topic = HotspotTopic.decode(loads(dumps(topic.encode())))
    assert len(dumps(topic.encode())) < 512 * 1024
    assert (len(records), topic.cases.customers, topic.cases.seen.beyond_ever) == (1, CASES_MAX + 500, 500)
    for number in range(CASES_MAX + 497):
        gone = {"id": f"esc_{number:024}", "revision": 2, "turn": 0, "gone": True}
        records += topic.observe(gone, THREE, T0).records
    assert len(records) == 1
    records += topic.observe(
        {"id": f"esc_{CASES_MAX + 498:024}", "revision": 2, "turn": 0, "gone": True}, THREE, T0
    ).records
    assert [record["change"] for record in records] == ["opened", "resolved"]


def test_a_hotspot_pages_as_any_escalation():
    """Its own revisions go to its group, with what silences ask for; the last one leaves it."""
    line = three()
    (page,) = line.pages
    assert (page.to, page.key) == ("group", "kind=hotspot/topic=billing/channel=")
    facts = facts_of(page.message)
    assert facts == EscalationFacts(
        topic="billing", public=False, kind="hotspot", severity="error", level=0, contacts=3
    )
    line.add(30 * MINUTE, resolved("e0"))
    assert line.pages[1].message == {"id": line.sent[0]["escalation_id"], "revision": 2, "turn": 0, "gone": True}
    line = three()
    line.change(MINUTE, policy("2", hotspots={"customers": 3}, notify={"group_by": ["kind"]}))
    assert [(p.key, "gone" in p.message) for p in line.pages[1:]] == [
        ("kind=hotspot/topic=billing/channel=", True),
        ("kind=hotspot", False),
    ]


def test_routes_may_ask_for_hotspots():
    """By kind, severity, topic, public and how many contacts there were."""
    topic = HotspotTopic("billing")
    records = [r for m in messages_of(range(3)) for r in topic.observe(m, LADDER, T0).records]
    assert records[0]["route"] == {"role": "duty"}
    told = topic.wake(topic.next_wake, LADDER)
    assert told.records[0]["route"] == {"role": "lead"}


def test_a_command_acts_once_and_on_its_own_topic_only():
    """Delivered twice, or to a topic whose hotspot it does not name, it changes nothing."""
    topic = HotspotTopic("billing")
    (opened,) = [r for m in messages_of(range(3)) for r in topic.observe(m, THREE, T0).records]
    order = {"id": "c1", "at": format_time(T0), "customer_id": "x", "by": "lead", "action": "acknowledge"}
    command = Command.model_validate(order | {"escalation_id": opened["escalation_id"]})
    assert [r["status"] for r in topic.command(command, THREE, T0 + 1).records] == ["acknowledged"]
    topic = HotspotTopic.decode(loads(dumps(topic.encode())))
    assert topic.command(command, THREE, T0 + 2) == ([], [])
    assert HotspotTopic("refund").command(command, THREE, T0 + 3) is None
    again = topic.command(command.model_copy(update={"id": "c2"}), THREE, T0 + 9 * MINUTE).records[0]
    assert again["time_to_acknowledge_s"] == 0.001


def phoned_and_wrote():
    """A topic with three customers, of whom one wrote as well; and what it says."""
    topic = HotspotTopic("billing")
    records = []
    for number, made in enumerate(({"phone": 2}, {"phone": 3, "email": 2}, {"phone": 1})):
        values = {"channels": list(made), "contacts": sum(made.values()), "first_contact_at": format_time(T0 - number)}
        for message in messages_of([number], known=Beside(contacts_by=made), **values):
            records += topic.observe(message, THREE, T0).records
    return topic, records


def test_it_says_which_share_of_the_contacts_each_channel_has():
    """The most used channel first, and the earliest escalation."""
    assert phoned_and_wrote()[1][0]["summary"] == (
        "3 customers have an open error or critical escalation about billing, after 8 contacts by phone 75%, email 25%; "
        f"the earliest since 28 May 20:26 (esc_{2:024})"
    )


def test_the_contacts_of_an_issue_count_once():
    """Two escalations of one issue: its contacts are those that the one which knows of more has."""
    topic, records = HotspotTopic("billing"), []
    for number in range(4):
        issue = min(number, 2)
        made = {"phone": 1} if number < 3 else {"phone": 1, "email": 1}
        known, contacts = Beside(contacts_by=made), sum(made.values())
        values = {"customer_id": f"c{issue}", "issue_id": f"i{issue}", "channels": list(made), "contacts": contacts}
        for message in messages_of([number], known=known, **values):
            records += topic.observe(message, THREE, T0).records
    for message in messages_of([0], 2, status="acknowledged", known=Beside(contacts_by={"phone": 1}), customer_id="c0"):
        topic.observe(message, THREE, T0)
    shown = snapshot(topic.cases.by_id.values())
    assert (shown.contacts, shown.channels, shown.contacts_by) == (4, ("phone", "email"), (3, 1))


def test_a_hotspot_of_the_version_before_is_read():
    """Cases without contacts by channel count on their first channel; what was shown is made anew."""
    stored = phoned_and_wrote()[0].encode()
    stored["cases"]["rows"] = [row[:-1] for row in stored["cases"]["rows"]]
    stored["shown"] = [["phone", "email"], [3, 1], 3, False, 8, format_time(T0 - 2), f"esc_{2:024}"]
    topic = HotspotTopic.decode(loads(dumps(stored | {"v": 2})))
    assert topic.shown is None
    order = {"id": "c", "at": format_time(T0), "customer_id": "x", "escalation_id": topic.standing.id, "by": "sam"}
    told = topic.command(Command.model_validate(order | {"action": "acknowledge"}), THREE, T0)
    assert "after 8 contacts by phone 100%, email 0%;" in told.records[0]["summary"]


def test_a_topic_with_nothing_left_may_be_forgotten():
    """After a day without a hotspot; after thirty days where there was one, for the next to name."""
    topic = HotspotTopic("billing")
    for message in messages_of(range(2)):
        topic.observe(message, THREE, T0)
    assert not topic.spent(T0 + 9 * DAY)
    for number in range(2):
        topic.observe({"id": f"esc_{number:024}", "revision": 2, "turn": 0, "gone": True}, THREE, T0)
    assert not topic.spent(T0 + DAY - 1)
    assert topic.spent(T0 + DAY)
    line = three().add(31 * MINUTE, resolved("e0"))
    for number in (1, 2):
        line.add(32 * MINUTE, resolved(f"e{number}"))
    (topic,) = line.hotspots._topics.values()
    assert not topic.spent(T0 + 30 * DAY)
    assert topic.spent(T0 + 31 * DAY)


def test_a_state_of_a_newer_version_is_refused():
    """A downgrade says so, and does not guess."""
    with pytest.raises(ValueError, match="newer"):
        HotspotTopic.decode(HotspotTopic("x").encode() | {"v": 4})


def test_the_ladder_is_climbed_step_by_step():
    """Each step at its time, also where they are a second apart."""
    rules = policy(hotspots={"customers": 3}, ladders={"error": [{"after": f"{n}s", "role": "lead"} for n in range(3)]})
    topic, said = HotspotTopic("billing"), []
    for message in messages_of(range(3)):
        said += topic.observe(message, rules, T0).records
    while topic.next_wake is not None:
        said += topic.wake(topic.next_wake, rules).records
    assert [(r["change"], r["level"], r["detected_at"]) for r in said] == [
        ("opened", 1, format_time(T0)),
        ("raised", 2, format_time(T0 + 1000)),
        ("raised", 3, format_time(T0 + 2000)),
    ]
