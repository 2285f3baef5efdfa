"""Finding the customer that is meant, and replaying for that customer alone."""

import pytest

from schemas.times import DAY
from streams.explain.inquiry import SeveralCustomersError, UnknownCustomerError, inquire
from streams.replay import Replay
from tests.compare.replayed import POLICY, simulated
from tests.explain.timeline import event, instant, link, policy

LINES = [
    event("e1", "13:00", "contact", "t1"),
    event("e2", "14:00", "contact", "t2", identities=["phone:+12125550100"]),
    event("e3", "14:10", "contact", "p1", channel="social", identities=["handle:lee"]),
    event("e4", "14:20", "contact", "p1", channel="social", identities=["handle:ash"]),
    event("e5", "14:30", "contact", "p2", channel="social", identities=["handle:ash"]),
    link("l1", "15:00", "link", "email:kim@example.com", "phone:+12125550100"),
]


def asked(name: str):
    return inquire(name, policy(), lambda: iter(LINES), instant("08T16:00"))


def test_a_customer_is_found_by_any_of_its_names():
    """By id, former id, identity in any spelling, and private thread: always the same one."""
    kim = asked("email:kim@example.com")
    (alias,) = kim.aliases
    names = [kim.customer.id, alias, "email:KIM@example.com", "phone:+1 212 555 0100", "t1", "thread:t2"]
    assert {asked(name).customer.id for name in names} == {kim.customer.id}


def test_a_public_thread_names_its_speaker_or_says_that_there_are_several():
    """One author of a public thread is found by it; of several the ids are told."""
    assert asked("p2").customer.id == asked("handle:ash").customer.id
    with pytest.raises(SeveralCustomersError) as caught:
        asked("p1")
    assert set(caught.value.customers) == {asked("handle:ash").customer.id, asked("handle:lee").customer.id}


def test_an_unknown_name_tells_what_is_close_to_it():
    """A slip of the pen finds the customer's id; the identity itself is masked."""
    with pytest.raises(UnknownCustomerError) as caught:
        asked("email:kin@example.com")
    assert f"email:k***@example.com ({asked('t1').customer.id})" in caught.value.close
    assert "kim@" not in str(caught.value.close)


def test_nothing_like_it_is_said_plainly():
    """Where nothing is close, nothing is offered."""
    with pytest.raises(UnknownCustomerError, match="no customer, identity or thread 'xyzzy'") as caught:
        asked("xyzzy")
    assert caught.value.close == []


@pytest.mark.parametrize("seed", [4, 5])
def test_a_replay_for_one_says_of_that_one_what_a_replay_for_all_says(seed):
    """Leaving the others out changes no record of the customer who is asked about."""
    lines = simulated(seed, customers=15, days=5)
    until = max(line.arrived_at for line in lines) + DAY
    replay = Replay(POLICY)
    said = [record for outcome in replay.run(lines, until) for record in outcome.escalations]
    for id_ in sorted(replay.population.customers)[:12]:
        customer = replay.population.customers[id_]
        mine = {standing.id for standing in (*customer.emitted.standing, *customer.emitted.closed)}
        answer = inquire(id_, POLICY, lambda: iter(lines), until)
        assert answer.customer.id == id_
        assert answer.records == [record for record in said if record["escalation_id"] in mine]


def test_records_from_before_a_split_are_told():
    """A customer that was told apart from another keeps what was said of its threads."""
    lines = [
        event("e1", "13:00", "contact", "t1", channel="chat"),
        event("e2", "13:10", "contact", "t2", channel="chat", identities=["phone:+12125550100"]),
        link("l1", "13:20", "link", "email:kim@example.com", "phone:+12125550100"),
        link("l2", "15:00", "unlink", "email:kim@example.com", "phone:+12125550100"),
    ]
    for thread in ("t1", "t2"):
        answer = inquire(thread, policy(), lambda: iter(lines), instant("08T16:00"))
        assert {record["thread"] for record in answer.records if record["kind"] == "sla"} == {thread}
