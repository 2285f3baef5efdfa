"""The AsyncAPI document: every public topic, with the JSON Schema of its records."""

from typing import Any

from schemas.json_schema import RECORDS
from schemas.record import SCHEMA_VERSION
from topics.table import TOPICS, Topic

_NAMES = {f"{record.model.__module__}:{record.model.__name__}": name for name, record in RECORDS.items()}


def document() -> dict[str, Any]:
    """AsyncAPI 3.0. Payloads refer to the JSON Schema files beside it; internal topics are left out."""
    public = [topic for topic in TOPICS.values() if topic.role in {"input", "output"} and topic.record]
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Mindgap",
            "version": SCHEMA_VERSION,
            "description": "What Mindgap reads and writes on Kafka. A prefix may stand before every address.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {topic.name: _channel(topic) for topic in public},
        "operations": {f"{_verb(topic)}.{topic.name}": _operation(topic) for topic in public},
        "components": {"messages": {name: _message(name) for name in sorted({_record(topic) for topic in public})}},
    }


def _record(topic: Topic) -> str:
    return _NAMES[topic.record or ""]


def _verb(topic: Topic) -> str:
    return "receive" if topic.role == "input" else "send"


def _channel(topic: Topic) -> dict[str, Any]:
    name = _record(topic)
    return {
        "address": topic.name,
        "description": f"Key: {topic.key}. Cleanup: {topic.cleanup}.",
        "messages": {name: {"$ref": f"#/components/messages/{name}"}},
    }


def _operation(topic: Topic) -> dict[str, Any]:
    pointer = f"#/channels/{topic.name}"
    return {
        "action": _verb(topic),
        "channel": {"$ref": pointer},
        "messages": [{"$ref": f"{pointer}/messages/{_record(topic)}"}],
    }


def _message(name: str) -> dict[str, Any]:
    return {
        "name": name,
        "contentType": "application/json",
        "payload": {
            "schemaFormat": "application/schema+json;version=draft-2020-12",
            "schema": {"$ref": f"./{name}.json"},
        },
    }
