"""A customer's state is all that a restart needs."""

from hypothesis import given
from hypothesis import strategies as st

from schemas.codec import dumps, loads
from schemas.identity import parse_identity
from schemas.times import HOUR, MINUTE, format_time
from streams.customer import Customer
from streams.event import Event, decode, encode
from streams.replay import Line, Replay
from tests.core.playing import facts, happened, instants, lines, played, policy_of, steps
from tests.core.strategies import CUSTOMERS, END, POLICY, START, Record, delays, interactions, versions


def restart(run: Replay) -> None:
    """Put every customer to bytes and read it again."""
    for id_, customer in run.population.customers.items():
        again = Customer.decode(loads(dumps(customer.encode())))
        again.outside = customer.outside  # what others' logs tell is told again by them
        assert again.encode() == customer.encode()
        run.population.customers[id_] = again


@given(st.data())
def test_a_restart_at_any_moment_changes_nothing(data):
    """A prefix, the state to bytes and back, and the rest: every revision is the one of the whole."""
    events = data.draw(interactions(people=CUSTOMERS))
    input_ = lines(events, data.draw(delays(len(events))), data.draw(versions()))
    document = POLICY | {"flap": {"limit": data.draw(st.sampled_from((1, 3)))}}
    whole, said = played(input_, policy=document)
    run = Replay(policy_of(document))
    found = []
    groups = instants(input_)
    cuts = data.draw(st.sets(st.integers(0, len(groups)), max_size=3))
    for place, group in enumerate(groups):
        if place in cuts:
            restart(run)
        for _, records in steps(run, group, group[0].arrived_at):
            found += records
    restart(run)
    for _, records in steps(run, [], END):
        found += records
    assert found == said
    assert facts(run) == facts(whole)


def test_an_event_is_stored_whole():
    """Every field comes back from bytes, those that are there and those that are not."""
    names = (parse_identity("email:kim@example.com"), parse_identity("thread:a:b"))
    bare = Event("e", 1, "contact", "email", "customer", "t", names, 2)
    known = {
        "actor_id": "a7",
        "team": "billing",
        "in_reply_to": "e0",
        "issue": "case-1",
        "topic": "refund",
        "public": False,
    }
    known |= {"priority": "urgent", "difficulty": "easy", "tier": "gold", "excerpt": "Hello", "data": {"reach": 5}}
    full = Event("f", 3, "contact", "email", "customer", None, names, 4, **known)
    known["digest"] = "0f3a"
    assert set(list(Event.__dataclass_fields__)[8:]) == known.keys()
    for event in (bare, full):
        assert decode(loads(dumps(encode(event)))) == event


def played_with_a_restart(document: Record, input_: list[Line], place: int, until: int) -> list[list[Record]]:
    """What is said from the line at `place` on: by a run that goes on, and by one that is restarted there."""
    said = []
    for again in (False, True):
        run = Replay(policy_of(document))
        for group in instants(input_[:place]):
            list(steps(run, group, group[0].arrived_at))
        if again:
            restart(run)
        said.append([record for _, records in steps(run, input_[place:], until) for record in records])
    return said


def test_a_flapping_escalation_ends_when_it_would_have_ended():
    """Whether it flaps is decided by the day before it ended: when it is looked at next changes nothing."""
    document = {"version": "1", "targets": [{"resolution": "1m"}], "flap": {"limit": 1, "quiet": "4h"}}
    document["issues"] = {"quiet_after": "30d", "drop_after": "60d", "ignored_after": "20d"}
    input_ = [happened("c", 0, "contact", "t1")]
    for hour, status in ((1, "solved"), (2, "open"), (22, "solved"), (23, "open"), (23.5, "solved")):
        input_.append(happened(f"s{hour}", hour * 60, "status", "t1", data={"status": status}))
    input_.append(happened("o", 25.5 * 60, "contact", "t2", issue="other"))
    on, again = played_with_a_restart(document, input_, 6, START + 40 * HOUR)
    assert on == again
    (end,) = (record for record in on if record["thread"] == "t1" and record["change"] == "resolved")
    assert end["detected_at"] == format_time(START + 27 * HOUR + 30 * MINUTE)


def test_an_issue_that_a_source_gives_the_name_of_another_changes_by_itself():
    """A source that quotes our name of one issue for another one does not keep the first one's escalations open."""
    document = {"version": "1", "targets": [{"first_response": "1m"}], "patterns": {}}
    first = happened("a1", 0, "contact", "t1", topic="a")
    run = Replay(policy_of(document))
    list(run.run([first]))
    (customer,) = run.population.customers.values()
    name = customer.derived(run.policies).history.issues[0].id
    input_ = [
        first,
        happened("b1", 2, "contact", "t2", topic="b", issue=name),
        happened("n", 7, "contact", "t3", topic="c", issue="other"),
        happened("a2", 5, "reply", "t1", arrives=10, actor={"type": "agent", "id": "x"}),
    ]
    on, again = played_with_a_restart(document, input_, 3, START + 60 * MINUTE)
    assert on == again
    assert ("t1", "resolved") in {(record["thread"], record["change"]) for record in on}


def test_what_was_said_of_a_thread_that_others_were_merged_into_is_not_said_again():
    """A history that has let its oldest threads go knows of the one that has no event of its own."""
    document = {"version": "1", "targets": [{"resolution": "1m"}]}
    input_ = []
    for number in range(30):
        input_ += [
            happened(f"o{number}", 3 * number, "contact", f"x{number}", issue=f"i{number}"),
            happened(f"p{number}", 3 * number + 0.5, "status", f"x{number}", data={"status": "solved"}),
        ]
    input_ += [
        happened("m1", 100, "contact", "t1", issue="M"),
        happened("m2", 100.2, "merge", "t1", data={"into": "T"}),
        happened("m3", 105, "status", "t1", data={"status": "solved"}),
    ]
    run = Replay(policy_of(document))
    said = [record for _, records in steps(run, input_, START + 105 * MINUTE) for record in records]
    assert [r["change"] for r in said if r["thread"] == "T"][-1] == "resolved"
    (customer,) = run.population.customers.values()
    assert customer.shrink(run.policies, START + 110 * MINUTE)
    again = Customer.decode(loads(dumps(customer.encode())))
    assert again.settle(run.policies, START + 110 * MINUTE) == []
