"""`mindgap suppress`."""

from typing import Any

import click

from agents.order_command import order, order_options


@click.command()
@order_options
@click.option("--until", metavar="T", help="A time, or for how long (90m, 4h). [until it is unsuppressed or resolved]")
def suppress(escalation_id: str, until: str | None, **options: Any) -> None:
    """Silence an escalation until a time: meanwhile only its end is sent.

    Sends a command record and waits until a new revision of the escalation shows the effect. A call that is repeated
    before that acts once. Exit status: 0 when the effect is seen, 1 where there is no such open escalation, where the
    command was set aside, or where nothing was seen in time.
    """
    order("suppress", escalation_id, until=until, **options)
