"""The closing summary: what happened, and the gap between the channels."""

from collections import Counter
from dataclasses import dataclass

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from agents.demo.render import SEVERITIES, STYLES
from agents.demo.tally import GapTally, Tally
from agents.demo.words import clean, count, label, span
from schemas.times import SECOND
from streams.gap_estimate import Gap, GapRow, percentile

ANSWERS_MIN = 5
"""First responses, in public and in private, from which on there is something to compare."""
_SHARE_MIN = 0.08
"""Share of all private first responses from which on a channel is compared by name."""


@dataclass(frozen=True, slots=True)
class Fed:
    """What was fed: events and link records, virtual time passed (ms), real time passed (s)."""

    events: int
    links: int
    virtual: int
    wall_s: float


def closing(fed: Fed, tally: Tally, gap: Gap, windows: GapTally, dead: Counter[str] | None = None) -> RenderableType:
    """The whole summary. `dead` counts the records that were set aside, by reason."""
    parts: list[RenderableType] = [_title("In short"), overview(fed, tally)]
    if dead:
        reasons = ", ".join(f"{clean(name, 40)} {number:,}" for name, number in dead.most_common())
        parts.append(Text(f"Set aside as dead letters: {count(dead.total(), 'record')} ({reasons}).", style="yellow"))
    if tally.escalations:
        parts += [_title("Escalations by the highest severity reached"), escalation_table(tally)]
    if tally.by_pattern():
        parts += [_title("Patterns, and in how many histories each held"), pattern_table(tally)]
    if gap.rows:
        parts += [_title("The channel gap: time to the first human response"), gap_table(gap)]
        parts += [Text(jumps(gap, windows)), Text(), Text(moral(gap), style="bold")]
    return Group(*parts)


def _title(text: str) -> Text:
    return Text(f"\n{text}", style="bold")


def overview(fed: Fed, tally: Tally) -> Text:
    """Events, customers, escalations, lag: two or three sentences."""
    text = f"{count(fed.events, 'event')} and {count(fed.links, 'identity link')} of {span(fed.virtual)}"
    text += (
        f" in {fed.wall_s:.0f} s; {count(tally.escalations, 'escalation')} of {count(len(tally.customers), 'customer')}"
    )
    text += f" in {count(tally.revisions, 'revision')}, {tally.open:,} still open"
    text += f", {tally.retracted:,} taken back when late evidence came." if tally.retracted else "."
    lags = sorted(tally.lags_s)
    if lags:
        speed = fed.virtual / SECOND / fed.wall_s if fed.wall_s else 1
        p50, p90 = (percentile(lags, share) or 0 for share in (0.5, 0.9))
        text += f"\nDetected {_lag(p50)} after it was true (median; {_lag(p90)} for nine in ten) in virtual time,"
        text += f" where a second of yours is {span(speed * SECOND)}."
    return Text(text)


def _lag(seconds: float) -> str:
    return span(seconds * SECOND)


def escalation_table(tally: Tally) -> Table:
    """Escalations by kind and the highest severity that they reached."""
    table = Table(box=box.SIMPLE)
    table.add_column("kind")
    shown = [name for name in reversed(SEVERITIES) if any(counts[name] for counts in tally.by_kind().values())]
    for name in shown:
        table.add_column(name, justify="right", header_style=STYLES[name])
    for kind, counts in sorted(tally.by_kind().items()):
        table.add_row(label(kind), *(f"{counts[name]:,}" if counts[name] else "" for name in shown))
    return table


def pattern_table(tally: Tally) -> Table:
    """In how many histories each pattern held."""
    table = Table(box=box.SIMPLE)
    for _ in range(3):
        table.add_column("pattern")
        table.add_column("", justify="right")
    cells = [(label(name), f"{number:,}") for name, number in tally.by_pattern().most_common()]
    rows = -(-len(cells) // 3)
    for row in range(rows):
        line = [cells[row + rows * column] if row + rows * column < len(cells) else ("", "") for column in range(3)]
        table.add_row(*(part for cell in line for part in cell))
    return table


def gap_table(gap: Gap) -> Table:
    """First responses by channel, the slowest first, against the public ones."""
    table = Table(box=box.SIMPLE)
    table.add_column("channel", no_wrap=True)
    for name in ("threads", "answered", "half within", "nine in ten within", "times the public wait"):
        table.add_column(name, justify="right")
    for row in gap.rows:
        table.add_row(*_cells(row), style="bold" if row.public else "")
    table.add_section()
    table.add_row(*_cells(gap.private))
    table.add_row(*_cells(gap.public), style="bold")
    return table


def _cells(row: GapRow) -> tuple[str, ...]:
    waits = [span(wait * SECOND) if wait is not None else "-" for wait in (row.p50_s, row.p90_s)]
    ratio = f"{row.ratio_to_public:.1f}" if row.ratio_to_public is not None else "-"
    name = {"private": "all private", "public": "all public"}.get(row.name, label(row.name))
    name += " (public)" if row.public and row.name != "public" else ""
    return (name, f"{row.threads:,}", f"{row.answered:,}", *waits, ratio)


def jumps(gap: Gap, windows: GapTally) -> str:
    """How often the public queue was served before the private one, and who counted."""
    measured = len(windows) > 0
    queue_jumps = windows.total("queue_jumps") if measured else gap.queue_jumps
    overtaken = windows.total("overtaken") if measured else gap.overtaken
    source = "as measured by the processor" if measured else "counted from the input"
    return (
        f"{count(queue_jumps, 'queue jump')} (answered in public while the same person's earlier private request "
        f"waited) and {overtaken:,} times that somebody waiting in private was overtaken, {source}."
    )


def moral(gap: Gap) -> str:
    """One plain sentence about what the numbers mean."""
    ratio = gap.private.ratio_to_public
    if ratio is None or min(gap.private.answered, gap.public.answered) < ANSWERS_MIN:
        return f"Nothing can be said of the gap: it takes {ANSWERS_MIN} answers both in public and in private."
    if ratio <= 1:
        return f"Private requests are answered {_times(1 / ratio)} as fast as public ones: no reason to go public."
    named = [row for row in gap.rows if not row.public and row.answered >= gap.private.answered * _SHARE_MIN]
    worst = max(named, key=lambda row: row.ratio_to_public or 0, default=None)
    detail = f", and {_times(worst.ratio_to_public or 0)} faster than {label(worst.name)}" if worst else ""
    return (
        f"The public channel was answered {_times(ratio)} faster than the private ones{detail}: "
        f"the company teaches its customers to complain in public."
    )


def _times(ratio: float) -> str:
    return f"{ratio:.0f} times" if ratio >= 3 else f"{ratio:.1f} times"
