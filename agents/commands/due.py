"""`mindgap due`: when a clock is due in a calendar's business time."""

from typing import Any

import click

from agents.policy_input import load_policy_or_fail
from schemas import codec
from schemas.policy_fields import DURATION_MAX
from schemas.policy_problem import closest
from schemas.times import DAY, format_optional, format_time, parse_duration, parse_time
from streams.calendar import LAST_YEAR
from streams.policy import compile_policy

_LATEST = parse_time(f"{LAST_YEAR}-12-31T23:59:59Z")


class _Instant(click.ParamType):
    """An RFC 3339 time, as ms since the epoch."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The instant of `value`."""
        try:
            at = value if isinstance(value, int) else parse_time(value)
        except ValueError as problem:
            self.fail(str(problem), param, ctx)
        if not 0 <= at <= _LATEST:
            self.fail(f"{format_time(at)} is not between 1970 and {LAST_YEAR}", param, ctx)
        return at


class _Duration(click.ParamType):
    """A duration such as 4h, as ms."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The length of `value`."""
        try:
            length = value if isinstance(value, int) else parse_duration(value)
        except ValueError as problem:
            self.fail(str(problem), param, ctx)
        if length > DURATION_MAX:
            self.fail(f"longer than {DURATION_MAX // DAY}d", param, ctx)
        return length


class _Pause(click.ParamType):
    """Two instants, FROM/TO."""

    name = "from/to"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, int]:
        """The interval of `value`."""
        if isinstance(value, tuple):
            return value
        first, slash, last = str(value).partition("/")
        if not slash:
            self.fail(f"{value!r} is not FROM/TO, two times with a slash between them", param, ctx)
        since, until = (_Instant().convert(text, param, ctx) for text in (first, last))
        if until < since:
            self.fail(f"{value!r} ends before it starts", param, ctx)
        return since, until


@click.command()
@click.option("--policy", "file", required=True, metavar="FILE", help="The policy document (YAML or JSON).")
@click.option("--calendar", "name", required=True, metavar="NAME", help="A calendar of that policy.")
@click.option("--start", required=True, type=_Instant(), metavar="TIME", help="When the clock starts.")
@click.option("--target", required=True, type=_Duration(), metavar="DURATION", help="Business time to count: 90s, 4h.")
@click.option(
    "--pause", "pauses", multiple=True, type=_Pause(), metavar="FROM/TO", help="A time that does not count; repeatable."
)
def due(file: str, name: str, start: int, target: int, pauses: tuple[tuple[int, int], ...]) -> None:
    """Print when a clock that starts at a time is due: `{"due_at": ...}`, null where the calendar never gets there."""
    policy = compile_policy(load_policy_or_fail(file))
    if name not in policy.calendars:
        known = closest(name, policy.calendars)
        hint = f" (did you mean {known!r}?)" if known else f"; it has {', '.join(policy.calendars)}"
        raise click.BadParameter(f"{file} has no calendar {name!r}{hint}", param_hint="'--calendar'")
    due_at = policy.calendars[name].add(start, target, pauses)
    click.echo(codec.dumps({"due_at": format_optional(due_at)}))
