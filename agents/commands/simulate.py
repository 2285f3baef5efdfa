"""`mindgap simulate`: a believable stream of interactions, as input for replay."""

from pathlib import Path

import click

from agents.cli import BadInput
from schemas.codec import dumps
from schemas.times import DAY, parse_time
from streams.simulate import Simulation

DEFAULT_START = "2026-06-01T04:00:00Z"


@click.command()
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed gives the same bytes.")
@click.option("--customers", type=click.IntRange(1, 1_000_000), default=400, show_default=True)
@click.option("--days", type=click.FloatRange(min=0, min_open=True, max=365), default=10.0, show_default=True)
@click.option("--start", default=DEFAULT_START, show_default=True, help="RFC 3339 time of the first instant.")
@click.option("--truth", type=click.Path(dir_okay=False, path_type=Path), help="Write what is true of each story here.")
def simulate(seed: int, customers: int, days: float, start: str, truth: Path | None) -> None:
    """Write a simulated company's interactions and identity links to standard output.

    One JSON object a line, in order of arrival, in the format that `mindgap replay` reads. Some arrive late, out of
    order, or twice. With --truth, a file of JSON lines says which patterns really held for which customer and topic.
    """
    try:
        begin = parse_time(start)
    except ValueError as problem:
        msg = f"--start: {problem}"
        raise BadInput(msg) from problem
    simulation = Simulation(seed, begin, int(days * DAY), customers)
    out = click.get_binary_stream("stdout")
    for line in simulation:
        out.write(dumps(line.as_record()) + b"\n")
    out.flush()
    if truth:
        with truth.open("wb") as file:
            file.writelines(dumps(story.as_record()) + b"\n" for story in simulation.truth())
