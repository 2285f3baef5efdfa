"""Options that several commands share."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

broker_option = click.option("--broker", metavar="HOST:PORT", help="The deployment's broker. [MINDGAP_BROKER]")


def wait_option(default_s: float, most_s: float, what: str) -> Callable[[F], F]:
    """`--wait S`, as `wait_s`: how many seconds to wait, at most `most_s`. `what` ends the help: for what."""
    return click.option(
        "--wait",
        "wait_s",
        type=click.FloatRange(0, most_s),
        default=default_s,
        show_default=True,
        metavar="S",
        help=f"Seconds to wait {what}; 0: only send.",
    )


def together(*parts: Callable[[F], F]) -> Callable[[F], F]:
    """One decorator of several, which stand in the help in this order."""

    def decorate(command: F) -> F:
        for part in reversed(parts):
            command = part(command)
        return command

    return decorate
