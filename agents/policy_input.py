"""Policies from files, for the commands that take one."""

import sys
from pathlib import Path

from agents.cli import BadInput
from schemas.policy import PolicyDocument
from schemas.policy_problem import PolicyError
from streams.policy_file import read_policy_bytes


def load_document(file: str, *, routable: bool = False) -> PolicyDocument:
    """The document of a file, `-` for standard input. Raises PolicyError, or OSError where it cannot be read.

    `routable`: a policy by which some escalation would be for nobody is refused too.
    """
    raw = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    return read_policy_bytes(raw, "<stdin>" if file == "-" else file, routable=routable)


def load_policy_or_fail(file: str, *, routable: bool = False) -> PolicyDocument:
    """As `load_document`; a document that cannot be used ends the command with status 1 and its first problem."""
    try:
        return load_document(file, routable=routable)
    except PolicyError as problem:
        more = len(problem.problems) - 1
        hint = f"; and {more} more: mindgap policy check {file}" if more else ""
        raise BadInput(f"{problem.problems[0]}{hint}") from None
