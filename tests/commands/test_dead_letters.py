"""`mindgap dead-letters`: counted, looked at, put back once."""

import json
from typing import Any

import pytest

from agents.letters import RETRIED_OFFSET, RETRY_OF
from schemas.codec import dumps
from schemas.times import HOUR, parse_time
from tests.commands.conftest import put
from tests.shell.traffic import everything, send
from topics.dead_letter import Refused, encode
from topics.partitioner import partition_of

CHAT, EMAIL = "interactions.chat", "interactions.email"
T0 = parse_time("2026-06-08T13:00:00Z")
GOOD = dumps(
    {
        "id": "e1",
        "occurred_at": "2026-06-08T13:00:00Z",
        "channel": "chat",
        "kind": "contact",
        "thread": "chat:1",
        "identities": [{"type": "email", "value": "kim@example.com"}],
    }
)
KEY = b"email:kim@example.com"


def letter(
    settings, topic: str = CHAT, *, hours: int = 0, value: bytes | None = b'{"id": "e1"}', **fields: Any
) -> bytes:
    """The dead letter of a record on partition 1, offset 0, set aside `hours` after one o'clock."""
    given = {"key": KEY, "headers": (("source", b"zendesk"),), "partition": 1, "offset": 0, "reason": "schema"} | fields
    detail = "occurred_at: Field required"
    return encode(
        Refused(topic=settings.topic_prefix + topic, value=value, detail=detail, seen_at=T0 + hours * HOUR, **given)
    )


def bury(settings, *letters: bytes) -> list[str]:
    """The letters on their topic; the places where they stand, in order."""
    before = {(r.partition, r.offset) for r in everything(settings, "interactions.dead")}
    send(settings, "interactions.dead", [(KEY, each) for each in letters])
    after = sorted((r.partition, r.offset) for r in everything(settings, "interactions.dead"))
    return [f"{partition}:{offset}" for partition, offset in after if (partition, offset) not in before]


def occupy(settings, topic: str = CHAT, number: int = 1) -> None:
    """Records that stand on partition 1 where the refused ones stood."""
    key = next(key for key in map(b"%d".__mod__, range(100)) if partition_of(key, settings.partitions) == 1)
    put(settings, topic, *[(key, b"{}")] * number)


def test_letters_are_counted_and_the_newest_come_first(settings, mindgap):
    """By reason and topic; with filters; nothing of what the records hold is shown."""
    secret = b'{"text": "my secret"}'
    places = bury(
        settings,
        letter(settings, hours=1, value=secret),
        letter(settings, hours=3, value=secret),
        letter(settings, EMAIL, hours=2, reason="not_json", value=b"\xff"),
        b"no letter at all",
    )
    done = mindgap("dead-letters", "list")
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert lines[0] == "3 dead letters"
    assert lines[1].split() == ["2", "schema", settings.topic_prefix + CHAT]
    assert [line.split()[0] for line in lines[-3:]] == [places[1], places[2], places[0]]
    assert "secret" not in done.stdout
    assert "kim@example.com" not in done.stdout

    def listed(*options: str) -> list[str]:
        shown = mindgap("dead-letters", "list", "--json", *options)
        assert shown.exit_code == 0, shown.output
        return [json.loads(line)["letter"] for line in shown.stdout.splitlines()]

    assert listed() == [places[1], places[2], places[0]]
    assert listed("--limit", "1") == [places[1]]
    assert listed("--reason", "not_json") == [places[2]]
    assert listed("--topic", CHAT) == listed("--topic", settings.topic_prefix + CHAT) == [places[1], places[0]]
    assert listed("--since", "2026-06-08T15:00:00Z") == [places[1], places[2]]
    assert listed("--since", "1s") == []


