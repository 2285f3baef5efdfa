"""The commands against `mindgap worker`: what they send has its effect, and what they show is so."""

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from click.testing import Result
from redis import Redis

from agents.settings import Settings, settings_from
from agents.topic_admin import create_topics
from schemas.times import format_time
from tests.commands.conftest import invoke, put, sent, start_worker
from tests.shell.conftest import eventually

pytestmark = pytest.mark.timeout(120)

POLICY = """
version: "test.1"
calendars: {always: {zone: UTC, week: {mon-sun: ["00:00-24:00"]}}}
targets: [{first_response: 1s, calendar: always}]
ack_timeout: 1h
"""
LIMIT_S = 30


@pytest.fixture(scope="module")
def deployment(broker: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """Topics and one worker."""
    settings = settings_from(
        {}, broker=broker, broker_kind="embedded", topic_prefix="live.", partitions=2, session_s=3.0
    )
    asyncio.run(create_topics(settings))
    folder = tmp_path_factory.mktemp("worker")
    (folder / "policy.yaml").write_text(POLICY)
    worker = start_worker(settings, folder)
    try:
        yield settings
    finally:
        worker.kill()
        worker.wait(10)


@pytest.fixture
def run(deployment: Settings) -> Callable[..., Result]:
    """Runs the command on the deployment."""
    environment = {**deployment.environment(), "MINDGAP_PARTITIONS": "", "MINDGAP_REDIS": ""}

    def run_(*args: str, stdin: bytes | None = None, **extra: str) -> Result:
        return invoke(*args, stdin=stdin, **(environment | extra))

    return run_


def say(settings: Settings, id_: str, thread: str, **who: str) -> dict[str, Any]:
    """A contact of now."""
    value = {
        "id": id_,
        "occurred_at": format_time(time.time_ns() // 1_000_000),
        "channel": "chat",
        "kind": "contact",
        "thread": thread,
        "identities": [{"type": kind, "value": name} for kind, name in who.items()],
    }
    key = "{}:{}".format(*next(iter(who.items())))
    put(settings, "interactions.chat", (key.encode(), value))
    return value


def breached(settings: Settings, thread: str) -> str:
    """The id of the thread's escalation, once it is breached."""
    found: list[str] = []

    def there() -> bool:
        newest = [each for each in sent(settings, "escalations.current") if each.get("thread") == thread]
        found.extend(each["escalation_id"] for each in newest if each.get("phase") == "breached")
        return bool(found)

    eventually(there, LIMIT_S, f"a breach on {thread}")
    return found[0]


def test_an_escalation_is_acknowledged_silenced_and_resolved(deployment, run):
    """Each command ends with the revision that it made; after the end there is nothing to acknowledge."""
    say(deployment, "a1", "chat:a", email="ann@example.com")
    id_ = breached(deployment, "chat:a")
    steps = [
        (("ack", id_), "acknowledged, revision"),
        (("suppress", id_, "--until", "1h"), "suppressed, revision"),
        (("unsuppress", id_), "unsuppressed, revision"),
        (("unsuppress", id_), "not suppressed"),
        (("resolve", id_), "resolved, revision"),
        (("resolve", id_), "resolved already"),
    ]
    for arguments, said in steps:
        done = run(*arguments, *(("--by", "sam", "--wait", "30")))
        assert (done.exit_code, said in done.stdout) == (0, True), done.output
    assert run("ack", id_, "--by", "sam").exit_code == 1
    revisions = [each for each in sent(deployment, "escalations") if each["escalation_id"] == id_]
    changes = [each["change"] for each in sorted(revisions, key=lambda each: each["revision"])]
    assert changes[-4:] == ["acknowledged", "suppressed", "unsuppressed", "resolved"]


def test_two_customers_are_linked_and_shown_as_one(deployment, run):
    """A link sent by hand makes one customer of two; the card names both identities and what joined them."""
    say(deployment, "b1", "chat:b", email="bob@example.com")
    say(deployment, "b2", "chat:c", phone="+12125550199")

    def card(name: str) -> dict[str, Any]:
        shown = run("customer", name, "--json")
        return json.loads(shown.stdout) if shown.exit_code == 0 else {}

    eventually(lambda: card("email:bob@example.com") and card("phone:+12125550199"), LIMIT_S, "both customers")
    assert card("email:bob@example.com")["customer_id"] != card("phone:+12125550199")["customer_id"]
    breached(deployment, "chat:b")
    assert run("link", "email:bob@example.com", "phone:+1 212 555 0199").exit_code == 0

    def one() -> bool:
        members = {each["value"] for each in card("email:bob@example.com").get("identities", [])}
        return members >= {"bob@example.com", "+12125550199", "chat:b", "chat:c"}

    eventually(one, LIMIT_S, "one customer")
    both = card("phone:+12125550199")
    assert both["customer_id"] == card("email:bob@example.com")["customer_id"]
    joined = {each["value"]: each["joined_by"] for each in both["identities"]}
    assert (joined["bob@example.com"], joined["+12125550199"]) == ("b1", "b2")
    assert both["open_escalations"][0]["metric"] == "first_response"
    (former,) = both["aliases"]
    assert card(former)["customer_id"] == both["customer_id"]
    assert run("unlink", "phone:+12125550199", "email:bob@example.com").exit_code == 0
    eventually(lambda: not one(), LIMIT_S, "two customers again")

    def apart() -> bool:
        ids = {card(name).get("customer_id") for name in ("email:bob@example.com", "phone:+12125550199")}
        return len(ids - {None}) == 2

    eventually(apart, LIMIT_S, "both customers again")
    nobody = run("customer", "email:nobody@example.com")
    assert (nobody.exit_code, nobody.stderr.count("\n")) == (1, 1)
    assert run("customer", "cus_nobody").exit_code == 1


def test_a_refused_identity_is_told_on_both_sides(deployment, run):
    """A phone that two accounts use stays with the first; who asks about either sees what was refused, and by what."""
    say(deployment, "h1", "chat:h", customer_id="C1", phone="+12125550177")
    breached(deployment, "chat:h")
    say(deployment, "h2", "chat:i", customer_id="C2", phone="+12125550177")

    def refused(name: str) -> list[tuple[str, str, str]]:
        shown = run("customer", name, "--json")
        found = json.loads(shown.stdout)["refused"] if shown.exit_code == 0 else []
        return [(each["identity"]["value"], each["reason"], each["record_id"]) for each in found]

    eventually(lambda: refused("customer_id:C2"), LIMIT_S, "the refusal")
    expected = [("+12125550177", "limit:customer_id", "h2")]
    assert refused("customer_id:C2") == refused("phone:+12125550177") == expected


def test_the_read_model_gives_a_fast_answer_and_a_stale_one_does_no_harm(deployment, run, redis):
    """`--fast` asks Redis alone; without it, an identity that has moved on since is looked up in Kafka."""
    say(deployment, "f1", "chat:f", email="flo@example.com")
    say(deployment, "f2", "chat:g", email="gus@example.com")
    id_, other = breached(deployment, "chat:f"), breached(deployment, "chat:g")
    rebuilt = run("readmodel", "rebuild", MINDGAP_REDIS=redis, MINDGAP_PARTITIONS=str(deployment.partitions))
    assert rebuilt.exit_code == 0, rebuilt.output

    def card(*options: str) -> dict[str, Any]:
        shown = run("customer", "email:flo@example.com", "--json", *options, MINDGAP_REDIS=redis)
        assert shown.exit_code == 0, shown.output
        return json.loads(shown.stdout)

    fast, whole = card("--fast"), card()
    assert set(fast) == {"customer_id", "open_escalations"}
    assert id_ in {each["escalation_id"] for each in fast["open_escalations"]}
    assert whole["customer_id"] == fast["customer_id"]
    client = Redis.from_url(redis)
    client.set("mindgap:identity:email:flo@example.com", client.get("mindgap:identity:email:gus@example.com"))
    client.close()
    assert other in {each["escalation_id"] for each in card("--fast")["open_escalations"]}
    assert card() == whole
    unknown = run("customer", "email:nobody@example.com", "--fast", MINDGAP_REDIS=redis)
    assert (unknown.exit_code, unknown.stderr.count("\n")) == (1, 1)


def test_a_corrected_dead_letter_is_taken_in(deployment, run):
    """Set aside, shown, corrected, put back: then it counts, and is not put back again by accident."""
    value = say(deployment, "d1", "chat:d", email="dee@example.com") | {"id": "d2", "thread": "chat:e"}
    bad = value | {"occurred_at": "yesterday"}
    put(deployment, "interactions.chat", (b"email:dee@example.com", bad))

    def letters() -> list[dict[str, Any]]:
        listed = run("dead-letters", "list", "--json", "--reason", "schema")
        return [json.loads(line) for line in listed.stdout.splitlines()]

    eventually(letters, LIMIT_S, "the dead letter")
    (letter,) = letters()
    assert json.loads(run("dead-letters", "show", "d2", "--value").stdout) == bad
    done = run("dead-letters", "retry", letter["letter"], "--edit", "-", stdin=json.dumps(value).encode())
    assert done.exit_code == 0, done.output
    breached(deployment, "chat:e")
    assert run("dead-letters", "retry", letter["letter"]).exit_code == 1
    assert len(letters()) == 1
