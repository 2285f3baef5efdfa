"""`mindgap customer`: who a customer is, and what is open."""

import click

from agents.cli import BadInput
from agents.customer_card import Card, as_json, as_text
from agents.options import broker_option
from agents.until import until_option
from schemas.codec import dumps

SHOWN = 10
"""How many customers a message lists."""


@click.command()
@click.option("--policy", "policy_file", metavar="P", help="With FILE: the policy in force from the beginning.")
@click.option("--until", metavar="T", help="With FILE: as of this time. [the last arrival]")
@click.option("--fast", is_flag=True, help="Ask the read model only: the id and the open escalations.")
@click.option("--json", is_flag=True, help="One JSON object.")
@broker_option
@click.argument("identity", metavar="IDENTITY")
@click.argument("files", nargs=-1, metavar="[FILE]...")
def customer(
    identity: str,
    files: tuple[str, ...],
    policy_file: str | None,
    until: str | None,
    broker: str | None,
    *,
    fast: bool,
    json: bool,
) -> None:
    """Show a customer: id, former ids, identities with what joined each and when, refused links, open escalations.

    IDENTITY is type:value, such as email:kim@example.com, or a customer id or a former one. Without FILE the live
    deployment is asked; FILEs are those of `mindgap replay`, and need --policy. Identities are not masked.

    Live, an identity is looked up in Redis where MINDGAP_REDIS is set, and in the changelogs where it is not.
    """
    if files:
        if policy_file is None or fast or broker is not None:
            raise click.UsageError("with FILE, --policy is needed, and --fast and --broker mean nothing")
        _replayed(identity, policy_file, until, files, json=json)
    elif policy_file is not None or until is not None:
        raise click.UsageError("--policy and --until go with FILE: a live deployment is asked as it is now")
    else:
        _live(identity, broker, fast=fast, json=json)


def _replayed(name: str, policy_file: str, until: str | None, files: tuple[str, ...], *, json: bool) -> None:
    from agents.customer_replayed import replayed  # noqa: PLC0415 - live, none of it is needed
    from agents.lines import read_lines  # noqa: PLC0415
    from agents.policy_input import load_policy_or_fail  # noqa: PLC0415
    from streams.explain.inquiry import SeveralCustomersError, UnknownCustomerError  # noqa: PLC0415
    from streams.policy import compile_policy  # noqa: PLC0415

    policy = compile_policy(load_policy_or_fail(policy_file))
    end = until_option(until)
    try:
        card = replayed(name, policy, read_lines(files, policy.max_bytes), end)
    except UnknownCustomerError as problem:
        hint = f"; close to it: {', '.join(problem.close)}" if problem.close else ""
        raise BadInput(f"{problem}{hint}") from problem
    except SeveralCustomersError as problem:
        more = len(problem.customers) - SHOWN
        others = f" and {more} more" if more > 0 else ""
        raise BadInput(f"{problem}: {', '.join(problem.customers[:SHOWN])}{others}; name one of them") from problem
    _show(card, json=json)


def _live(name: str, broker: str | None, *, fast: bool, json: bool) -> None:
    from agents.customer_live import fast as ask_read_model  # noqa: PLC0415 - from files, no broker is needed
    from agents.customer_live import live  # noqa: PLC0415
    from agents.live import run_or_fail, settings_or_fail  # noqa: PLC0415

    settings = settings_or_fail(broker)
    _show(run_or_fail(settings, ask_read_model(settings, name) if fast else live(settings, name)), json=json)


def _show(card: Card, *, json: bool) -> None:
    if json:
        click.echo(dumps(as_json(card)))
        return
    for line in as_text(card):
        click.echo(line)
