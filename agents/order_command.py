"""What the four commands on an escalation share on the command line."""

import getpass

import click

from agents.live import clock_or_fail, run_or_fail, settings_or_fail
from agents.moment import later
from agents.options import broker_option, together, wait_option
from agents.order import Order, give

WAIT_MAX_S = 600


order_options = together(
    click.argument("escalation_id", metavar="ESCALATION_ID"),
    click.option("--by", metavar="WHO", help="Who decided it. [the user who runs the command]"),
    click.option("--reason", metavar="R", help="Why, for the record (at most 500 characters)."),
    wait_option(10.0, WAIT_MAX_S, "until the effect is seen"),
    click.option("--id", "id_", metavar="ID", help="Id of the command; one id acts once. [derived from the call]"),
    broker_option,
)
"""The argument and the options of every order."""


def order(
    action: str,
    escalation_id: str,
    *,
    by: str | None,
    reason: str | None,
    wait_s: float,
    id_: str | None,
    broker: str | None,
    until: str | None = None,
) -> None:
    """Give the order, and print what came of it."""
    settings, clock = settings_or_fail(broker), clock_or_fail()
    end = later(until, clock.now(), "--until")
    wanted = Order(escalation_id, action, _who(by), end, reason, id_, wait_s)
    click.echo(run_or_fail(settings, give(settings, wanted, clock)))


def _who(by: str | None) -> str:
    try:
        return getpass.getuser() if by is None else by
    except (KeyError, OSError) as problem:  # a container's user may have no name
        raise click.UsageError("the user who runs this has no name: say who decides, with --by WHO") from problem
