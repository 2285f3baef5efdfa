"""What `mindgap gaps` shows: the answer in a sentence, a table of the channels, and where issues are solved fastest."""

import sys
from collections.abc import Iterator, Sequence
from typing import Any, TextIO

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from agents.demo.words import clean, count
from agents.gaps_report import Report
from schemas.times import format_time
from streams.gaps import SOLVED_MIN, Solving, Suggestion

WIDTH = 200
"""Columns where the output is no terminal."""
NAME_MAX = 40
"""Characters of a topic's or team's name."""
UNKNOWN = "(not known)"
RATIO_MIN = 1.05
"""From which ratio on somebody is said to wait longer."""


def headline(report: Report) -> str:
    """The gap in one sentence."""
    if report.private_s is None or report.public_s is None:
        missing = "in public" if report.public_s is None else "in private"
        return f"Nobody was answered {missing}: there is nothing to compare."
    public, private = length(report.public_s), length(report.private_s)
    text = f"Answered in public after {public}, in private after {private} (median)"
    ratio = report.ratio
    if ratio is None:
        return f"{text}."
    if ratio >= RATIO_MIN:
        return f"{text}: {times(ratio)} times as long. Complaining in public pays."
    if ratio <= 1 / RATIO_MIN:
        return f"{text}: private goes first."
    return f"{text}: about the same."


def show(report: Report, suggestions: Sequence[Suggestion] | None = None, out: TextIO | None = None) -> None:
    """Print the report, and the suggestions where there are any to print."""
    file = out or sys.stdout
    console = Console(file=file, width=None if file.isatty() else WIDTH, highlight=False, soft_wrap=not file.isatty())
    console.print(Text(headline(report), style="bold"))
    console.print(Text(_below(report)))
    console.print(table(report))
    for line in _notes(report):
        console.print(Text(line, style="dim"))
    if suggestions is not None:
        console.print()
        console.print(Text("Where to guide customers to: the channel that solves a topic fastest", style="bold"))
        console.print(suggestion_table(suggestions))
        console.print(
            Text(
                "Median from the first contact on a channel to that thread's own solve, wall time; a channel counts "
                f"from {SOLVED_MIN} solves on.",
                style="dim",
            )
        )


def _below(report: Report) -> str:
    jumps, behind = report.total("queue_jumps"), report.total("overtaken")
    text = f"{format_time(report.start)} to {format_time(report.end)}: {count(report.total('contacts'), 'contact')}, "
    text += f"{count(jumps, 'queue jump')}, {behind:,} times a private thread was overtaken"
    return f"{text}, {report.total('public_first'):,} issues begun in public."


def _notes(report: Report) -> Iterator[str]:
    yield (
        "vs public: p50 over that of the public channels. Queue jumps: answered in public while the same customer's "
        "earlier private thread waited."
    )
    if report.approximate:
        yield (
            "Percentiles are medians of the windows' percentiles, weighted by their answers: windows cannot be added "
            "up. A thread that waits over several windows may be overtaken in each. With --policy and the interactions "
            "all is computed over the whole time."
        )


def table(report: Report) -> Table:
    """The channels, by topic or team where the report is."""
    found = Table(box=box.SIMPLE)
    for title in ([report.by] if report.by else []) + ["channel"]:
        found.add_column(title, no_wrap=True)
    columns = ("contacts", "answered", "p50", "p90", "vs public", "breached", "queue jumps", "overtaken")
    for title in (*columns, "solved here", "solved elsewhere", "resolution"):
        found.add_column(title, justify="right")
    last: object = found
    for row in report.rows:
        group = row["by"][report.by] if report.by else None
        names = [""] if group == last and report.by else [named(group)] if report.by else []
        last = group
        public = row["channel"] in report.public
        style = "bold red" if public else ""
        found.add_row(*names, row["channel"] + (" (public)" if public else ""), *_cells(row), style=style)
    return found


def _cells(row: dict[str, Any]) -> Iterator[str]:
    yield f"{row['contacts']:,}"
    yield f"{row['first_responses']:,}"
    yield length(row["first_response_p50_s"])
    yield length(row["first_response_p90_s"])
    yield "-" if row["ratio_to_public"] is None else f"{times(row['ratio_to_public'])} x"
    for name in ("breached", "queue_jumps", "overtaken", "resolved_here", "ended_elsewhere"):
        yield f"{row[name]:,}"
    yield length(row["median_resolution_s"])


def suggestion_table(suggestions: Sequence[Suggestion]) -> Table:
    """By topic: the fastest private channel, the next best one, and what the public channels take."""
    found = Table(box=box.SIMPLE)
    found.add_column("topic", no_wrap=True)
    found.add_column("contacts", justify="right")
    for title in ("guide to", "next best", "slowest", "in public"):
        found.add_column(title, no_wrap=True)
    for each in suggestions:
        private = [channel for channel in each.channels if not channel.public]
        public = next((channel for channel in each.channels if channel.public), None)
        found.add_row(
            named(each.topic),
            f"{each.contacts:,}",
            Text(_solving(private[0]), style="bold") if private else "too few solves to say",
            _solving(private[1]) if len(private) > 1 else "",
            _solving(private[-1]) if len(private) > 2 else "",
            _solving(public) if public else "",
        )
    return found


def _solving(each: Solving) -> str:
    return f"{each.channel}, {length(each.median_s)} ({each.solved:,})"


def named(group: str | None) -> str:
    """A topic's or team's name, safe for a terminal."""
    return UNKNOWN if group is None else clean(group, NAME_MAX)


def length(seconds: float | None) -> str:
    """Seconds in the unit that suits, in two digits: `32 s`, `6.7 min`, `58 min`, `14 h`, `2.9 d`; `-` for none."""
    if seconds is None:
        return "-"
    for unit, name in ((2 * 86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= unit:
            value = seconds / min(unit, 86_400)
            return f"{value:.1f} {name}" if value < 9.95 else f"{value:,.0f} {name}"
    return f"{seconds:.0f} s"


def times(ratio: float) -> str:
    """A ratio, as precise as anybody wants it: `0.85`, `3.4`, `27`."""
    return f"{ratio:.2g}" if ratio < 1 else f"{ratio:.1f}" if ratio < 10 else f"{ratio:,.0f}"
