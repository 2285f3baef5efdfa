"""`mindgap forget`: erase a customer."""

import sys
from collections.abc import Iterator

import click

from agents.cli import BadInput
from agents.forget import Erased, Plan, erase, look
from agents.forget_remains import compaction, lines, remains
from agents.forget_send import writes_input
from agents.forget_traces import Traces
from agents.live import clock_or_fail, run_or_fail, settings_or_fail
from agents.options import broker_option, wait_option
from agents.printable import one_line
from schemas.identity import Identity, parse_identity

WAIT_MAX_S = 3_600


@click.command()
@click.argument("identity", metavar="IDENTITY")
@click.option("--yes", is_flag=True, help="Erase without asking.")
@click.option("--dry-run", is_flag=True, help="Only say what would be erased.")
@wait_option(60.0, WAIT_MAX_S, "for the workers, at each step")
@broker_option
def forget(identity: str, wait_s: float, broker: str | None, *, yes: bool, dry_run: bool) -> None:
    """Erase the customer who has IDENTITY, with all identities, history and escalations. It cannot be undone.

    IDENTITY is type:value, such as email:kim@example.com. Open escalations are resolved first; then state, identities,
    `escalations.current` and the link records that name the customer are erased, and looked for again. What remains on
    topics that are kept for a time, and until when, is told. An event that arrives later makes a new customer. See
    docs/privacy.md. Exit status: 0 where nothing is left that can be erased; 1 where nobody has IDENTITY, where the
    workers did not confirm in time, and where the customer is there again.
    """
    named = _identity(identity)
    settings, clock = settings_or_fail(broker), clock_or_fail()
    plan = run_or_fail(settings, look(settings, named, 0 if dry_run else wait_s))
    for line in _planned(plan):
        click.echo(line)
    if dry_run:
        click.echo("nothing was sent")
        return
    _ask(yes=yes)
    erased = run_or_fail(plan.settings, erase(plan, named, wait_s, clock))
    if erased is None:
        click.echo("sent; its effect was not waited for: what is sent again after a crash may bring the customer back")
        return
    for line in _told(erased, clock.now()):
        click.echo(line)
    if erased.left.records:
        raise BadInput(
            f"{one_line(str(named))}: {len(erased.left.records)} of its identities are known again: an event came "
            f"meanwhile. If that is to go too, run it again"
        )


def _identity(text: str) -> Identity:
    try:
        return parse_identity(text)
    except ValueError as problem:
        raise click.BadParameter(str(problem), param_hint="IDENTITY") from problem


def _ask(*, yes: bool) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        raise click.UsageError("it cannot be undone: say --yes, or run it on a terminal, where it asks")
    click.confirm("Erase it? It cannot be undone.", abort=True)


def _planned(plan: Plan) -> Iterator[str]:
    """What will be erased; of identities nothing but the one that was typed."""
    target, traces = plan.target, plan.traces
    name = one_line(target.name)
    if target.customer_id is None:
        yield f"{name}: no customer has it; it is named all the same"
        yield f"  {_count(len(traces.links), 'link record')}, {_count(len(traces.outputs), 'state')} with old messages"
        return
    types = ", ".join(f"{count} {kind}" for kind, count in target.types().items())
    yield f"{name}: customer {target.customer_id}"
    former = _count(len(target.aliases), "former id")
    yield f"  {_count(len(target.names), 'identity', 'identities')} ({types}), {former}"
    known = f"{len(target.escalations)} open and {target.resolved} resolved escalations"
    yield f"  {_count(target.events, 'event')}, {known}, {_count(len(traces.links), 'link record')}"
    if not writes_input(plan.settings):
        yield "  of a shadow: link records and commands are the live system's, and stay"


def _told(erased: Erased, now: int) -> Iterator[str]:
    left = erased.left
    if not left.records:
        yield "erased, and confirmed by the workers: a crash does not bring it back"
    yield from _still(left)
    yield "what goes by itself, and until when it is kept at the latest:"
    yield from lines(remains(erased.kept, now))
    yield compaction(erased.kept)
    yield "an event that arrives from now on, or is put back or sent again by its source, makes a new customer"


def _still(left: Traces) -> Iterator[str]:
    """What names it and stays, because it is somebody else's."""
    for number, what in (
        (len(left.bare), "record of one of its identities, which is nobody's"),
        (len(left.others), "history of somebody else, who used one of its identities or was linked to it"),
        (len(left.pairs), "identity of somebody else, that was said to be, or not to be, its"),
        (len(left.outputs), "state with messages that could not be taken away yet"),
        (len(left.elsewhere), "record of another table"),
        (len(left.links), "link record, sent meanwhile or the live system's"),
        (len(left.current), "escalation of a customer of that id"),
        (len(left.shared), "escalation of somebody else, last said while they were one customer"),
    ):
        if number:
            yield f"still named by {number}: {what}"


def _count(number: int, one: str, many: str | None = None) -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"
