"""`mindgap ack | suppress | unsuppress | resolve`: what is sent, what is waited for, and what is said."""

from typing import Any

import pytest

from agents.free_port import free_port
from agents.order import Order, command_of
from schemas.codec import dumps
from schemas.command import Command
from schemas.times import HOUR, parse_time
from tests.commands.conftest import a_worker_that, put, sent
from tests.shell.traffic import everything
from topics.dead_letter import Refused, encode
from topics.partitioner import partition_of

CURRENT = "escalations.current"
ID = "esc_kim"
CUSTOMER = "cus_7.1"


def revision(number: int = 1, change: str = "opened", status: str = "open", **fields: Any) -> dict[str, Any]:
    """As much of a revision as the commands look at."""
    return {
        "escalation_id": ID,
        "revision": number,
        "change": change,
        "status": status,
        "severity": "error",
        "customer_id": CUSTOMER,
        "detected_at": "2026-06-08T13:00:00.000Z",
        **fields,
    }


def answered(number: int, change: str, status: str, **fields: Any):
    """A worker's answer: the revision, which stands on both topics."""
    value = revision(number, change, status, **fields)

    def answer(_: dict[str, Any]) -> list[tuple[str, bytes, Any]]:
        return [("escalations", CUSTOMER.encode(), value), (CURRENT, ID.encode(), value)]

    return answer


def test_an_acknowledgement_is_sent_to_the_customer_and_told_when_it_is_seen(settings, mindgap):
    """The record is a command under the customer's key, on its partition; the answer names the revision."""
    put(settings, CURRENT, (ID.encode(), revision()), (b"esc_other", revision(escalation_id="esc_other")))
    with a_worker_that(settings, answered(2, "acknowledged", "acknowledged", acknowledged_by="sam")):
        done = mindgap("ack", ID, "--by", "sam", "--reason", "on it")
    assert done.exit_code == 0, done.output
    assert done.stdout == f"{ID}: acknowledged, revision 2, by sam\n"
    (record,) = everything(settings, "escalations.commands")
    assert record.key == CUSTOMER.encode()
    assert record.partition == partition_of(record.key, settings.partitions)
    command = Command.model_validate_json(record.value)
    assert (command.action, command.by, command.reason, command.until) == ("acknowledge", "sam", "on it", None)


def test_somebody_else_s_acknowledgement_is_not_taken_for_ours(settings, mindgap):
    """A revision that names another person is no effect of this command."""
    put(settings, CURRENT, (ID.encode(), revision()))
    with a_worker_that(settings, answered(2, "acknowledged", "acknowledged", acknowledged_by="kai")):
        done = mindgap("ack", ID, "--by", "sam", "--wait", "1.5")
    assert done.exit_code == 1
    assert "no effect was seen within 1.5 s" in done.stderr


def test_an_old_revision_that_comes_again_is_no_effect(settings, mindgap):
    """A worker that recovers sends again what it may not have sent: only what is newer than what was known counts."""
    mine = {"acknowledged_by": "sam"}
    put(settings, CURRENT, (ID.encode(), revision(2, "acknowledged", "acknowledged", **mine)))
    put(settings, CURRENT, (ID.encode(), revision(3, "updated")))
    with a_worker_that(settings, answered(2, "acknowledged", "acknowledged", **mine)):
        done = mindgap("ack", ID, "--by", "sam", "--wait", "1.5")
    assert done.exit_code == 1, done.output
    assert "no effect was seen" in done.stderr


def test_suppressing_takes_a_time_or_how_long(settings, mindgap):
    """`--until 4h` is four hours from now; a past time is wrong usage, and nothing is sent."""
    put(settings, CURRENT, (ID.encode(), revision()))
    past = mindgap("suppress", ID, "--until", "2026-01-01T00:00:00Z")
    assert (past.exit_code, "in the past" in past.stderr) == (2, True)
    assert mindgap("suppress", ID, "--until", "soon").exit_code == 2
    assert sent(settings) == []
    with a_worker_that(settings, answered(2, "suppressed", "suppressed")):
        done = mindgap("suppress", ID, "--until", "4h", "--by", "sam")
    assert done.exit_code == 0, done.output
    (command,) = sent(settings)
    assert parse_time(command["until"]) - parse_time(command["at"]) in range(4 * HOUR - 60_000, 4 * HOUR + 1)
    assert command["until"] in done.stdout


def test_a_command_that_is_set_aside_is_told_with_its_reason(settings, mindgap):
    """The dead letter of this very command ends the waiting with status 1; that of another does not."""
    put(settings, CURRENT, (ID.encode(), revision()))

    def refuse(command: dict[str, Any]) -> list[tuple[str, bytes, Any]]:
        topic = settings.topic_prefix + "escalations.commands"
        detail = "escalation_id: no open escalation of this customer"

        def letter(value: Any) -> bytes:
            return encode(Refused(b"k", dumps(value), (), topic, 0, 0, "unknown_escalation", detail, 0))

        others = [("interactions.dead", b"x", letter({"id": "another"})), ("interactions.dead", b"x", b"no letter")]
        return [*others, ("interactions.dead", CUSTOMER.encode(), letter(command))]

    with a_worker_that(settings, refuse):
        done = mindgap("resolve", ID, "--by", "sam")
    assert done.exit_code == 1
    assert done.stderr.count("\n") == 1
    assert "unknown_escalation: escalation_id: no open escalation of this customer" in done.stderr
    assert "its dead letter is" in done.stderr


