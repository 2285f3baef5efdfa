"""`mindgap link | unlink`: what is sent for a pair of identities."""

from types import SimpleNamespace

import pytest

from agents.demo.source import outgoing
from schemas.link import Link
from schemas.times import MINUTE, parse_time
from tests.commands.conftest import sent
from tests.shell.traffic import everything
from topics.partitioner import partition_of


def test_a_link_is_a_record_of_the_pair_in_its_normal_form(settings, mindgap):
    """Whatever the order and the spelling, a pair has one key: link and unlink are about the same thing."""
    linked = mindgap("link", "phone:+1 212 555 0100", "email:Kim@Example.com", "--source", "crm")
    assert linked.exit_code == 0, linked.output
    assert "link email:kim@example.com phone:+12125550100" in linked.stdout
    assert "mindgap customer email:kim@example.com" in linked.stdout
    unlinked = mindgap("unlink", "email:kim@example.com", "phone:+12125550100")
    assert unlinked.exit_code == 0, unlinked.output
    records = everything(settings, "identities.links")
    assert {(r.key, r.partition) for r in records} == {(records[0].key, partition_of(records[0].key, 3))}
    first, second = (Link.model_validate_json(record.value) for record in records)
    assert [(each.action, each.source) for each in (first, second)] == [("link", "crm"), ("unlink", "support")]
    assert first.id != second.id
    assert (first.a, first.b) == (second.a, second.b)


def test_the_key_is_that_of_every_other_link(settings, mindgap):
    """What the feed of a recording sends for the same pair has the same key, so that compaction sees one pair."""
    assert mindgap("link", "handle:@Kim", "customer_id:C1").exit_code == 0
    (record,) = everything(settings, "identities.links")
    value = {"a": {"type": "handle", "value": "@Kim"}, "b": {"type": "customer_id", "value": "C1"}}
    assert record.key == outgoing(SimpleNamespace(topic="identities.links", at=0, value=value)).key


def test_a_link_of_the_past_says_so_and_one_id_is_one_record(settings, mindgap):
    """`--at 30m` is half an hour ago; the id follows from action, pair and time, or is given."""
    assert mindgap("link", "email:a@x.example", "phone:+1", "--at", "30m").exit_code == 0
    at = "2026-06-08T13:00:00Z"
    for pair in (("email:a@x.example", "phone:+1"), ("phone:+1", "email:a@x.example")):
        assert mindgap("link", *pair, "--at", at).exit_code == 0
    assert mindgap("link", "email:a@x.example", "phone:+1", "--at", at, "--id", "crm-7").exit_code == 0
    past, one, same, named = sent(settings, "identities.links")
    now = max(record.timestamp for record in everything(settings, "identities.links"))
    assert abs(parse_time(past["occurred_at"]) - (now - 30 * MINUTE)) < MINUTE
    assert one["id"] == same["id"] != past["id"]
    assert named["id"] == "crm-7"


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["email:kim@example.com", "email:KIM@example.com"], 2, "both are email:kim@example.com"),
        (["mail:kim@example.com", "phone:+1"], 2, "is not an identity"),
        (["email:kim@example.com", "phone:anonymous"], 1, "joins nobody"),
        (["email:kim@example.com", "phone:+1", "--at", "2999-01-01T00:00:00Z"], 2, "lies in the future"),
        (["email:kim@example.com", "phone:" + "1" * 600], 2, "512 characters"),
        (["email:kim@example.com", "phone:+1", "--source", ""], 2, "source"),
    ],
)
def test_what_can_have_no_effect_is_refused(settings, mindgap, arguments, status, said):
    """A pair of one, a placeholder, a time to come, what no record can hold: nothing is sent."""
    done = mindgap("link", *arguments)
    assert (done.exit_code, said in done.stderr, done.stderr.count("\n")) == (status, True, 1), done.output
    assert sent(settings, "identities.links") == []
