"""`mindgap score`: precision and recall of each pattern, on simulated customers whose truth is known."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial

import click

from agents.commands.simulate import DEFAULT_START
from schemas.codec import dumps
from schemas.times import DAY, parse_time
from streams.scoring import Miss, PatternScore, Score
from streams.scoring import score as score_run
from streams.simulate import TIDY, USUAL, Simulation

SHOWN = 40
"""Differences that are listed at the end of the table."""
_ROW = "{:<21}{:>9}{:>7}{:>7}{:>11}{:>8}{:>7}{:>11}{:>8}"
_HEAD = ("pattern", "expected", "found", "right", "precision", "recall", "said", "precision", "recall")


@click.command()
@click.option("--seeds", type=click.IntRange(1, 10_000), default=10, show_default=True, help="How many runs.")
@click.option("--first-seed", type=int, default=1, show_default=True, help="The others follow by one.")
@click.option("--customers", type=click.IntRange(1, 100_000), default=150, show_default=True)
@click.option("--days", type=click.FloatRange(min=0, min_open=True, max=365), default=30.0, show_default=True)
@click.option("--tidy", is_flag=True, help="Records without lateness, duplicates, shared telephones or mistakes.")
@click.option("--jobs", type=click.IntRange(1, 64), help="Processes. [one for each processor]")
@click.option("--json", "as_json", is_flag=True, help="One JSON object, with every difference.")
def score(  # each is an option
    *, seeds: int, first_seed: int, customers: int, days: float, tidy: bool, jobs: int | None, as_json: bool
) -> None:
    """Simulate companies, and hold what the core says of their customers against what was true.

    The truth is kept by the stories themselves, apart from the core. Expected, found and right count problems of
    customers: those that show the pattern, those for which it is on record at the end, and those for which both is so.
    Said are those for which an escalation ever named it, also where a late event took that back.

    Judged are problems whose parts the input ties together; of the others nobody could know that they are one.
    """
    run = partial(one_run, customers=customers, days=days, tidy=tidy)
    total = Score()
    for result in _runs(run, range(first_seed, first_seed + seeds), jobs or os.cpu_count() or 1):
        total.add(result)
    if as_json:
        click.echo(dumps(total.as_record()))
        return
    for line in table(total):
        click.echo(line)


def one_run(seed: int, *, customers: int, days: float, tidy: bool) -> Score:
    """The score of one seed; its differences name the seed."""
    simulation = Simulation(seed, parse_time(DEFAULT_START), int(days * DAY), customers, untidy=TIDY if tidy else USUAL)
    result = score_run(simulation)
    result.misses = [miss._replace(customer_id=f"{seed}/{miss.customer_id}") for miss in result.misses]
    return result


def _runs(run: Callable[[int], Score], seeds: range, jobs: int) -> Iterator[Score]:
    """The runs, in order of their seeds, in as many processes as help."""
    jobs = min(jobs, len(seeds))
    if jobs == 1:
        yield from map(run, seeds)
        return
    with ProcessPoolExecutor(jobs) as pool:
        yield from pool.map(run, seeds)


def table(total: Score) -> Iterator[str]:
    """The scores as lines of text, and the first differences."""
    yield _ROW.format(*_HEAD)
    for name, counts in total.patterns.items():
        yield _row(name, counts)
    every = PatternScore()
    for counts in total.patterns.values():
        every.add(counts)
    yield _row("all", every)
    yield ""
    yield (
        f"{total.problems:,} problems of customers; {total.judged:,} of them judged, "
        f"{total.told_apart:,} of these exactly one issue."
    )
    for miss in total.misses[:SHOWN]:
        yield _difference(miss)
    if len(total.misses) > SHOWN:
        yield f"and {len(total.misses) - SHOWN:,} more differences: --json lists them"


def _row(name: str, counts: PatternScore) -> str:
    said = PatternScore(counts.expected, counts.said, counts.said_right)
    shares = [_share(value) for value in (counts.precision, counts.recall, said.precision, said.recall)]
    return _ROW.format(name, counts.expected, counts.found, counts.right, *shares[:2], counts.said, *shares[2:])


def _share(value: float | None) -> str:
    """Four digits, never rounded up to what is perfect."""
    if value is None:
        return "-"
    return "1" if value == 1 else f"{min(value, 0.9999):.4f}"


def _difference(miss: Miss) -> str:
    return f"{miss.what}: {miss.pattern} of customer {miss.customer_id} about {miss.topic or '?'} ({miss.thread})"