def test_without_a_worker_the_same_call_sends_the_same_command(settings, mindgap):
    """Nobody answers: status 1 in time, nothing lost; a repeated call has the same id, so it acts once."""
    put(settings, CURRENT, (ID.encode(), revision()))
    late = mindgap("ack", ID, "--by", "sam", "--wait", "0.5")
    assert late.exit_code == 1
    assert "is a worker running" in late.stderr
    only_sent = mindgap("ack", ID, "--by", "sam", "--wait", "0")
    assert only_sent.exit_code == 0, only_sent.output
    named = mindgap("ack", ID, "--by", "sam", "--wait", "0", "--id", "mine")
    assert named.exit_code == 0, named.output
    first, second, third = (command["id"] for command in sent(settings))
    assert first == second
    assert third == "mine"
    assert second in only_sent.stdout


def test_the_derived_id_changes_with_what_is_wanted():
    """Escalation, revision, action, person and time each make another command; asking at another moment does not."""
    order = Order(ID, "suppress", "sam", until=5)
    ids = {
        command_of(each, revision(number), now=0)["id"]
        for each, number in (
            (order, 1),
            (order, 2),
            (order._replace(escalation_id="esc_b"), 1),
            (order._replace(action="resolve"), 1),
            (order._replace(by="kai"), 1),
            (order._replace(until=6), 1),
        )
    }
    assert len(ids) == 6
    assert command_of(order, revision(), now=0)["id"] == command_of(order, revision(), now=9)["id"]


@pytest.mark.parametrize(
    ("records", "action", "status", "said"),
    [
        ([], "ack", 1, "is not on escalations.current"),
        ([revision(), None], "ack", 1, "was resolved long ago"),
        ([revision(), revision(2, "resolved", "resolved", reason="answered")], "ack", 1, "resolved already"),
        ([revision(), revision(2, "resolved", "resolved", reason="answered")], "resolve", 0, "(answered)"),
        ([revision()], "unsuppress", 0, "not suppressed (open)"),
    ],
)
def test_what_cannot_be_done_or_need_not_be_is_said_and_not_sent(settings, mindgap, records, action, status, said):
    """Nothing is sent for an escalation that is unknown, over, or already as it should be."""
    for value in records:
        put(settings, CURRENT, (ID.encode(), value))
    done = mindgap(action, ID, "--by", "sam")
    assert (done.exit_code, said in done.output) == (status, True), done.output
    assert sent(settings) == []


def test_an_escalation_that_ended_by_itself_is_told_so(settings, mindgap):
    """`resolve` is content when the answer came first."""
    put(settings, CURRENT, (ID.encode(), revision()))
    with a_worker_that(settings, answered(2, "resolved", "resolved", reason="answered")):
        done = mindgap("resolve", ID, "--by", "sam")
    assert done.exit_code == 0, done.output
    assert "(answered): it ended by itself" in done.stdout


def test_the_read_model_spares_reading_and_kafka_has_the_last_word(settings, mindgap, redis):
    """What Redis has not seen yet is read from where it stands; what it never saw, from the beginning."""
    put(settings, CURRENT, (ID.encode(), revision()))
    followed = mindgap("readmodel", "rebuild", MINDGAP_REDIS=redis, MINDGAP_PARTITIONS=str(settings.partitions))
    assert followed.exit_code == 0, followed.output
    put(settings, CURRENT, (ID.encode(), revision(2, "raised", severity="critical")), (b"esc_new", revision()))
    for id_ in (ID, "esc_new"):
        done = mindgap("ack", id_, "--by", "sam", "--wait", "0", MINDGAP_REDIS=redis)
        assert done.exit_code == 0, done.output
    expected = command_of(Order(ID, "acknowledge", "sam"), revision(2), now=0)["id"]
    assert {command["escalation_id"]: command["id"] for command in sent(settings)}[ID] == expected


def test_a_redis_that_is_away_does_not_stop_an_operator(settings, mindgap):
    """Redis lost is nothing lost: Kafka is read."""
    put(settings, CURRENT, (ID.encode(), revision()))
    done = mindgap("ack", ID, "--by", "sam", "--wait", "0", MINDGAP_REDIS=f"redis://127.0.0.1:{free_port()}/0")
    assert done.exit_code == 0, done.output
    assert "the read model does not answer" in done.stderr


def test_a_broker_that_is_away_is_said(mindgap):
    """One line with the address, and status 1."""
    done = mindgap("ack", ID, "--broker", "127.0.0.1:1")
    assert (done.exit_code, done.stderr.count("\n")) == (1, 1)
    assert "127.0.0.1:1" in done.stderr


def test_missing_topics_are_said_and_not_made(bare, mindgap):
    """A wrong prefix is the likeliest mistake: it is named, and no topic comes into being by asking."""
    for _ in range(2):
        done = mindgap("ack", ID)
        assert (done.exit_code, done.stderr.count("\n")) == (1, 1)
        assert "MINDGAP_TOPIC_PREFIX" in done.stderr


@pytest.mark.parametrize("options", [["--by", "x" * 101], ["--reason", "x" * 501], ["--id", ""]])
def test_what_no_command_can_hold_is_wrong_usage(settings, mindgap, options):
    """Fields that are too long or empty are refused before anything is sent."""
    put(settings, CURRENT, (ID.encode(), revision()))
    done = mindgap("ack", ID, *options)
    assert done.exit_code == 2, done.output
    assert sent(settings) == []
