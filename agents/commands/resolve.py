"""`mindgap resolve`."""

from typing import Any

import click

from agents.order_command import order, order_options


@click.command()
@order_options
def resolve(escalation_id: str, **options: Any) -> None:
    """Resolve an escalation: it has been dealt with outside these systems.

    It opens again only when what held has ceased and come back, or is worse.

    Sends a command record and waits until a new revision of the escalation shows the effect. A call that is repeated
    before that acts once. Exit status: 0 when the effect is seen, 1 where there is no such open escalation, where the
    command was set aside, or where nothing was seen in time.
    One that is resolved already is left alone, with status 0.
    """
    order("resolve", escalation_id, **options)
