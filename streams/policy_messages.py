"""What the document's model finds wrong, in words for the person who wrote the policy."""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple, get_args, get_origin

from pydantic import BaseModel, ValidationError

from schemas.policy import PolicyDocument
from schemas.policy_problem import Path, closest

_OPTION = re.compile(r"'([^']*)'")
_WANTED = {
    "model_type": "a mapping is wanted here, such as {key: value}",
    "dict_type": "a mapping is wanted here, such as {key: value}",
    "tuple_type": "a list is wanted here, such as [a, b]",
    "string_type": "text is wanted here",
    "bool_type": "true or false is wanted here",
    "bool_parsing": "true or false is wanted here",
    "int_type": "a whole number is wanted here",
    "int_parsing": "a whole number is wanted here",
}
_ELSEWHERE = {
    "promise": "a promise brings its own due time; what it is given besides is promises.grace",
    "issue_resolution": "the target of an issue stands at the top: issue_resolution: {target: 48h}",
    "<<": "merge keys are not part of YAML 1.2: write the keys out",
}


class Finding(NamedTuple):
    """Something wrong at `path` (at its key where `at_key`)."""

    path: Path
    message: str
    suggestion: str | None = None
    at_key: bool = False


def findings(problem: ValidationError) -> Iterator[Finding]:
    """The findings of a validation, in the document's words."""
    for error in problem.errors(include_url=False):
        path: Path = error["loc"]
        at_key = bool(path) and path[-1] == "[key]"
        yield _finding(path[:-1] if at_key else path, error["type"], error, at_key=at_key)


def _finding(path: Path, kind: str, error: Any, *, at_key: bool) -> Finding:
    if kind == "extra_forbidden":
        return _unknown_key(path)
    if kind == "missing":
        return Finding(path[:-1], f"{str(path[-1])!r} is missing")
    context = error.get("ctx") or {}
    if kind == "literal_error":
        options = _OPTION.findall(str(context["expected"]))
        word = str(error["input"])[:60]
        return Finding(path, f"{word!r} is not one of {', '.join(options)}", closest(word, options), at_key)
    if kind == "value_error":
        return Finding(path, str(context["error"]), None, at_key)
    if kind in ("greater_than_equal", "less_than_equal"):
        bound = "at least" if kind == "greater_than_equal" else "at most"
        return Finding(path, f"must be {bound} {context.get('ge', context.get('le'))}")
    if kind in ("too_long", "too_short", "string_too_long", "string_too_short"):
        bound = "at most" if kind.endswith("long") else "at least"
        count = context.get("max_length", context.get("min_length"))
        what = "characters" if isinstance(error["input"], str) else "entries"
        return Finding(path, f"must have {bound} {count} {what}")
    if kind == "string_pattern_mismatch":
        return Finding(path, "has a control character in it", None, at_key)
    message = str(error["msg"])
    return Finding(path, _WANTED.get(kind, message[:1].lower() + message[1:]), None, at_key)


def _unknown_key(path: Path) -> Finding:
    key = str(path[-1])
    if key in _ELSEWHERE:
        return Finding(path, _ELSEWHERE[key], None, at_key=True)
    return Finding(path, f"unknown key {key[:60]!r}", closest(key, keys_at(path[:-1])), at_key=True)


def keys_at(path: Path) -> tuple[str, ...]:
    """The keys that the document may have at `path`; none where any may stand."""
    part: Any = PolicyDocument
    for step in path:
        part = _inside(part, step)
    model = _model(part)
    return () if model is None else tuple(info.alias or name for name, info in model.model_fields.items())


def _inside(part: Any, step: str | int) -> Any:
    model = _model(part)
    if model is not None:
        fields = {info.alias or name: info for name, info in model.model_fields.items()}
        return fields[step].annotation if step in fields else None
    for option in _options(part):
        if get_origin(option) is dict:
            return get_args(option)[1]
        if get_origin(option) is tuple:
            return get_args(option)[0]
    return None


def _model(part: Any) -> type[BaseModel] | None:
    return next((one for one in _options(part) if isinstance(one, type) and issubclass(one, BaseModel)), None)


def _options(part: Any) -> Iterator[Any]:
    """The types that `part` may be, without the wrapping of Annotated and of unions."""
    if hasattr(part, "__metadata__"):
        yield from _options(part.__origin__)
    elif get_origin(part) in (dict, tuple) or not get_args(part):
        yield part
    else:
        for inner in get_args(part):
            yield from _options(inner)
