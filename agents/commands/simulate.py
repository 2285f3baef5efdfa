"""`mindgap simulate`: a believable stream of interactions, as input for replay."""

import time
from pathlib import Path

import click

from agents.cli import BadInput
from schemas.codec import dumps
from schemas.times import DAY, SECOND, parse_time
from streams.simulate import TIDY, USUAL, Simulation

DEFAULT_START = "2026-06-01T04:00:00Z"


@click.command()
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed gives the same bytes.")
@click.option("--customers", type=click.IntRange(1, 1_000_000), default=400, show_default=True)
@click.option("--days", type=click.FloatRange(min=0, min_open=True, max=365), default=10.0, show_default=True)
@click.option(
    "--problems",
    type=click.FloatRange(min=0, min_open=True, max=10),
    default=0.13,
    show_default=True,
    help="Of a customer in a day, on the average.",
)
@click.option("--start", default=DEFAULT_START, show_default=True, help="RFC 3339 time of the first instant.")
@click.option("--truth", type=click.Path(dir_okay=False, path_type=Path), help="Write what is true of each story here.")
@click.option("--tidy", is_flag=True, help="Records without lateness, duplicates, shared telephones or mistakes.")
@click.option(
    "--speed",
    type=click.FloatRange(min=0, min_open=True),
    help="Write each line when it is due, at so many seconds of the company's time in a second. [at once]",
)
def simulate(  # each is an option
    *,
    seed: int,
    customers: int,
    days: float,
    problems: float,
    start: str,
    truth: Path | None,
    tidy: bool,
    speed: float | None,
) -> None:
    """Write a simulated company's interactions and identity links to standard output.

    One JSON object a line, in order of arrival, in the format that `mindgap replay` reads. Some arrive late, out of
    order, or twice. With --truth, a file of JSON lines says which patterns really held for which customer and topic,
    and since when. Staff grow with the customers; with more --problems they do not, and queues get longer.
    """
    try:
        begin = parse_time(start)
    except ValueError as problem:
        msg = f"--start: {problem}"
        raise BadInput(msg) from problem
    untidy = TIDY if tidy else USUAL
    simulation = Simulation(seed, begin, int(days * DAY), customers, stories_per_day=problems, untidy=untidy)
    out = click.get_binary_stream("stdout")
    begun = time.monotonic()
    for line in simulation:
        if speed is not None:
            ahead = (line.at - begin) / SECOND / speed - (time.monotonic() - begun)
            if ahead > 0:
                out.flush()
                time.sleep(ahead)
        out.write(dumps(line.as_record()) + b"\n")
    out.flush()
    if truth:
        with truth.open("wb") as file:
            file.writelines(dumps(story.as_record()) + b"\n" for story in simulation.truth())