def test_a_letter_is_shown_whole(settings, mindgap):
    """By place or by the id of its record: envelope, headers and value; `--value` gives the bytes."""
    odd = b'{"text": "\x1b[2J caf\xc3\xa9"}'
    first, second, third = bury(
        settings,
        letter(settings, value=odd),
        letter(settings, value=b"\xff\x00"),
        letter(settings, value=b'{"id": "e7"}'),
    )
    done = mindgap("dead-letters", "show", first)
    assert done.exit_code == 0, done.output
    assert "occurred_at: Field required" in done.stdout
    assert "zendesk" in done.stdout
    assert "café" in done.stdout
    assert "\x1b" not in done.stdout
    assert mindgap("dead-letters", "show", first, "--value").stdout_bytes == odd
    assert mindgap("dead-letters", "show", "--value", second).stdout_bytes == b"\xff\x00"
    assert "(base64) /wA=" in mindgap("dead-letters", "show", second).stdout
    whole = json.loads(mindgap("dead-letters", "show", "e7", "--json").stdout)
    assert (whole["letter"], whole["reason"]) == (third, "schema")


def test_a_letter_that_is_not_there_is_said(settings, mindgap):
    """A place beyond the topic, an id that nobody has, an id that two have: status 1 and one line."""
    bury(settings, letter(settings), letter(settings))
    for name, said in (
        ("0:99", "no dead letter at 0:99"),
        ("99:0", "3 partitions"),
        ("nobody", "PARTITION:OFFSET"),
        ("e1", "2 dead letters"),
    ):
        done = mindgap("dead-letters", "show", name)
        assert (done.exit_code, said in done.stderr, done.stderr.count("\n")) == (1, True, 1), done.output


def test_a_record_goes_back_as_it_was_and_only_once(settings, mindgap):
    """Key, value, headers and partition are the record's; a mark says where it comes from; `--again` does it again."""
    occupy(settings)
    (place,) = bury(settings, letter(settings, value=b"\xffraw", headers=(("source", b"zendesk"), ("empty", None))))
    before = everything(settings, "interactions.dead")
    dry = mindgap("dead-letters", "retry", place, "--dry-run")
    assert (dry.exit_code, "would be put back" in dry.stdout) == (0, True), dry.output
    assert len(everything(settings, CHAT)) == 1
    done = mindgap("dead-letters", "retry", place)
    assert done.exit_code == 0, done.output
    back = everything(settings, CHAT)[-1]
    assert (back.key, back.value, back.partition) == (KEY, b"\xffraw", 1)
    marks = ((RETRY_OF, place.encode()), (RETRIED_OFFSET, b"0"))
    assert back.headers == (("source", b"zendesk"), ("empty", None), *marks)
    twice = mindgap("dead-letters", "retry", place)
    assert (twice.exit_code, "--again" in twice.stdout) == (1, True), twice.output
    assert len(everything(settings, CHAT)) == 2
    assert mindgap("dead-letters", "retry", place, "--again").exit_code == 0
    assert len(everything(settings, CHAT)) == 3
    assert everything(settings, "interactions.dead") == before
    assert all(not everything(settings, topic) for topic in (EMAIL, "customer-inbox", "identity-inbox"))


def test_a_retry_that_is_set_aside_again_can_be_retried(settings, mindgap):
    """The new letter says whose retry it is, and going back it carries one mark, not two."""
    occupy(settings, number=6)
    old = ((RETRY_OF, b"0:1"), (RETRIED_OFFSET, b"2"))
    (place,) = bury(settings, letter(settings, offset=5, headers=(("source", b"zendesk"), *old)))
    assert "(a retry of 0:1)" in mindgap("dead-letters", "list").stdout
    assert mindgap("dead-letters", "retry", place).exit_code == 0
    back = everything(settings, CHAT)[-1]
    assert back.headers == (("source", b"zendesk"), (RETRY_OF, place.encode()), (RETRIED_OFFSET, b"5"))


