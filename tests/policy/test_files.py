"""Tiny policy files, sound and unsound; what is wrong with each unsound one is in the `.expected` file beside it."""

from pathlib import Path

import jsonschema
import pytest

from schemas import codec
from schemas.json_schema import document
from schemas.policy import PolicyDocument
from schemas.policy_problem import PolicyError
from streams.calendar_zones import TZDATA_VERSION
from streams.policy import compile_policy
from streams.policy_file import read_policy, read_policy_bytes, read_policy_value
from streams.policy_text import parse

DATA = Path(__file__).parent / "data"
SHIPPED = Path(__file__).parents[2] / "deploy" / "policy"
GOOD = sorted((DATA / "good").iterdir())
BAD = sorted(path for path in (DATA / "bad").iterdir() if path.suffix != ".expected")
EXAMPLES = sorted(SHIPPED.glob("*.yaml"))


def names(paths):
    return [path.name for path in paths]


@pytest.mark.parametrize("path", GOOD + EXAMPLES, ids=names(GOOD + EXAMPLES))
def test_sound_files_are_read(path):
    """A sound file is read and compiles; what is written again as JSON is the same document."""
    found = read_policy_bytes(path.read_bytes(), path.name)
    assert compile_policy(found).version == found.version
    again = read_policy_value(found.to_json(), "again")
    assert again == found
    assert again.to_json() == found.to_json()


@pytest.mark.parametrize("path", BAD, ids=names(BAD))
def test_unsound_files_say_where(path):
    """Everything that is wrong is said at once, in order, by line and column."""
    with pytest.raises(PolicyError) as caught:
        read_policy_bytes(path.read_bytes(), path.name)
    expected = path.with_name(f"{path.name}.expected").read_text().replace("{tzdata}", TZDATA_VERSION).splitlines()
    assert [str(problem) for problem in caught.value.problems] == [f"{path.name}:{line}" for line in expected]


@pytest.mark.parametrize("path", GOOD + EXAMPLES, ids=names(GOOD + EXAMPLES))
def test_sound_files_fit_the_json_schema(path):
    """The JSON Schema accepts what the program accepts, but for headings with nothing below them."""
    value = {key: part for key, part in parse(path.read_text(encoding="utf-8-sig")).value.items() if part is not None}
    jsonschema.Draft202012Validator(document("policy")).validate(value)
    jsonschema.Draft202012Validator(document("policy")).validate(PolicyDocument.model_validate(value).to_json())


@pytest.mark.parametrize(
    "name", ["unknown-key", "unknown-deep-keys", "channels", "numbers", "windows", "words", "patterns"]
)
def test_unsound_shapes_do_not_fit_the_json_schema(name):
    """What an editor can see without this program, the JSON Schema tells it."""
    value = parse((DATA / "bad" / f"{name}.yaml").read_text()).value
    assert not jsonschema.Draft202012Validator(document("policy")).is_valid(value)


def test_the_contract_s_own_document():
    """Each part of the contract's example arrives where it belongs."""
    policy = compile_policy(read_policy_bytes((DATA / "good" / "contract.yaml").read_bytes(), "contract.yaml"))
    assert policy.version == "2026-11-22.1"
    assert policy.apply == "open"
    assert set(policy.calendars) == {"office", "nights", "always"}
    assert policy.is_public("social")
    assert not policy.is_public("phone")
    assert "abandoned" not in policy.patterns
    assert len(policy.patterns) == 17
    assert [step.role for step in policy.ladder("critical")] == ["shift_lead", "head_of_service", "executive"]
    assert policy.contact("shift_lead") == "pagerduty:PABC"
    assert "5550100" in policy.blocked
    assert policy.max_age == 400 * 24 * 3_600_000


def test_yaml_and_json_are_one_language():
    """The same document in both gives the same policy."""
    text = (SHIPPED / "city-311.yaml").read_text()
    assert read_policy_value(read_policy(text, "a").to_json(), "b") == read_policy(text, "a")
    assert read_policy(codec.dumps(parse(text).value).decode(), "c") == read_policy(text, "a")


def test_values_without_text_have_paths():
    """A document that comes decoded from a topic has no lines; its problems name the path."""
    with pytest.raises(PolicyError) as caught:
        read_policy_value({"version": "1", "channels": {"phone": {"calendar": "ofice"}}}, "policies/1")
    assert str(caught.value) == "policies/1: channels.phone.calendar: no calendar is called 'ofice'"
    for value in (None, [], "x", 1):
        with pytest.raises(PolicyError, match="mapping"):
            read_policy_value(value, "x")


def test_at_most_so_many_problems():
    """A file that is wrong everywhere gives a bounded report."""
    with pytest.raises(PolicyError) as caught:
        read_policy("version: a\n" + "".join(f"k{i}: 1\n" for i in range(1000)), "x")
    assert len(caught.value.problems) == 200


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        "{a: " * 50_000,
        "- " * 100_000,
        "a: " + "x" * 600_000,
        '"' + "x" * 200_000,
        ":" * 100_000,
        "*a",
        "\n" * 300_000,
    ],
    ids=["flow lists", "flow maps", "lists", "too long", "no end", "colons", "no anchor", "lines"],
)
@pytest.mark.timeout(20)
def test_hostile_texts(text):
    """Whatever the text, the answer is a problem, and it comes soon."""
    with pytest.raises(PolicyError):
        read_policy(text, "x")
