"""JSON Schema (draft 2020-12) of every record in and out, made from the models.

The files in `schemas/json` are what this module makes, kept in the repository so that a change of a record
shows in review; a test and `make check` compare them.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from schemas.clock import Clock
from schemas.command import Command
from schemas.conflict import Conflict
from schemas.customer import Customer
from schemas.dead_letter import DeadLetter
from schemas.escalation import Escalation
from schemas.gap import ChannelGap
from schemas.interaction import Interaction
from schemas.link import Link
from schemas.notification import Notification
from schemas.policy import PolicyDocument
from schemas.record import SCHEMA_VERSION


class Record(NamedTuple):
    """A record, the model that describes it, and whether it comes in."""

    model: type[BaseModel]
    incoming: bool


RECORDS: Mapping[str, Record] = {
    "interaction": Record(Interaction, incoming=True),
    "link": Record(Link, incoming=True),
    "command": Record(Command, incoming=True),
    "policy": Record(PolicyDocument, incoming=True),
    "escalation": Record(Escalation, incoming=False),
    "clock": Record(Clock, incoming=False),
    "notification": Record(Notification, incoming=False),
    "gap": Record(ChannelGap, incoming=False),
    "conflict": Record(Conflict, incoming=False),
    "dead_letter": Record(DeadLetter, incoming=False),
    "customer": Record(Customer, incoming=False),
}
"""Every record that crosses the edge, by the name of its schema."""


class _Generator(GenerateJsonSchema):
    """Pydantic's, without what says nothing: `default: null` on fields that are never null, and titles."""

    schema_dialect = "https://json-schema.org/draft/2020-12/schema"

    def field_title_should_be_set(self, schema: Any) -> bool:
        """No titles that only repeat a field's name."""
        del schema
        return False

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        """The schema of a field with a default: a null default says nothing that `required` does not."""
        made = super().default_schema(schema)
        if "default" in made and made["default"] is None:
            made = {key: value for key, value in made.items() if key != "default"}
        return made


def document(name: str) -> dict[str, Any]:
    """The JSON Schema of the record `name`; raises KeyError for a name that is not in `RECORDS`."""
    made = RECORDS[name].model.model_json_schema(schema_generator=_Generator)
    head = {
        "$schema": _Generator.schema_dialect,
        "$id": f"urn:mindgap:{name}:{SCHEMA_VERSION}",
    }
    return head | made


def documents() -> dict[str, dict[str, Any]]:
    """The JSON Schema of every record, by name."""
    return {name: document(name) for name in RECORDS}
