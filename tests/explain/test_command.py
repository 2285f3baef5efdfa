"""`mindgap explain` as a user runs it."""

import json

import pytest

from schemas.codec import dumps
from tests.explain.timeline import DOCUMENT, event
from tests.house.command import run


@pytest.fixture
def files(tmp_path) -> list[str]:
    """A policy and a short input."""
    lines = [
        event("e1", "13:00", "contact", "t1", text="Where is my parcel?"),
        event("e2", "14:00", "contact", "t2", channel="phone"),
        event("e3", "15:00", "answered", "t2", channel="phone"),
    ]
    (tmp_path / "policy.json").write_bytes(dumps(DOCUMENT))
    (tmp_path / "in.jsonl").write_bytes(b"\n".join(dumps(line.value) for line in lines))
    return ["--policy", str(tmp_path / "policy.json"), str(tmp_path / "in.jsonl")]


def test_the_story_fits_a_terminal_and_is_plain_elsewhere(files):
    """At most 100 columns, a heading for each day, no colour where nobody looks."""
    done = run("explain", *files, "--customer", "email:kim@example.com")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("Customer cus_")
    assert "2026-06-08" in lines
    assert any(line.startswith("As things stand at 2026-06-08 15:00:00") for line in lines)
    assert max(len(line) for line in lines) <= 100
    assert "\x1b" not in done.stdout
    assert "parcel" not in done.stdout
    assert "kim@example.com" not in done.stdout


def test_json_is_a_line_for_each_thing_told(files):
    """Every line has time, kind, text and the ids that it is about."""
    done = run("explain", *files, "--customer", "t1", "--json", "--texts")
    records = [json.loads(line) for line in done.stdout.splitlines()]
    assert records[0] == {
        "at": "2026-06-08T13:00:00.000Z",
        "kind": "input",
        "text": 'contact on email, customer, thread t1 [e1]: "Where is my parcel?"',
        "refs": ["e1"],
    }
    assert {record["kind"] for record in records} == {"input", "identity", "clock", "pattern", "escalation", "now"}


def test_an_unknown_customer_ends_with_one_and_names_that_are_close(files):
    """The message says who was not found, and who may have been meant."""
    done = run("explain", *files, "--customer", "email:kin@example.com")
    assert done.returncode == 1
    assert "'email:kin@example.com'; close to it: email:k***@example.com (cus_" in done.stderr
    assert done.stdout == ""


def test_a_time_that_is_none_is_wrong_usage(files):
    """--until takes an RFC 3339 time."""
    assert run("explain", *files, "--customer", "t1", "--until", "noon").returncode == 2
