"""Garbage where only workers write: set aside as a defect of ours, and the partition goes on beside it."""

from hypothesis import given
from hypothesis import strategies as st

from schemas.codec import dumps, loads
from streams.kit import CoreKit
from streams.node import Node
from tests.fuzz.core import POLICY, examples
from tests.fuzz.garbage import INTERACTION, as_bytes, raws
from tests.shell.fakes import Bench, batch
from tests.shell.test_lane import running, until

EVENT = {
    "t": "event",
    "i": "email:a@b",
    "n": [],
    "th": None,
    "s": None,
    "id": "e",
    "o": [1, 0, "e"],
    "at": 1,
    "r": None,
    "k": True,
}
GRANT = {"t": "grant", "c": "cus_1.1", "i": "email:a@b", "q": 1, "n": 1}
INBOXES = {
    "identity-inbox": EVENT,
    "customer-inbox": GRANT,
    "aggregate-inbox": {"t": "storm", "k": "hot/billing", "m": {}},
}


async def through_a_lane(topic: str, raw: bytes) -> tuple[list[dict], set[bytes]]:
    """The dead letters, and the customers written, of the garbage between two good events in one batch of a lane."""
    bench = Bench()

    def make_node() -> Node:
        tables = (bench.stores[name] for name in ("identities", "customers", "aggregates"))
        node = CoreKit(POLICY).node(1, 2, *tables, lambda key: 1)
        node.rebuild()
        return node

    def event(number: int) -> bytes:
        identities = [{"type": "account", "value": f"A{number}"}]
        return as_bytes({**INTERACTION, "id": f"good{number}", "thread": f"t{number}", "identities": identities})

    bench.clock.at = 1_780_923_600_000
    async with running(bench, make_node) as lane:
        for place, (name, value) in enumerate(
            (("interactions.chat", event(1)), (topic, raw), ("interactions.chat", event(2)))
        ):
            await lane.put(batch(name, [value], offset=place, at=bench.clock.at + place))
        await until(lambda: len(lane.done) == 3)
    dead = [loads(value) for name, _, value, _ in bench.producer.sent if name == "interactions.dead"]
    return dead, set(bench.stores["customers"].values())


@given(topic=st.sampled_from(sorted(INBOXES)), data=st.data())
@examples(40)
async def test_garbage_in_an_inbox(topic, data):
    """Both neighbours are taken, every batch is done, and the garbage has had an effect or lies among the dead letters."""
    raw = data.draw(raws(INBOXES[topic]))
    dead, customers = await through_a_lane(topic, raw)
    for number in (1, 2):
        assert any(f'"good{number}"'.encode() in value for value in customers), "a neighbour was not taken"
    assert [letter["topic"] for letter in dead] in ([], [topic])
    for letter in dead:
        assert letter["reason"] in ("internal_error", "schema", "not_json", "unknown_escalation")


async def test_no_json_in_an_inbox():
    """It is set aside with its bytes."""
    dead, _ = await through_a_lane("identity-inbox", b"\xff\x00")
    assert [(letter["offset"], letter["value_encoding"]) for letter in dead] == [(1, "base64")]


async def test_a_message_for_nobody():
    """A tag that no version knows is set aside, not passed over."""
    dead, _ = await through_a_lane("identity-inbox", dumps({"t": "nonsense", "i": "email:a@b"}))
    assert len(dead) == 1
