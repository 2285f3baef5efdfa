"""Seeds, one after the other: which of them end badly, and why."""

import signal
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

from tests.shellsim.loop import StuckError
from tests.shellsim.oracle import judge
from tests.shellsim.world import World

REAL_S_MAX = 60
"""Seconds of processor time after which a run spins somewhere without ever waiting."""


@dataclass(frozen=True)
class Verdict:
    """How a seed ended; `wrong` is empty where all is well."""

    seed: int
    wrong: list[str]
    story: list[str]


def tried(seed: int) -> Verdict:
    """Run one seed."""
    world = World(seed)
    try:
        with _impatient():
            world.run()
            wrong = judge(world)
    except (StuckError, AssertionError) as problem:
        wrong = [*dict.fromkeys(world.around.faults), f"{type(problem).__name__}: {problem}"]
    return Verdict(seed, wrong, world.story)


def failing(seeds: Iterable[int]) -> Iterator[Verdict]:
    """The seeds that end badly."""
    for seed in seeds:
        verdict = tried(seed)
        if verdict.wrong:
            yield verdict


@contextmanager
def _impatient() -> Iterator[None]:
    """Within: whoever computes for too long is told so. It counts this process's own time, not the machine's."""

    def enough(_: int, frame: FrameType | None) -> None:
        where = f"{frame.f_code.co_filename}:{frame.f_lineno}" if frame else "?"
        raise StuckError(f"computes for {REAL_S_MAX} s without waiting for anything, at {where}")

    before = signal.signal(signal.SIGVTALRM, enough)
    signal.setitimer(signal.ITIMER_VIRTUAL, REAL_S_MAX)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
