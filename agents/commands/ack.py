"""`mindgap ack`."""

from typing import Any

import click

from agents.order_command import order, order_options


@click.command()
@order_options
def ack(escalation_id: str, **options: Any) -> None:
    """Acknowledge an escalation: its ladder stops, until the policy's `ack_timeout`.

    Sends a command record and waits until a new revision of the escalation shows the effect. A call that is repeated
    before that acts once. Exit status: 0 when the effect is seen, 1 where there is no such open escalation, where the
    command was set aside, or where nothing was seen in time.
    """
    order("acknowledge", escalation_id, **options)
