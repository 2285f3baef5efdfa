"""`mindgap unlink`."""

from typing import Any

import click

from agents.links import assert_link, link_options


@click.command()
@link_options
def unlink(a: str, b: str, **options: Any) -> None:
    """Say that identities A and B are not the same customer's: they are separated until they are linked again.

    Identities are type:value, such as email:kim@example.com phone:+12125550100. Of several records about one pair
    the one with the newest time counts. Exit status: 0 when the broker has confirmed the record.
    """
    assert_link("unlink", a, b, **options)
