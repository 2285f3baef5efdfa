"""`mindgap policy`: is a document sound, what would it change, and to the workers with it."""

import sys

import click

from agents.commands.policy_diff import diff
from agents.commands.policy_publish import publish
from agents.policy_input import load_document
from schemas.policy import PolicyDocument
from schemas.policy_problem import PolicyError
from streams.policy import compile_policy
from streams.policy_remarks import remarks, warnings


@click.group()
def policy() -> None:
    """Check a policy, try it on history, publish it."""


policy.add_command(diff)
policy.add_command(publish)


@policy.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
def check(files: tuple[str, ...]) -> None:
    """Say what is wrong in each FILE (YAML or JSON; `-` is standard input), as FILE:LINE:COLUMN: message.

    That some escalation would be for nobody counts as wrong. Exit status: 0 where all are sound, 1 where one is not.
    Warnings (paging is off) and remarks on a sound document do not count.
    """
    sound = True
    for file in files:
        try:
            document = load_document(file, routable=True)
        except PolicyError as problem:
            click.echo(str(problem), err=True)
            sound = False
            continue
        click.echo(f"{file}: {_summary(document)}")
        for warning in warnings(document):
            click.echo(f"{file}: warning: {warning}", err=True)
        for remark in remarks(document):
            click.echo(f"{file}: remark: {remark}", err=True)
    sys.exit(0 if sound else 1)


def _summary(document: PolicyDocument) -> str:
    compiled = compile_policy(document)
    off = len(type(document.patterns).model_fields) - len(compiled.patterns)
    parts = [
        f"version {document.version} is sound",
        f"applies to {'open clocks' if document.apply == 'open' else 'new clocks only'}",
        _count(len(document.calendars), "calendar"),
        _count(len(document.targets), "row") + " of targets",
        _count(len(document.ladders), "ladder"),
        _count(len(document.routes), "route"),
        f"{len(compiled.patterns)} patterns on" + (f", {off} off" if off else ""),
    ]
    return "; ".join(parts)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
