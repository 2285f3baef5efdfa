"""JSON in and out, by orjson. The one place that knows how a record becomes bytes."""

from typing import Any

import orjson

JSONDecodeError = orjson.JSONDecodeError


def loads(raw: bytes | bytearray | memoryview | str) -> Any:
    """The JSON value of `raw`; raises `JSONDecodeError` (a ValueError) where it is none."""
    return orjson.loads(raw)


def dumps(value: Any) -> bytes:
    """Compact UTF-8 JSON, keys in the order given."""
    return orjson.dumps(value)


def dumps_canonical(value: Any) -> bytes:
    """Compact UTF-8 JSON with sorted keys: equal values give equal bytes."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def encoded(raw: bytes) -> Any:
    """What `dumps` has encoded already, as a part of another value."""
    return orjson.Fragment(raw)
