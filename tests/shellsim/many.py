"""Many seeds, in as many processes as are asked for. A module of its own: what a new process runs is found by its name."""

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import nullcontext
from multiprocessing import get_context

from tests.shellsim.plants import PLANTS
from tests.shellsim.trial import Verdict, tried

_CHUNK = 25


def verdicts(seeds: range, jobs: int, plant: str | None) -> Iterator[Verdict]:
    """How each seed ends, in order; `jobs` processes at once, with a planted bug where one is named."""
    if jobs == 1:
        with PLANTS[plant]() if plant else nullcontext():
            yield from map(tried, seeds)
        return
    chunks = [(seeds[start : start + _CHUNK], plant) for start in range(0, len(seeds), _CHUNK)]
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        for found in pool.map(_chunk, chunks):
            yield from found


def _chunk(work: tuple[range, str | None]) -> list[Verdict]:
    seeds, plant = work
    return [v if v.wrong else Verdict(v.seed, [], []) for v in verdicts(seeds, 1, plant)]