def test_letters_go_back_by_filter_the_same_record_once(settings, mindgap):
    """Only what is wanted moves, the oldest first, no more than the limit; the rest is for the next call."""
    occupy(settings, number=5)
    wanted = [letter(settings, offset=number, value=b"%d" % number) for number in range(4)]
    bury(settings, wanted[0], wanted[1], wanted[1], wanted[2], wanted[3], letter(settings, reason="not_json", offset=4))
    some = mindgap("dead-letters", "retry", "--reason", "schema", "--limit", "3")
    assert some.exit_code == 0, some.output
    counted = "3 put back, 1 the same record as another letter, 1 left for the next call (--limit)"
    assert some.stdout.splitlines()[-1] == counted
    rest = mindgap("dead-letters", "retry", "--reason", "schema", "--limit", "3")
    assert rest.exit_code == 0, rest.output
    assert [r.value for r in everything(settings, CHAT)[5:]] == [b"0", b"1", b"2", b"3"]
    assert mindgap("dead-letters", "retry", "--reason", "schema").exit_code == 0
    assert len(everything(settings, CHAT)) == 9
    assert "no dead letter" in mindgap("dead-letters", "retry", "--topic", EMAIL).stdout


def test_a_corrected_record_goes_back_in_its_place(settings, mindgap, tmp_path):
    """From a file or standard input; what would be set aside again at once is refused, with what is wrong."""
    occupy(settings)
    (place,) = bury(settings, letter(settings))
    file = tmp_path / "fixed.json"
    for wrong, said in ((b'{"id": "e1"}', "schema: occurred_at"), (b"{", "not_json")):
        file.write_bytes(wrong)
        done = mindgap("dead-letters", "retry", place, "--edit", str(file))
        assert (done.exit_code, said in done.stderr) == (1, True), done.output
    missing = mindgap("dead-letters", "retry", place, "--edit", str(tmp_path / "nowhere"))
    assert (missing.exit_code, "nowhere" in missing.stderr) == (1, True), missing.output
    assert len(everything(settings, CHAT)) == 1
    done = mindgap("dead-letters", "retry", place, "--edit", "-", stdin=GOOD)
    assert done.exit_code == 0, done.output
    back = everything(settings, CHAT)[-1]
    assert (back.key, back.value) == (KEY, GOOD)


def test_a_letter_of_a_topic_that_is_not_read_stays(settings, mindgap):
    """Nothing is written to outputs or changelogs, nor to topics of another deployment."""
    places = bury(settings, *(letter(settings, topic) for topic in ("escalations", "changelog.customers", "../x")))
    for place in places:
        done = mindgap("dead-letters", "retry", place)
        assert (done.exit_code, "not of a topic that is read here" in done.stdout) == (1, True), done.output
        edited = mindgap("dead-letters", "retry", place, "--edit", "-", stdin=GOOD)
        assert (edited.exit_code, "not of a topic that is read here" in edited.stdout) == (1, True), edited.output
    assert everything(settings, "escalations") == []


def test_a_record_as_large_as_the_topic_takes_goes_back(settings, mindgap):
    """What arrived can be put back: three MiB, more than a producer sends by default."""
    occupy(settings)
    (place,) = bury(settings, letter(settings, value=b"x" * 3 * 1024 * 1024, reason="too_large"))
    done = mindgap("dead-letters", "retry", place)
    assert done.exit_code == 0, done.output
    assert len(everything(settings, CHAT)[-1].value) == 3 * 1024 * 1024


@pytest.mark.parametrize(
    "arguments",
    [
        ["retry"],
        ["retry", "0:1", "--reason", "schema"],
        ["retry", "--edit", "f", "--reason", "schema"],
        ["retry", "0:1", "0:2", "--edit", "f"],
        ["list", "--reason", "bad"],
        ["list", "--since", "never"],
    ],
)
def test_wrong_usage_is_said(mindgap, arguments):
    """Status 2 and one line, before any broker is asked."""
    done = mindgap("dead-letters", *arguments)
    assert (done.exit_code, done.stderr.count("\n")) == (2, 1), done.output
