"""An instant on the command line: an RFC 3339 time, or how long from now or ago."""

import click

from schemas.times import parse_duration, parse_time


def later(text: str | None, now: int, option: str) -> int | None:
    """The instant (ms) of a time after `now` (ms) or of a duration from it, None for None. Raises BadParameter."""
    at = _instant(text, now, 1, option)
    if at is not None and at <= now:
        raise click.BadParameter("lies in the past", param_hint=option)
    return at


def earlier(text: str | None, now: int, option: str) -> int | None:
    """The instant (ms) of a time up to `now` (ms) or of a duration before it, None for None. Raises BadParameter."""
    at = _instant(text, now, -1, option)
    if at is not None and at > now:
        raise click.BadParameter("lies in the future", param_hint=option)
    return at


def _instant(text: str | None, now: int, sign: int, option: str) -> int | None:
    if text is None:
        return None
    try:
        return now + sign * parse_duration(text)
    except ValueError:
        pass
    try:
        return parse_time(text)
    except ValueError as problem:
        raise click.BadParameter(f"{problem}, nor a duration such as 90m or 4h", param_hint=option) from problem
