"""Options that several commands share."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

broker_option = click.option("--broker", metavar="HOST:PORT", help="The deployment's broker. [MINDGAP_BROKER]")


def together(*parts: Callable[[F], F]) -> Callable[[F], F]:
    """One decorator of several, which stand in the help in this order."""

    def decorate(command: F) -> F:
        for part in reversed(parts):
            command = part(command)
        return command

    return decorate
