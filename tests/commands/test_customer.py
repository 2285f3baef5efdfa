"""`mindgap customer` on recorded input: who a customer is, and what joined it."""

import json

import pytest

from agents.customer_card import Card, Joined, as_text
from schemas.codec import dumps
from schemas.identity import Identity
from tests.commands.conftest import invoke

POLICY = {
    "version": "1",
    "calendars": {"always": {"zone": "UTC", "week": {"mon-sun": ["00:00-24:00"]}}},
    "targets": [{"first_response": "1h", "calendar": "always"}],
}
LINK = {
    "topic": "identities.links",
    "value": {
        "id": "link-1",
        "occurred_at": "2026-06-08T13:30:00Z",
        "action": "link",
        "a": {"type": "email", "value": "kim@example.com"},
        "b": {"type": "handle", "value": "@kim"},
    },
}


def contact(id_: str, at: str, thread: str, **who: str) -> dict:
    """A contact by chat."""
    identities = [{"type": kind, "value": value} for kind, value in who.items()]
    occurred_at = f"2026-06-08T{at}:00Z"
    return {
        "id": id_,
        "occurred_at": occurred_at,
        "channel": "chat",
        "kind": "contact",
        "thread": thread,
        "identities": identities,
    }


@pytest.fixture
def files(tmp_path) -> list[str]:
    """A policy and an input with a merge, a link and a refusal."""
    lines = [
        contact("e1", "13:00", "chat:1", email="kim@example.com"),
        contact("e2", "13:10", "chat:2", phone="+12125550100"),
        contact("e3", "13:20", "chat:3", email="kim@example.com", phone="+12125550100", customer_id="C1"),
        LINK,
        contact("e4", "13:40", "chat:4", customer_id="C2", phone="+12125550100"),
    ]
    (tmp_path / "policy.json").write_bytes(dumps(POLICY))
    (tmp_path / "in.jsonl").write_bytes(b"\n".join(map(dumps, lines)))
    return ["--policy", str(tmp_path / "policy.json"), str(tmp_path / "in.jsonl")]


def test_a_customer_is_told_with_what_joined_each_identity(files):
    """Id, former id, identities by strength with record and time, the refusal, and what is open; in clear."""
    done = invoke("customer", "email:Kim@example.com", *files, "--until", "2026-06-08T14:30:00Z", "--json")
    assert done.exit_code == 0, done.stderr
    card = json.loads(done.stdout)
    assert len(card["aliases"]) == 1
    at = "2026-06-08T13:{}:00.000Z".format
    assert [(each["value"], each["joined_by"], each["joined_at"]) for each in card["identities"]] == [
        ("C1", "e3", at("20")),
        ("kim@example.com", "e1", at("00")),
        ("+12125550100", "e2", at("10")),
        ("kim", "link-1", at("30")),
        ("chat:1", "e1", at("00")),
        ("chat:2", "e2", at("10")),
        ("chat:3", "e3", at("20")),
    ]
    (refused,) = card["refused"]
    assert (refused["identity"]["value"], refused["reason"], refused["record_id"]) == (
        "+12125550100",
        "limit:customer_id",
        "e4",
    )
    clocks = [(each["phase"], each["status"]) for each in card["open_escalations"] if each.get("metric")]
    assert clocks == [("breached", "open")] * 3
    (history,) = (each for each in card["open_escalations"] if each["kind"] == "history")
    assert "repeat_contact" in history["patterns"]
    assert history["summary"]
    for name in ("phone:+1 212 555 0100", card["customer_id"], card["aliases"][0], "chat:2"):
        again = invoke("customer", name, *files, "--until", "2026-06-08T14:30:00Z", "--json")
        assert json.loads(again.stdout) == card, name


def test_the_same_in_lines_for_people(files):
    """A heading for each part, one identity a line, a summary for each escalation."""
    done = invoke("customer", "handle:kim", *files, "--until", "2026-06-08T14:30:00Z")
    assert done.exit_code == 0, done.stderr
    assert done.stdout.startswith("Customer cus_")
    lines = done.stdout.splitlines()
    (mine,) = (line for line in lines if "handle:kim" in line)
    assert mine.split() == ["handle:kim", "2026-06-08T13:30:00.000Z", "by", "link-1"]
    assert any("phone:+12125550100 not joined to" in line for line in lines)
    assert sum("error, open: first_response" in line for line in lines) == 3


def test_what_is_in_a_record_does_not_steer_the_terminal():
    """Control characters of foreign ids are written as escapes."""
    card = Card("cus_1.0", (), (Joined(Identity("handle", "a\x9b2J"), "e\x1b[2J", 0),))
    assert not {"\x1b", "\x9b"} & set("".join(as_text(card)))


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["email:kin@example.com"], 1, "close to it: email:k***@example.com"),
        (["nobody"], 1, "no customer, identity or thread 'nobody'"),
    ],
)
def test_an_unknown_customer_is_said(files, arguments, status, said):
    """Status 1, one line, and who may have been meant, masked."""
    done = invoke("customer", *arguments, *files)
    assert (done.exit_code, said in done.stderr, done.stdout) == (status, True, ""), done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["x", "FILE"],
        ["x", "--policy", "P"],
        ["x", "--until", "2026-06-08T13:00:00Z"],
        ["x", "--policy", "P", "--fast", "FILE"],
    ],
)
def test_files_go_with_a_policy_and_nothing_else_does(arguments):
    """Recorded or live: a mixture is wrong usage."""
    done = invoke("customer", *arguments)
    assert (done.exit_code, done.stderr.count("\n")) == (2, 1), done.stderr


def test_the_fast_answer_needs_a_read_model(mindgap):
    """Without MINDGAP_REDIS there is nobody to ask."""
    done = mindgap("customer", "email:kim@example.com", "--fast")
    assert (done.exit_code, "MINDGAP_REDIS is not set" in done.stderr) == (1, True)
