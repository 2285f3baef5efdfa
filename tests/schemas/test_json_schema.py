"""The JSON Schema files are what the models say."""

import json

import jsonschema
import pytest

from agents.commands.schema import FOLDER
from schemas.command import Command
from schemas.interaction import Interaction
from schemas.json_schema import RECORDS, document, documents
from schemas.link import Link
from tests.house.command import run
from topics import asyncapi
from topics.table import TOPICS


def test_the_files_in_the_repository_are_made_from_the_models():
    """A changed record shows in review: run `make schemas` and commit."""
    there = {path.stem: json.loads(path.read_text()) for path in FOLDER.glob("*.json")}
    assert there == documents() | {"asyncapi": asyncapi.document()}


def test_every_public_topic_is_in_the_asyncapi_document_with_a_record_that_exists():
    """Inputs are received, outputs are sent, internal topics are nobody's business."""
    made = asyncapi.document()
    public = {topic.name for topic in TOPICS.values() if topic.role in {"input", "output"}}
    assert set(made["channels"]) == public
    assert {name for channel in made["channels"].values() for name in channel["messages"]} <= set(RECORDS)


@pytest.mark.parametrize("name", RECORDS)
def test_every_document_is_a_json_schema_with_a_name_of_its_own(name):
    """Each is valid draft 2020-12, and its `$id` carries the record and the version."""
    made = document(name)
    jsonschema.Draft202012Validator.check_schema(made)
    assert made["$id"] == f"urn:mindgap:{name}:1"
    assert made["description"]


@pytest.mark.parametrize(
    ("name", "model", "record"),
    [
        (
            "interaction",
            Interaction,
            {
                "id": "e1",
                "occurred_at": "2026-06-08T13:00:00+02:00",
                "channel": "phone",
                "kind": "contact",
                "thread": "t",
                "new": 1,
            },
        ),
        (
            "link",
            Link,
            {
                "id": "l1",
                "occurred_at": "2026-06-08T13:00:00Z",
                "action": "link",
                "a": {"type": "email", "value": "a"},
                "b": {"type": "phone", "value": "1"},
            },
        ),
        (
            "command",
            Command,
            {
                "id": "c1",
                "at": "2026-06-08T13:00:00Z",
                "customer_id": "x",
                "escalation_id": "y",
                "action": "resolve",
                "by": "kim",
            },
        ),
    ],
)
def test_what_comes_in_passes_model_and_schema_alike(name, model, record):
    """Input with unknown fields is accepted by both; input without an id by neither."""
    checker = jsonschema.Draft202012Validator(document(name))
    model.model_validate(record)
    assert checker.is_valid(record)
    del record["id"]
    assert not checker.is_valid(record)
    with pytest.raises(ValueError, match="id"):
        model.model_validate(record)


def test_drift_ends_the_check_with_one(tmp_path):
    """A missing, a changed and a foreign file are each named, in one line."""
    assert run("schema", "--write", "--folder", str(tmp_path)).returncode == 0
    assert run("schema", "--check", "--folder", str(tmp_path)).returncode == 0
    (tmp_path / "gap.json").write_text("{}")
    (tmp_path / "clock.json").unlink()
    (tmp_path / "old.json").write_text("{}")
    done = run("schema", "--check", "--folder", str(tmp_path))
    assert done.returncode == 1
    assert {"gap.json", "clock.json", "old.json"} <= set(done.stderr.replace(",", "").replace(":", "").split())
    assert done.stderr.count("\n") == 1
