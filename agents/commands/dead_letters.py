"""`mindgap dead-letters`: what was set aside, and back with it."""

import sys
from collections import Counter
from heapq import nlargest
from pathlib import Path
from typing import Any, NamedTuple

import click

from agents.cli import BadInput
from agents.letters import Letter, Wanted, find, letters, topic_name
from agents.live import as_deployed, clock_or_fail, run_or_fail, settings_or_fail
from agents.moment import earlier
from agents.options import broker_option, together
from agents.printable import one_line, printable
from agents.put_back import Chosen, Fate, Retried, check_corrected, retry
from agents.reader import Reader
from agents.settings import Settings
from schemas.codec import dumps
from schemas.dead_letter import DEAD_REASONS
from topics.dead_letter import opened
from topics.table import CO_PARTITIONED, DEAD

AT_ONCE_MAX = 100_000
ONLY_COUNTED = (Fate.DONE_BEFORE, Fate.TWICE, Fate.LEFT)
"""What is not told line by line where letters were chosen by what they are like."""


@click.group("dead-letters")
def dead_letters() -> None:
    """Records that were set aside: count them, look at one, put them back.

    A letter is named by PARTITION:OFFSET, where it stands on `interactions.dead`, or by the id of the record in it.
    """


filters = together(
    click.option("--reason", type=click.Choice(DEAD_REASONS), help="Only those set aside for this reason."),
    click.option("--topic", metavar="TOPIC", help="Only those from this topic, such as interactions.chat."),
    click.option("--since", metavar="T", help="Only those since this time, or for how long (24h)."),
)
"""The options that say which letters."""


class Overview(NamedTuple):
    """How many letters there are by reason and topic, and the newest of them (`Letter.summary`)."""

    counts: Counter[tuple[str, str]]
    newest: list[dict[str, Any]]


@dead_letters.command("list")
@filters
@click.option("--limit", type=click.IntRange(0, AT_ONCE_MAX), default=20, show_default=True, help="How many to list.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object for each letter, no counts.")
@broker_option
def list_(
    reason: str | None, topic: str | None, since: str | None, limit: int, broker: str | None, *, as_json: bool
) -> None:
    """Count dead letters by reason and topic, and list the newest; nothing of what they hold is shown."""
    settings = settings_or_fail(broker)
    wanted = _wanted(settings, reason, topic, since)
    overview = run_or_fail(settings, _overview(settings, wanted, limit))
    if as_json:
        for each in overview.newest:
            click.echo(dumps(each))
        return
    click.echo(f"{overview.counts.total()} dead letters")
    for (why, where), count in overview.counts.most_common():
        click.echo(f"{count:>8}  {one_line(why)}  {one_line(where)}")
    if overview.newest:
        click.echo("\nnewest first:")
    for each in overview.newest:
        retried = f" (a retry of {each['retry_of']})" if "retry_of" in each else ""
        where = f"{each['topic']} {each['partition']}:{each['offset']}"
        text = f"{each['letter']}  {each['seen_at']}  {each['reason']}  {where}  {each['detail']}{retried}"
        click.echo(one_line(text))


@dead_letters.command()
@click.argument("name", metavar="LETTER")
@click.option("--json", "as_json", is_flag=True, help="The whole envelope as one JSON object.")
@click.option("--value", "value_only", is_flag=True, help="Only the record's value, byte for byte: to be corrected.")
@broker_option
def show(name: str, broker: str | None, *, as_json: bool, value_only: bool) -> None:
    """Show one dead letter whole: what was wrong, where the record stood, its key, headers and value.

    LETTER is PARTITION:OFFSET, or the id of the record in it. A value that is no UTF-8 is shown as base64.
    """
    settings = settings_or_fail(broker)
    letter = run_or_fail(settings, _one(settings, name))
    if value_only:
        sys.stdout.buffer.write(opened(letter.envelope)[1] or b"")
    elif as_json:
        click.echo(dumps({"letter": str(letter.place)} | letter.envelope))
    else:
        _show(letter)


