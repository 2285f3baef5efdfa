"""What a node stores, and its timers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.codec import dumps, loads
from streams.aggregates.messages import to_aggregate
from streams.customer import Customer
from streams.header import NewerState, read_header
from streams.identity.links import Alias, Asking, Member, Placement
from streams.identity.pairs import CUT, Assertion
from streams.identity.protocol import CustomerLinks, IdentityRecord, on_identity, to_identity
from streams.reconcile import Cause
from streams.soundness import is_sound
from streams.stored import STORED_VERSION, Stored, Told, decode_outbox, decode_posts, decode_stored
from streams.timers import Timers
from tests.identity.build import event


def _stored() -> Stored:
    links = CustomerLinks("cus_1.0", "email:a@x", members={"email:a@x": Member(1, "e", 5)})
    links.placements["e"] = Placement(2, here=True, identity="email:a@x")
    links.pairs["email:a@x", "phone:1"] = Assertion(5, "l", CUT)
    links.asking, links.todo, links.turn = Asking(3, below=True), [{"k": "forget"}], 3
    links.aliases["cus_2.1"], links.taken["cus_2.1"] = Alias("phone:2", 1), None
    mail = [to_identity("ask", "phone:1", q=3)]
    customer = Customer("cus_1.0")
    customer.fold(event("e", "email:a@x", thread="t1", at=5))
    posts = [to_aggregate("crowd", "t1", "share", c="cus_1.0", q=4, s=[[5, "e"]])]
    outbox = [{"customer_id": "cus_1.0", "revision": 1}]
    told = {"crowd/t1": Told("ab", 4, 5)}
    return Stored(links, customer, 77, "ab12", outbox, mail, posts, told, number=4)


def test_what_is_stored_comes_back() -> None:
    """A customer read from its value is written as the same value."""
    value = _stored().encode(batch=3)
    again = decode_stored(value)
    assert again.encode(batch=3) == value
    assert again.links == _stored().links
    assert (again.told, again.number) == (_stored().told, 4)
    assert decode_outbox(value) == (_stored().outbox, _stored().mail)
    assert decode_posts(value) == _stored().posts
    assert read_header(value, STORED_VERSION).newest == 5


@given(st.none() | st.integers(-(10**14), 10**14), st.integers(0, 10**9), st.integers(0, 3))
def test_the_header_is_read_without_the_rest(wake: int | None, batch: int, outputs: int) -> None:
    """Timers and outputs of a customer are known from the first bytes of its value."""
    value = Stored(CustomerLinks("c.0"), None, wake=wake, policies="0f", outbox=[{}] * outputs).encode(batch)
    assert read_header(value, STORED_VERSION) == (wake, batch, outputs, "0f", None, 0)


def test_a_newer_version_is_refused() -> None:
    """State that a later program wrote is not guessed at."""
    value = _stored().encode(batch=3)
    newer = dumps(loads(value) | {"v": 99})
    with pytest.raises(ValueError, match="newer"):
        decode_stored(newer)
    with pytest.raises(ValueError, match="newer"):
        read_header(newer, STORED_VERSION)
    with pytest.raises(ValueError, match="newer"):
        IdentityRecord.decode({"v": 99, "c": None})
    with pytest.raises(ValueError, match="newer"):
        CustomerLinks.decode(CustomerLinks("c.0").encode() | {"v": 99})


def test_values_of_the_first_version_are_still_read() -> None:
    """Recorded state of version 1: it must be readable for as long as topics hold it."""
    identity = b'{"v":1,"c":"cus_1.0","k":["thread:t1"],"s":{"a":{"e1":"cus_1.0"},"f":[5,0,"e1"],"l":{}}}'
    record = IdentityRecord.decode(loads(identity))
    assert (record.customer, record.number) == ("cus_1.0", 1)
    assert record.speakers is not None
    assert record.speakers.spoken == {"e1": (None, "cus_1.0")}
    assert IdentityRecord.decode(loads(dumps(record.encode()))) == record
    survivor = (
        b'{"v":1,"w":null,"b":4,"o":0,"p":"","l":{"v":1,"id":"cus_1.0","of":null,"h":false,"m":["email:a@x"],'
        b'"a":["cus_2.1"],"p":{"e":[1,true]}},"c":null,"x":[]}'
    )
    stored = decode_stored(survivor)
    assert stored.links.members == {"email:a@x": (1, "", 0)}
    assert stored.links.aliases == {"cus_2.1": ("email:a@x", 0)}
    assert stored.mail == []
    assert decode_stored(stored.encode(batch=4)) == stored


def test_values_of_the_third_version_are_still_read() -> None:
    """Recorded state of version 3: placements with and without word of who has the event instead."""
    value = (
        b'{"v":3,"w":77,"b":3,"o":0,"p":"ab12","e":5,"l":{"v":2,"id":"cus_1.0","b":"email:a@x",'
        b'"m":{"email:a@x":[1,"e",5]},"p":{"d":[1,false,"email:a@x"],"e":[2,true,"email:a@x",null],'
        b'"f":[3,false,"email:a@x","phone:2"]}},"c":{"v":2,"id":"cus_1.0","log":[["e",5,"contact","chat","customer",'
        b'"t1",["email:a@x"],5,{}]],"identities":["email:a@x"],"standing":[],"closed":[],"settled_at":7,"closings":[],'
        b'"commands":[],"let_go":0,"horizon":-1152921504606846976},"x":[],"y":[]}'
    )
    stored = decode_stored(value)
    assert stored.links.placements == {
        "d": Placement(1, here=False, identity="email:a@x"),
        "e": Placement(2, here=True, identity="email:a@x"),
        "f": Placement(3, here=False, identity="email:a@x", to="phone:2"),
    }
    assert stored.customer is not None
    assert stored.customer.cause == Cause()
    assert is_sound("customers", b"cus_1.0", value)
    assert decode_stored(stored.encode(batch=4)).links == stored.links


def test_values_of_this_version() -> None:
    """Recorded state of version 4, with what has changed since all was said. It is written as it was recorded."""
    value = (
        b'{"v":4,"w":8,"b":3,"o":0,"p":"ab12","e":5,"l":{"v":3,"id":"cus_1.0","b":"email:a@x",'
        b'"m":{"email:a@x":[1,"e",5]},"p":{"f":[3,false,"email:a@x","phone:2"]}},"c":{"v":2,"id":"cus_1.0",'
        b'"log":[["e",5,"contact","chat","customer","t1",["email:a@x"],5,{}]],"identities":["email:a@x"],'
        b'"standing":[],"closed":[],"settled_at":7,"closings":[],"commands":[],"let_go":0,'
        b'"horizon":-1152921504606846976,"cause":[5,true,false]},"x":[],"y":[]}'
    )
    stored = decode_stored(value)
    assert stored.links.placements == {"f": Placement(3, here=False, identity="email:a@x", to="phone:2")}
    assert stored.customer is not None
    assert stored.customer.cause == Cause(5, policy=True)
    assert stored.encode(batch=3) == value


def test_the_program_before_refuses_what_this_one_writes() -> None:
    """By the first bytes, so at its start: it would take a placement that says more than it knows for damage."""
    with pytest.raises(NewerState, match="upgrade it first"):
        read_header(_stored().encode(batch=3), version_max=3)


@pytest.mark.parametrize("part", ["l", "c"])
def test_a_newer_part_is_not_damage(part: str) -> None:
    """State whose links or history a later program wrote stops the start, and is not held back."""
    whole = loads(_stored().encode(batch=3))
    with pytest.raises(NewerState, match="upgrade it first"):
        is_sound("customers", b"cus_1.0", dumps({**whole, part: {**whole[part], "v": 99}}))


def test_a_new_appointment_replaces_the_old_one() -> None:
    """Each customer has one timer; the earliest comes first, and none twice."""
    timers = Timers()
    for id_, at in (("a", 5), ("b", 3), ("a", 9), ("c", 4), ("c", None)):
        timers.set(id_, at)
    assert (timers.next, len(timers)) == (3, 2)
    assert timers.due(4, most=10) == ["b"]
    timers.set("a", 9)
    assert timers.due(9, most=10) == ["a"]
    assert timers.next is None


def test_no_more_than_so_many_are_due_at_once() -> None:
    """The rest stay due."""
    timers = Timers()
    for number in range(5):
        timers.set(f"c{number}", number)
    assert timers.due(10, most=3) == ["c0", "c1", "c2"]
    assert timers.next == 3


def test_a_public_thread_of_the_second_version_is_read_and_goes_on() -> None:
    """It did not tell who placed an event last, so each that comes again sends those; afterwards that is known."""
    stored = (
        b'{"v":2,"c":null,"n":0,"s":{"a":{"e1":["handle:a","cus_1.0"]},"f":[5,0,"e1"],'
        b'"l":{"l1":["x",null,"e1",1,[]],"l2":["y","e9",null,0,[]]}}}'
    )
    record = IdentityRecord.decode(loads(stored))
    assert IdentityRecord.decode(loads(dumps(record.encode()))) == record
    again = {"t": "loose", "i": "thread:s1", "id": "l2", "r": "e9", "e": "y"}
    _, out, changed = on_identity(record, again, 0)
    assert ([one.message["id"] for one in out], changed) == (["l1"], False)
    spoke = {"t": "spoke", "i": "thread:s1", "id": "e9", "o": [9, 0, "e9"], "k": True, "by": "handle:b", "c": "cus_2.1"}
    _, out, changed = on_identity(record, spoke, 0)
    assert ([(one.key, one.message["id"]) for one in out], changed) == ([("cus_2.1", "l2")], True)
