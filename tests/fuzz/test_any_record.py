"""Whatever stands in a record: it is taken in or set aside with its reason, and nothing else happens."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.codec import loads
from schemas.dead_letter import DEAD_REASONS, validate_dead_letter
from streams.facts import clock_records, customer_record, episode_records
from streams.intake import DETAIL_MAX
from streams.policy import PolicyHistory
from streams.stored import decode_stored
from tests.fuzz.core import POLICY, Core, examples
from tests.fuzz.garbage import COMMAND, GOOD, INTERACTION, LINK, MARK, NOW, as_bytes, raws
from topics.dead_letter import Refused, encode, original

NEIGHBOUR = {**INTERACTION, "id": "neighbour", "thread": "n:1", "identities": [{"type": "account", "value": "N"}]}


def is_json(raw: bytes) -> bool:
    """What RFC 8259 calls JSON, by another parser; what the two may differ on is given to neither."""

    def refuse(name: str) -> None:
        raise ValueError(name)

    try:
        text = raw.decode("utf-8")
        json.dumps(json.loads(text, parse_constant=refuse, parse_int=lambda digits: 0), ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return False
    return True


@pytest.mark.parametrize("topic", GOOD)
@given(data=st.data())
@examples(60)
def test_a_record_is_taken_or_set_aside(topic, data):
    """No exception; a neighbour in the same batch is taken; the dead letter names the reason, quotes nothing, and gives the bytes back."""
    raw = data.draw(raws(GOOD[topic]))
    core = Core()
    core.take([(topic, raw), ("interactions.chat", as_bytes(NEIGHBOUR))], NOW)
    assert any(b'"neighbour"' in value for value in core.stores["customers"].values()), "the neighbour was not taken"
    for dead in core.dead:
        assert dead.reason in DEAD_REASONS
        assert dead.reason != "internal_error"
        assert dead.detail
        assert len(dead.detail) <= DETAIL_MAX
        assert MARK not in dead.detail
        refused = Refused(dead.record.key, dead.record.value, (), topic, 0, 1, dead.reason, dead.detail, NOW)
        letter = encode(refused)
        validate_dead_letter(loads(letter))
        if topic != "escalations.commands":  # a command may be set aside after it was read, and is then written anew
            assert original(letter)[1] == raw
    if core.dead and core.dead[0].reason == "not_json":
        assert not is_json(raw) or raw.startswith(b"\xef\xbb\xbf") or deep(raw)
    elif not core.dead and topic == "interactions.chat":
        assert is_json(raw)


def deep(raw: bytes) -> bool:
    """Nested deeper than is read, or a number that no double holds."""
    return raw.count(b"[") + raw.count(b"{") > 250 or b"1e999" in raw or b"9" * 300 in raw


@given(data=st.data())
@examples(40)
def test_what_was_taken_can_be_lived_with(data):
    """Whatever three records left in the stores: it is read again, its timers end, and its facts can be told."""
    core = Core()
    for _ in range(3):
        topic = data.draw(st.sampled_from(sorted(GOOD)))
        core.take([(topic, data.draw(raws(GOOD[topic])))], NOW)
    core.wait(NOW)
    policies = PolicyHistory(POLICY)
    for value in core.stores["customers"].values():
        customer = decode_stored(value).live
        if customer is not None:
            customer_record(customer, (), (), policies, NOW)
            list(clock_records(customer, policies, NOW))
            list(episode_records(customer, policies, NOW))


@given(st.lists(st.sampled_from(["chat:1", "chat:2", "chat:3"]), min_size=2, max_size=6), st.permutations(range(6)))
@examples(20)
def test_merges_in_circles_end(targets, order):
    """Threads merged into one another and into themselves, replies to themselves: all of it ends."""
    core = Core()
    records = []
    for number, target in enumerate(targets):
        thread = f"chat:{1 + number % 3}"
        records += [
            {**INTERACTION, "id": f"c{number}", "thread": thread, "in_reply_to": f"c{number}"},
            {**INTERACTION, "id": f"m{number}", "kind": "merge", "thread": thread, "data": {"into": target}},
        ]
    chosen = [records[place % len(records)] for place in order] + records
    core.take([("interactions.chat", as_bytes(record)) for record in chosen], NOW)
    assert core.dead == []
    core.wait(NOW)


def test_the_good_ones_are_good():
    """What is mutated here is taken in as it stands, but for the command, whose customer nobody knows."""
    core = Core()
    core.take([("interactions.chat", as_bytes(INTERACTION)), ("identities.links", as_bytes(LINK))], NOW)
    assert core.dead == []
    core.take([("escalations.commands", as_bytes(COMMAND))], NOW)
    assert [dead.reason for dead in core.dead] == ["unknown_escalation"]
