"""Policy documents from YAML or JSON, with everything that is wrong in them said at once, by line and column."""

from collections.abc import Iterable
from itertools import islice
from typing import Any

from pydantic import ValidationError

from schemas.policy import PolicyDocument
from schemas.policy_problem import PolicyError, Problem, format_path
from streams.policy_check import check
from streams.policy_messages import Finding, findings
from streams.policy_text import TEXT_MAX, Parsed, Place, TextError, parse
from streams.policy_unroutable import unroutable

PROBLEMS_MAX = 200
"""Most problems reported of one document."""


def read_policy(text: str, name: str, *, routable: bool = False) -> PolicyDocument:
    """The document of a YAML or JSON text; `name` is what problems call the file. Raises PolicyError.

    `routable`: that some escalation would be for nobody is a problem too. Whoever writes a policy asks for that; what
    is in force already is taken as it is.
    """
    try:
        parsed = parse(text)
    except TextError as problem:
        raise PolicyError([_of_text(problem, name)]) from None
    document, found = _validate(parsed.value)
    problems = [_of_text(problem, name) for problem in parsed.problems] + _problems(found, parsed, name)
    if routable and document is not None:
        problems += _problems(unroutable(document), parsed, name)
    if problems or document is None:
        raise PolicyError(problems[:PROBLEMS_MAX])
    return document


def read_policy_bytes(raw: bytes, name: str, *, routable: bool = False) -> PolicyDocument:
    """As `read_policy`, of a file's bytes: UTF-8. Raises PolicyError."""
    if len(raw) > 4 * TEXT_MAX:
        raise PolicyError([Problem(name, 1, 1, "", f"longer than {TEXT_MAX} characters")])
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        before = raw[: problem.start]
        column = problem.start - (before.rfind(b"\n") + 1) + 1
        raise PolicyError([Problem(name, before.count(b"\n") + 1, column, "", "not UTF-8")]) from None
    return read_policy(text, name, routable=routable)


def read_policy_value(value: Any, name: str) -> PolicyDocument:
    """The document of a JSON value that has been decoded already; its problems have a path, but no line.

    Raises PolicyError.
    """
    document, found = _validate(value)
    problems = _problems(found, Parsed(), name)
    if problems or document is None:
        raise PolicyError(problems[:PROBLEMS_MAX])
    return document


def _validate(value: Any) -> tuple[PolicyDocument | None, list[Finding]]:
    if not isinstance(value, dict):
        return None, [Finding((), "a policy is a mapping that begins with its version")]
    value = {key: part for key, part in value.items() if part is not None}  # a heading with nothing below it
    found: list[Finding] = []
    document = None
    try:
        document = PolicyDocument.model_validate(value)
    except ValidationError as problem:
        found += islice(findings(problem), PROBLEMS_MAX)
    found += islice(check(value), PROBLEMS_MAX)
    return document, found


def _problems(found: Iterable[Finding], parsed: Parsed, name: str) -> list[Problem]:
    return [
        _problem(name, format_path(finding.path), parsed.place(finding.path, key=finding.at_key), finding)
        for finding in dict.fromkeys(found)
    ]


def _problem(name: str, path: str, place: Place | None, finding: Finding) -> Problem:
    line, column = (place.line, place.column) if place else (None, None)
    return Problem(name, line, column, path, finding.message, finding.suggestion)


def _of_text(problem: TextError, name: str) -> Problem:
    return Problem(name, problem.place.line, problem.place.column, format_path(problem.path), problem.message)
