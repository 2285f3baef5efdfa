"""Link and unlink records, sent by hand."""

from hashlib import blake2b
from typing import Any

import click

from agents.cli import BadInput
from agents.live import as_deployed, clock_or_fail, run_or_fail, settings_or_fail
from agents.moment import earlier
from agents.options import broker_option, together
from agents.printable import one_line
from agents.produce import Record, produce
from agents.settings import Settings
from schemas.codec import dumps
from schemas.identity import VALUE_MAX, Identity, as_record, is_blocked, parse_identity
from schemas.times import format_time
from streams.intake import Rejected, admit_link
from topics.table import LINKS

Pair = tuple[Identity, Identity]


link_options = together(
    click.argument("a", metavar="A"),
    click.argument("b", metavar="B"),
    click.option("--source", metavar="S", default="support", show_default=True, help="Who says so: crm, login, ..."),
    click.option("--at", metavar="T", help="Since when it is true: a time, or how long ago (30m). [now]"),
    click.option("--id", "id_", metavar="ID", help="Id of the record. [derived from action, pair and time]"),
    broker_option,
)
"""The arguments and options of both commands."""


def assert_link(
    action: str, a: str, b: str, *, source: str, at: str | None, id_: str | None, broker: str | None
) -> None:
    """Send the record, and print what was sent and how its effect is seen."""
    settings, clock = settings_or_fail(broker), clock_or_fail()
    pair = pair_of(a, b)
    since = earlier(at, clock.now(), "--at")
    record = link_record(action, pair, clock.now() if since is None else since, source, id_)
    run_or_fail(settings, _send(settings, pair, record, clock.now()))
    one, other = pair
    click.echo(
        f"sent to identities.links: {action} {one_line(str(one))} {one_line(str(other))} "
        f"(id {record['id']}, at {record['occurred_at']})"
    )
    click.echo(f"to see the effect: mindgap customer {one_line(str(one))}")


def pair_of(a: str, b: str) -> Pair:
    """The two identities in their normal form, sorted. Raises BadParameter, and BadInput for one that joins nobody."""
    pair = sorted((_identity(a, "A"), _identity(b, "B")))
    if pair[0] == pair[1]:
        raise click.BadParameter(f"both are {one_line(str(pair[0]))}", param_hint="A B")
    for identity in pair:
        if is_blocked(identity):
            raise BadInput(
                f"{one_line(str(identity))} is a placeholder: it joins nobody, and a link to it has no effect"
            )
    return pair[0], pair[1]


def link_key(pair: Pair) -> bytes:
    """The record's key: the pair in order, so that compaction keeps the newest word about it."""
    return "|".join(map(str, pair)).encode()


def link_record(action: str, pair: Pair, at: int, source: str, id_: str | None = None) -> dict[str, Any]:
    """The link record (`schemas.link.Link`) at `at` (ms). Raises BadParameter for one that would be refused."""
    parts = (action, *map(str, pair), str(at))
    record: dict[str, Any] = {
        "id": "lnk_" + blake2b("\x1f".join(parts).encode(), digest_size=10).hexdigest() if id_ is None else id_,
        "occurred_at": format_time(at),
        "action": action,
        "a": as_record(pair[0]),
        "b": as_record(pair[1]),
        "source": source,
    }
    checked = admit_link(record)
    if isinstance(checked, Rejected):
        raise click.BadParameter(checked.detail)
    return record


def _identity(text: str, hint: str) -> Identity:
    try:
        identity = parse_identity(text)
    except ValueError as problem:
        raise click.BadParameter(str(problem), param_hint=hint) from problem
    if len(identity.value) > VALUE_MAX:
        raise click.BadParameter(f"longer than {VALUE_MAX} characters", param_hint=hint)
    return identity


async def _send(settings: Settings, pair: Pair, record: dict[str, Any], now: int) -> None:
    settings = await as_deployed(settings, (LINKS,))
    await produce(settings, [Record(LINKS, link_key(pair), dumps(record), now)])
