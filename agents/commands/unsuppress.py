"""`mindgap unsuppress`."""

from typing import Any

import click

from agents.order_command import order, order_options


@click.command()
@order_options
def unsuppress(escalation_id: str, **options: Any) -> None:
    """Let a suppressed escalation speak again; its ladder goes on.

    Sends a command record and waits until a new revision of the escalation shows the effect. A call that is repeated
    before that acts once. Exit status: 0 when the effect is seen, 1 where there is no such open escalation, where the
    command was set aside, or where nothing was seen in time.
    One that is not suppressed is left alone, with status 0.
    """
    order("unsuppress", escalation_id, **options)
