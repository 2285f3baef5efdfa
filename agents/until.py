"""The option `--until`: a time of the input, to which timers run."""

import click

from schemas.times import parse_time


def until_option(text: str | None) -> int | None:
    """The instant (ms) of an RFC 3339 text, None for None. Raises BadParameter, which ends the command with 2."""
    if text is None:
        return None
    try:
        return parse_time(text)
    except ValueError as problem:
        raise click.BadParameter(str(problem), param_hint="--until") from problem
