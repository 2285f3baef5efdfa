"""Damaged state is held back: the rest of the partition goes on, and nothing is guessed or thrown away."""

from collections.abc import Mapping
from typing import Any

import pytest

from agents.worker.metrics import Metrics
from agents.worker.soundness import Soundness, UnreadableState
from schemas.codec import dumps, loads
from schemas.times import HOUR
from streams.aggregates.gap_feed import SEQUENCE
from streams.aggregates.kept import decode_kept, encode_plain
from streams.identity.protocol import CustomerLinks, IdentityRecord
from streams.kit import CoreKit
from streams.soundness import is_sound
from streams.stored import Stored
from tests.node.cluster import policy

GOOD, BAD = b'{"n":1}', b"\x00\x01"


class Node:
    """Reads all values when it is made, and one when it is asked."""

    def __init__(self, customers: Mapping[bytes, bytes]) -> None:
        self.customers = customers
        self.rebuilt = {key: loads(value) for key, value in customers.items()}


def soundness(customers: dict[bytes, bytes], *, make: Any = None, judge: Any = None) -> tuple[Soundness, Metrics]:
    metrics = Metrics()
    tables = {"customers": customers, "identities": {b"i": GOOD}}
    made = make or (lambda states: Node(states["customers"]))
    judged = judge or (lambda table, key, value: value.startswith(b"{"))
    return Soundness(3, tables, made, judged, metrics), metrics


def held(metrics: Metrics, table: str = "customers", partition: str = "3") -> float | None:
    return metrics.registry.get_sample_value("mindgap_unreadable_state", {"partition": partition, "table": table})


def test_a_damaged_value_keeps_no_node_from_being_made():
    """The node sees all others; who asks for the damaged one is told, and it stays where it is."""
    state = {b"a": GOOD, b"b": BAD, b"c": GOOD}
    sound, metrics = soundness(state)
    node = sound.node()
    assert set(node.customers) == {b"a", b"c"}
    assert len(node.customers) == 2
    with pytest.raises(UnreadableState):
        node.customers.get(b"b")
    assert node.customers.get(b"unknown") is None
    assert state[b"b"] == BAD
    assert held(metrics) == 1
    assert held(metrics, "identities") == 0


async def test_damage_that_shows_later_is_found_when_the_core_fails():
    """A node made after the look does without the value; what is written meanwhile is seen by it."""
    state = {b"a": GOOD, b"b": BAD}
    sound, _ = soundness(state, make=lambda states: states["customers"])
    assert set(sound.node()) == {b"a", b"b"}
    await sound.check()
    view = sound.node()
    state[b"d"] = GOOD
    assert set(view) == {b"a", b"d"}


async def test_sound_state_is_looked_at_once_and_a_defect_stays_a_defect():
    """Where nothing is damaged the core's own error comes through, and the state is not read again for each one."""
    looks: list[bytes] = []

    def fail(states: object) -> Any:
        if len(states["customers"]) == 2:  # as it is; each value alone is well
            raise RuntimeError("a defect")

    sound, metrics = soundness(
        {b"a": GOOD, b"b": GOOD}, make=fail, judge=lambda table, key, value: looks.append(value) or True
    )
    for _ in range(2):
        with pytest.raises(RuntimeError, match="a defect"):
            sound.node()
    await sound.check()
    assert len(looks) == 3
    assert held(metrics) == 0


def test_the_core_knows_its_own_values():
    """What it wrote is sound, what is cut or mixed up is not, and a newer version is refused, not called damaged."""
    customer = Stored(CustomerLinks("c.0"), None).encode(1)
    identity = dumps(IdentityRecord("c.0", 1).encode())
    assert is_sound("customers", b"cus_1.0", customer)
    assert is_sound("identities", b"email:a@x", identity)
    ((_, _, aggregate),) = decode_kept("crowd/thread:s1", {}).writes("crowd/thread:s1", 1, HOUR)
    assert aggregate is not None
    assert is_sound("aggregates", b"crowd/thread:s1", aggregate)
    assert is_sound("aggregates", SEQUENCE, encode_plain(7, 1))
    for broken in (
        b"",
        b"\xff",
        b"null",
        b"[]",
        b"{}",
        b'{"v":"1"}',
        b'{"v":1}',
        customer[:-9],
        identity[:-3],
        aggregate[:-2],
    ):
        assert not is_sound("customers", b"cus_1.0", broken)
        assert not is_sound("identities", b"email:a@x", broken)
        assert not is_sound("aggregates", b"crowd/thread:s1", broken)
    with pytest.raises(ValueError, match="upgrade"):
        is_sound("customers", b"cus_1.0", dumps(loads(customer) | {"v": 99}))


def test_a_newer_program_s_state_stops_the_start():
    """It is not held back: an old worker would set everything aside that a new one wrote."""

    def judge(table: str, key: bytes, value: bytes) -> bool:
        raise ValueError("newer")

    sound, _ = soundness({b"b": BAD}, judge=judge)
    with pytest.raises(ValueError, match="newer"):
        sound.node()


@pytest.mark.parametrize(
    "key", [SEQUENCE, b"gap/said/x", b"gap/0/y", b"crowd/thread:s1", b"changes/hot/billing", b"backlog"]
)
def test_a_damaged_value_of_any_aggregate_keeps_no_partition_from_being_made(key: bytes):
    """Whatever is kept there: the node is made, and goes on."""
    kit, metrics = CoreKit(policy()), Metrics()
    states: dict[str, dict[bytes, bytes]] = {"identities": {}, "customers": {}, "aggregates": {key: BAD}}

    def make(tables: Mapping[str, Mapping[bytes, bytes]]) -> Any:
        made = kit.node(0, 1, *(tables[name] for name in states), lambda _key: 0)
        made.rebuild()
        return made

    node = Soundness(0, states, make, kit.is_sound, metrics).node()
    node.wake(10 * HOUR)
    assert held(metrics, "aggregates", "0") == 1