@dead_letters.command("retry")
@click.argument("names", nargs=-1, metavar="[LETTER]...")
@filters
@click.option("--limit", type=click.IntRange(1, AT_ONCE_MAX), default=1_000, show_default=True, help="Most at once.")
@click.option("--edit", metavar="FILE", help="Put these bytes back instead of the value (`-`: standard input).")
@click.option("--again", is_flag=True, help="Also what was put back before.")
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
@broker_option
def retry_(
    names: tuple[str, ...],
    reason: str | None,
    topic: str | None,
    since: str | None,
    limit: int,
    edit: str | None,
    broker: str | None,
    *,
    again: bool,
    dry_run: bool,
) -> None:
    """Put records back on the topic and partition where they stood, with key and headers, byte for byte.

    Name LETTERs, or say which by --reason, --topic and --since; they go in the order in which they stand. A record
    that was put back says so in its headers, and is not put back again without --again. To correct one:
    `show --value LETTER > FILE`, change FILE, and `retry --edit FILE LETTER`. Exit status: 1 where a named letter, or
    any, could not be put back.
    """
    if bool(names) == bool(reason or topic or since):
        raise click.UsageError("name letters, or say which by --reason, --topic or --since (one or the other)")
    if edit is not None and len(names) != 1:
        raise click.UsageError("--edit goes with one LETTER")
    settings = settings_or_fail(broker)
    wanted = _wanted(settings, reason, topic, since)
    corrected = None if edit is None else _bytes(edit)
    work = _retry(settings, names, wanted, limit, corrected, again=again, dry_run=dry_run)
    counts = run_or_fail(settings, work)
    told = ", ".join(f"{count} {fate.value}" for fate, count in counts.items())
    click.echo(told or "no dead letter is like that")
    bad = counts[Fate.REFUSED] + counts[Fate.NOT_OURS] + (counts[Fate.DONE_BEFORE] if names else 0)
    if bad:
        raise BadInput(f"{bad} not put back: see above")


def _wanted(settings: Settings, reason: str | None, topic: str | None, since: str | None) -> Wanted:
    start = earlier(since, clock_or_fail().now(), "--since")
    return Wanted(reason, None if topic is None else topic_name(settings, topic), start)


def _bytes(file: str) -> bytes:
    return sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()


async def _overview(settings: Settings, wanted: Wanted, limit: int) -> Overview:
    settings = await as_deployed(settings, (DEAD,))
    counts: Counter[tuple[str, str]] = Counter()
    newest: list[tuple[int, int, int, dict[str, Any]]] = []

    def order(entry: tuple[int, int, int, dict[str, Any]]) -> tuple[int, int, int]:
        return entry[:3]

    async for letter in letters(settings, Reader(settings), wanted):
        counts[letter.envelope["reason"], letter.envelope["topic"]] += 1
        newest.append((letter.seen_at, *letter.place, letter.summary()))
        if len(newest) > 2 * limit + 1_000:  # the others are only counted
            newest = nlargest(limit, newest, key=order)
    return Overview(counts, [entry[3] for entry in nlargest(limit, newest, key=order)])


async def _one(settings: Settings, name: str) -> Letter:
    settings = await as_deployed(settings, (DEAD,))
    return await find(settings, Reader(settings), name)


async def _retry(
    settings: Settings,
    names: tuple[str, ...],
    wanted: Wanted,
    limit: int,
    corrected: bytes | None,
    *,
    again: bool,
    dry_run: bool,
) -> Counter[Fate]:
    settings = await as_deployed(settings, (DEAD, *CO_PARTITIONED))
    counts: Counter[Fate] = Counter()
    reader = Reader(settings)
    chosen = await _choose(settings, reader, names, wanted, corrected)
    if chosen:
        results = retry(
            settings, reader, chosen, clock_or_fail(), limit=limit, again=again, dry_run=dry_run, corrected=corrected
        )
        async for result in results:
            counts[result.fate] += 1
            if names or result.fate not in ONLY_COUNTED:
                click.echo(_told(result))
    return counts


async def _choose(
    settings: Settings, reader: Reader, names: tuple[str, ...], wanted: Wanted, corrected: bytes | None
) -> list[Chosen]:
    if not names:
        return [Chosen(letter.place, letter.source) async for letter in letters(settings, reader, wanted)]
    chosen = []
    for name in names:
        letter = await find(settings, reader, name)
        wrong = check_corrected(settings, letter, corrected) if corrected is not None else None
        if wrong is not None:
            raise BadInput(f"what is to be put back would be set aside again: {wrong.reason}: {wrong.detail}")
        chosen.append(Chosen(letter.place, letter.source))
    return chosen


def _told(result: Retried) -> str:
    letter = result.letter
    where = f"{letter.envelope['topic']} {letter.envelope['partition']}"
    place = f"{where}:{result.offset}" if result.offset is not None else where
    hint = {Fate.DONE_BEFORE: "; --again does it once more", Fate.REFUSED: f": {result.error}"}.get(result.fate, "")
    return one_line(f"{letter.place}  {result.fate.value}: {place} ({letter.envelope['reason']}){hint}")


def _show(letter: Letter) -> None:
    envelope = letter.envelope
    for name, value in letter.summary().items():
        click.echo(f"{name:<10} {one_line(str(value))}")
    for title, holder, name in (
        ("key", envelope, "key"),
        *((f"header {header['name']}", header, "value") for header in envelope["headers"]),
    ):
        click.echo(f"{one_line(title):<10} {_shown(holder, name)}")
    click.echo(f"\n{_shown(envelope, 'value')}")


def _shown(holder: dict[str, Any], name: str) -> str:
    text = holder[name]
    if text is None:
        return "(none)"
    return f"(base64) {text}" if holder.get(f"{name}_encoding") == "base64" else printable(str(text))
