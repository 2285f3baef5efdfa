"""What `mindgap policy diff` shows: tables on a terminal, plain text elsewhere, or one JSON object."""

import sys
import textwrap
from collections.abc import Iterator, Sequence
from typing import NamedTuple, TextIO

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from agents.demo.words import clean, label
from schemas.codec import dumps
from schemas.times import format_time
from streams.policy_diff import Diff
from streams.policy_diff.headlines import count, headlines, moment
from streams.policy_diff.match import CHANGES
from streams.policy_diff.people import Load, Peak, local
from streams.policy_diff.rows import Row
from streams.policy_diff.side import Seen

WIDTH = 100
"""Columns of the output, at most."""
ROWS_MAX = 12
"""Rows of one table: those with the greatest changes; --json has all."""
NAME_MAX = 26
"""Characters of a name in a table."""


class Trial(NamedTuple):
    """What was tried on what. Times in ms."""

    old: str
    new: str
    files: Sequence[str]
    lines: int
    policies: int
    """Versions of a policy in the input, which were left out."""
    start: int
    end: int


class Block(NamedTuple):
    """A table: the first column is text, the others are numbers, but for `left`."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    more: int = 0
    """Rows that are left out."""
    left: frozenset[int] = frozenset({0})


def record(trial: Trial, diff: Diff) -> bytes:
    """The report as one JSON object.

    - `old`, `new`: `{file, version}`
    - `input`: `{files, lines, policies_left_out, start, end}`; `end`: timers ran up to it
    - `headlines`: the sentences of the first screen
    - and the fields of `Diff.as_record`
    """
    found = diff.as_record()
    versions = found.pop("versions")
    return dumps(
        {
            "old": {"file": trial.old, "version": versions["old"]},
            "new": {"file": trial.new, "version": versions["new"]},
            "input": {
                "files": list(trial.files),
                "lines": trial.lines,
                "policies_left_out": trial.policies,
                "start": format_time(trial.start),
                "end": format_time(trial.end),
            },
            "headlines": headlines(diff),
            **found,
        }
    )


def show(trial: Trial, diff: Diff, out: TextIO | None = None) -> None:
    """Print it all: the answer first, then the tables, then examples."""
    file = out or sys.stdout
    write = _Rich(file) if file.isatty() else _Plain(file)
    write.title("If you switch from A to B")
    for line in _heading(trial, diff):
        write.line(line)
    write.line("")
    for sentence in headlines(diff):
        write.sentence(clean(sentence, 400))
    for block in blocks(diff):
        write.block(block)
    lines = list(_examples(diff))
    if lines:
        write.title("Examples")
        for line in lines:
            write.line(line)
        write.line("")
        write.sentence("The story of one customer: mindgap explain --policy B --customer ID FILE")


def _heading(trial: Trial, diff: Diff) -> Iterator[str]:
    yield f"A  {clean(trial.old)} (version {clean(diff.old.version, 60)})"
    yield f"B  {clean(trial.new)} (version {clean(diff.new.version, 60)})"
    first, last = (f"{moment(at, diff.zone)} {local(at, diff.zone).year}" for at in (trial.start, trial.end))
    yield f"{count(trial.lines, 'line')}, {first} to {last}; times are {diff.zone.key}"
    if trial.policies:
        yield f"{count(trial.policies, 'version')} of a policy in the input left out: A and B hold throughout"


# -- tables ---------------------------------------------------------------------------------------------------


def blocks(diff: Diff) -> Iterator[Block]:
    """The tables, those without rows left out."""
    found = [_people(diff), _clocks(diff)]
    titles = {
        "kind": "Escalations by reason (one may be in several columns)",
        "channel": "By channel",
        "team": "By team",
    }
    titles |= {"severity": "By highest severity", "role": "By role that they reached"}
    found += [_rows(title, diff.found.by[name], name) for name, title in titles.items()]
    yield from (block for block in found if block.rows)


def _people(diff: Diff) -> Block:
    named = list(diff.roles.items())
    if len(named) > 1:
        named.append(("everybody", diff.everybody))
    columns = ("role", "pages A", "B", "", "night A", "B", "busiest hour A", "busiest hour B")
    rows = [_load(role, load, diff) for role, load in named]
    return _cut("Pages by role", columns, rows, frozenset({0, 6, 7}))


def _load(role: str, load: Load, diff: Diff) -> list[str]:
    old, new = load.peak
    return [
        clean(role, 16),
        *_two(load.pages),
        _change(load.change),
        *_two(load.night),
        _peak(old, diff),
        _peak(new, diff),
    ]


def _peak(peak: Peak | None, diff: Diff) -> str:
    return f"{peak.pages:,} {moment(peak.hour, diff.zone)}" if peak else "-"


def _clocks(diff: Diff) -> Block:
    columns = ("metric", "clocks A", "B", "breached A", "B", "share A", "B", "only A", "only B")
    rows = []
    for metric, breaches in diff.by_metric.items():
        clocks = diff.counted(metric)
        shares = [_share(*pair) for pair in zip((breaches.old, breaches.new), clocks, strict=True)]
        numbers = [*_two(clocks), *_two((breaches.old, breaches.new)), *shares]
        rows.append([label(metric), *numbers, f"{breaches.only_old:,}", f"{breaches.only_new:,}"])
    return Block("Clocks that were breached", columns, rows)


def _rows(title: str, rows: dict[str, Row], dimension: str) -> Block:
    ordered = sorted(rows.items(), key=lambda item: (-item[1].changed, -item[1].new, item[0]))
    columns = ("", "A", "B", "appear", "vanish", "earlier", "later", "higher", "lower", "roles", "why")
    shown = label if dimension == "kind" else str
    told = [[clean(shown(name), NAME_MAX), *_two((row.old, row.new)), *_quiet(row)] for name, row in ordered]
    return _cut(title, columns, told)


def _quiet(row: Row) -> list[str]:
    return [f"{row.changes[change]:,}" if row.changes[change] else "." for change in CHANGES]


def _cut(title: str, columns: Sequence[str], rows: list[list[str]], left: frozenset[int] = frozenset({0})) -> Block:
    return Block(title, columns, rows[:ROWS_MAX], max(0, len(rows) - ROWS_MAX), left)


def _two(numbers: tuple[int, int]) -> list[str]:
    return [f"{number:,}" for number in numbers]


def _change(change: int) -> str:
    return f"{change:+,}" if change else "="


def _share(breached: int, clocks: int) -> str:
    return f"{breached / clocks:.1%}" if clocks else "-"


# -- examples -------------------------------------------------------------------------------------------------


def _examples(diff: Diff) -> Iterator[str]:
    for change, kept in diff.found.examples.items():
        for pair in kept:
            one = pair.one
            what = " and ".join(label(name) for name in one.whats)
            who = f"customer {one.customer_id}" if one.customer_id else one.subject
            where = " ".join(part for part in (who, one.channel, one.thread) if part)
            yield clean(f"{change:9} {what}: {where}", WIDTH - 1)
            for name, seen in zip("AB", pair, strict=True):
                yield f"{'':10}{clean(f'{name}: {_seen(seen, diff)}', WIDTH - 11)}"


def _seen(seen: Seen | None, diff: Diff) -> str:
    if seen is None:
        return "none"
    roles = ", ".join(clean(role, 22) for role in seen.roles)
    return f"{moment(seen.start, diff.zone)} {seen.severity}" + (f" ({roles})" if roles else "")


# -- two ways to write ----------------------------------------------------------------------------------------


class _Plain:
    """For files and pipes."""

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def title(self, text: str) -> None:
        self.line(f"\n{text}\n" if self._begun() else f"{text}\n")

    def line(self, text: str) -> None:
        self._file.write(f"{text}\n")

    def sentence(self, text: str) -> None:
        self.line(textwrap.fill(text, WIDTH, initial_indent="- ", subsequent_indent="  ", break_long_words=False))

    def block(self, block: Block) -> None:
        self.title(block.title)
        table = [block.columns, *block.rows]
        widths = [max(len(row[place]) for row in table) for place in range(len(block.columns))]
        for row in table:
            cells = [
                cell.ljust(width) if place in block.left else cell.rjust(width)
                for place, (cell, width) in enumerate(zip(row, widths, strict=True))
            ]
            self.line("  ".join(cells).rstrip())
        if block.more:
            self.line(f"and {block.more:,} more (--json has all)")

    def _begun(self) -> bool:
        begun = getattr(self, "_titled", False)
        self._titled = True
        return begun


class _Rich:
    """For a terminal."""

    def __init__(self, file: TextIO) -> None:
        self._console = Console(file=file, highlight=False)
        self._console.width = min(WIDTH, self._console.width)

    def title(self, text: str) -> None:
        self._console.print(Text(f"\n{text}", style="bold"))

    def line(self, text: str) -> None:
        self._console.print(Text(text, style="dim"))

    def sentence(self, text: str) -> None:
        grid = Table.grid(padding=(0, 1))
        grid.add_row(Text("-"), Text(text))
        self._console.print(grid)

    def block(self, block: Block) -> None:
        table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
        for place, column in enumerate(block.columns):
            table.add_column(column, justify="left" if place in block.left else "right", overflow="fold")
        for row in block.rows:
            table.add_row(*(Text(cell, style=_style(cell)) for cell in row))
        self.title(block.title)
        self._console.print(table)
        if block.more:
            self.line(f"and {block.more:,} more (--json has all)")


def _style(cell: str) -> str:
    if cell.startswith("+"):
        return "red"
    if cell.startswith("-") and len(cell) > 1:
        return "green"
    return "dim" if cell in (".", "=", "-") else ""
