"""A customer's state is all that a restart needs."""

from hypothesis import given
from hypothesis import strategies as st

from schemas.codec import dumps, loads
from schemas.identity import parse_identity
from streams.customer import Customer
from streams.event import Event, decode, encode
from streams.replay import Replay
from tests.core.playing import facts, instants, lines, played, policy_of, steps
from tests.core.strategies import CUSTOMERS, END, POLICY, delays, interactions, versions


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
