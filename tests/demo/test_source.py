"""What is fed to the broker, under which key."""

import gzip
import json

import pytest

from agents.cli import BadInput
from agents.demo.source import Outgoing, outgoing, primary, read_recording
from schemas.times import DAY, parse_time
from streams.simulate import LINKS, Line, simulate
from topics.table import TOPICS

START = parse_time("2026-06-01T10:00:00Z")


def test_the_key_is_the_strongest_identity_that_joins():
    """Normalised, strongest first, placeholders left out; else the thread."""
    both = [{"type": "phone", "value": "+1 (212) 555-0100"}, {"type": "email", "value": "A@Example.com"}]
    assert primary({"identities": both, "thread": "t"}) == "email:a@example.com"
    assert primary({"identities": both[:1]}) == "phone:+12125550100"
    assert primary({"identities": [{"type": "phone", "value": "anonymous"}], "thread": "t"}) == "thread:t"
    assert primary({"thread": "t", "identities": "nonsense"}) == "thread:t"


def test_every_simulated_line_has_a_topic_of_the_table():
    """Each line goes to a topic that exists, with a key and its own arrival."""
    for line in simulate(3, START, 2 * DAY, 100):
        record = outgoing(line)
        assert record.topic in TOPICS
        assert record.key
        assert record.at == line.at
        assert json.loads(record.value) == line.value


def test_links_commands_and_policies_have_keys_of_their_own():
    """A link's key is its pair in order, whichever way round it was said."""
    a, b = {"type": "handle", "value": "@Ann"}, {"type": "customer_id", "value": "C1"}
    keys = {outgoing(Line(LINKS, 0, {"a": one, "b": other})).key for one, other in ((a, b), (b, a))}
    assert keys == {b"customer_id:C1|handle:ann"}
    assert outgoing(Line("escalations.commands", 0, {"customer_id": "cus_1"}))[:2] == ("escalations.commands", b"cus_1")
    assert outgoing(Line("policies", 0, {"version": "2"}))[:2] == ("policies", b"2")


LINES = [
    {"id": "1", "occurred_at": "2015-01-01T05:00:00Z", "kind": "contact", "channel": "phone", "thread": "t"},
    {
        "topic": "interactions",
        "arrived_at": "2015-01-01T06:00:00Z",
        "value": {
            "id": "2",
            "occurred_at": "2015-01-01T05:30:00Z",
            "kind": "promise",
            "channel": "phone",
            "thread": "t",
            "data": {"due_at": "2015-01-03T05:00:00+01:00", "what": "work done"},
        },
    },
]


@pytest.mark.parametrize("packed", [False, True])
def test_a_recording_moves_by_one_constant(tmp_path, packed):
    """Arrivals, event times and due times keep their distances; the first line arrives at the start."""
    path = tmp_path / ("in.jsonl.gz" if packed else "in.jsonl")
    text = "".join(json.dumps(line) + "\n" for line in reversed(LINES)).encode()
    path.write_bytes(gzip.compress(text) if packed else text)
    recording = read_recording(str(path))
    first, second = recording.shifted(START)
    assert recording.span == 3_600_000
    assert (first.at, second.at) == (START, START + 3_600_000)
    assert first.value["occurred_at"] == "2026-06-01T10:00:00.000Z"
    assert second.value["occurred_at"] == "2026-06-01T10:30:00.000Z"
    assert second.value["data"] == {"due_at": "2026-06-03T09:00:00.000Z", "what": "work done"}


def test_a_bad_line_goes_out_as_it_is(tmp_path):
    """What is not JSON is fed untouched, so that the processor can set it aside."""
    path = tmp_path / "in.jsonl"
    path.write_bytes(json.dumps(LINES[0]).encode() + b"\nnot json\n")
    _, bad = read_recording(str(path)).shifted(START)
    assert isinstance(bad, Outgoing)
    assert outgoing(bad).value == b"not json"


def test_an_empty_or_missing_recording_is_bad_input(tmp_path):
    """An empty file and a missing one are said to be so."""
    (tmp_path / "empty.jsonl").touch()
    with pytest.raises(BadInput, match="holds no lines"):
        read_recording(str(tmp_path / "empty.jsonl"))
    with pytest.raises(BadInput, match="missing"):
        read_recording(str(tmp_path / "missing.jsonl"))
