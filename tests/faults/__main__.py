"""Faults on a running stream, many times: `python -m tests.faults --fault kill --times 50`.

Every run has topics of its own on an Apache Kafka of our own, and ends with the comparison with replay.
"""

import logging
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import click

from agents.clock import WallClock
from tests.faults.catalogue import FAULTS, run

ROOT = Path(__file__).resolve().parents[2]


@click.command()
@click.option("--fault", "names", type=click.Choice(sorted(FAULTS)), multiple=True, help="Which. [all]")
@click.option("--times", type=click.IntRange(1, 10_000), default=10, show_default=True, help="How often it happens.")
@click.option("--runs", type=click.IntRange(1, 1_000), default=1, show_default=True, help="So many runs of that.")
@click.option("--seed", type=int, help="Of the first run; each that follows has one more. [from the clock]")
def main(names: tuple[str, ...], times: int, runs: int, seed: int | None) -> None:
    """Have faults happen to workers, brokers and records, and say what was seen; status 1 where one lost anything."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # brokers that are away are what this is about
    seed = WallClock().now() % 1_000_000 if seed is None else seed
    failed = 0
    for name in names or FAULTS:
        fault = FAULTS[name]
        for number in range(runs):
            began = time.monotonic()
            folder = Path(tempfile.mkdtemp(prefix=f"mindgap-fault-{name}-"))
            try:
                seen = run(fault, times, random.Random(seed + number), folder)
            except Exception as problem:  # noqa: BLE001 - whatever it was: say how to have it again, and go on
                failed += 1
                click.echo(
                    f"{name}: FAILED ({type(problem).__name__}): {problem}\n{_again(name, times, seed + number)}"
                )
                continue
            seconds = time.monotonic() - began
            shutil.rmtree(folder, ignore_errors=True)
            click.echo(f"{name}: {times} times, seed {seed + number}, {seconds:.0f} s: as replay says; {seen}")
    sys.exit(1 if failed else 0)


def _again(name: str, times: int, seed: int) -> str:
    git = ["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"]
    commit = subprocess.run(git, capture_output=True, text=True, check=False).stdout.strip() or "unknown"
    return f"  at commit {commit}: python -m tests.faults --fault {name} --times {times} --seed {seed}"


if __name__ == "__main__":
    main()
