"""The work of `mindgap policy diff`: the same lines replayed under two policies, each in a process of its own."""

import multiprocessing
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.sharedctypes import Synchronized
from typing import NamedTuple
from zoneinfo import ZoneInfo

from agents.cli import BadInput
from agents.lines import decoded, read_lines
from agents.progress import progress
from schemas.policy import PolicyDocument
from streams.calendar_zones import load_zone
from streams.policy import compile_policy
from streams.policy_diff import Side, Tally
from streams.replay import Line

APART_FROM = 2_000
"""Fewer lines than this are replayed here, one side after the other: two processes would take longer to start."""
LOOK_EVERY_S = 0.25
"""How often the progress of the other processes is looked at."""
TOLD_EVERY = 100
"""Lines between two words of a process on how far it is."""


class Input(NamedTuple):
    """What is replayed: lines by arrival, without versions of a policy, which would replace the one on trial."""

    lines: list[Line]
    policies: int
    """Versions of a policy that were left out."""


def read_input(files: Sequence[str], limit: int) -> Input:
    """The lines of the files. Raises BadInput for a file that cannot be read, or where there is nothing in it."""
    lines = read_lines(files, limit)
    kept = [line for line in lines if line.topic != "policies"]
    if not kept:
        raise BadInput(f"{', '.join(files)}: no line to replay")
    return Input(kept, len(lines) - len(kept))


def replay_both(
    old: PolicyDocument, new: PolicyDocument, lines: list[Line], until: int | None, *, apart: bool | None = None
) -> tuple[Side, Side]:
    """The sides of the old and the new policy. `apart`: in two processes [where there are many lines].

    The result does not depend on `apart`. Raises BadInput where a process is ended from outside.
    """
    if len(lines) < APART_FROM if apart is None else not apart:
        sides = []
        for name, document in (("A", old), ("B", new)):
            with progress(f"replay under {name}", len(lines)) as step:
                sides.append(_replay(document, step(lines), until))
        return sides[0], sides[1]
    context = multiprocessing.get_context()
    done: tuple[Synchronized[int], ...] = (context.Value("q", 0), context.Value("q", 0))
    with ProcessPoolExecutor(2, mp_context=context, initializer=_hand_over, initargs=(lines, done)) as pool:
        futures = [pool.submit(_side, place, document, until) for place, document in enumerate((old, new))]
        with progress("replay A and B", 2 * len(lines)) as step:
            for _ in step(_passed(futures, done)):
                pass
        try:
            return futures[0].result(), futures[1].result()
        except BrokenProcessPool:
            raise BadInput("a replay was ended from outside: it may have been too large for this machine") from None


def people_zone(name: str | None, document: PolicyDocument) -> ZoneInfo:
    """The zone `name`, else that of most calendars of a policy. Raises ValueError where it is not known."""
    if name is not None:
        return load_zone(name)
    zones = Counter(calendar.zone for calendar in document.calendars.values() if calendar.zone != "UTC")
    return load_zone(max(zones, key=zones.__getitem__, default="UTC"))


def _replay(document: PolicyDocument, lines: Iterable[Line], until: int | None) -> Side:
    policy = compile_policy(document)
    tally = Tally(policy)
    for outcome in tally.run.run(decoded(lines, policy.max_bytes), until):
        tally.observe(outcome)
    return tally.finish()


# -- in a process of its own ----------------------------------------------------------------------------------

_given: tuple[list[Line], tuple["Synchronized[int]", ...]] | None = None


def _hand_over(lines: list[Line], done: tuple["Synchronized[int]", ...]) -> None:
    """The lines come with the process: where it is a fork, nothing is copied."""
    global _given  # noqa: PLW0603 - that is how a pool's process is told
    _given = (lines, done)


def _side(place: int, document: PolicyDocument, until: int | None) -> Side:
    assert _given is not None
    lines, done = _given
    return _replay(document, _counted(lines, done[place]), until)


def _counted(lines: list[Line], done: "Synchronized[int]") -> Iterator[Line]:
    for place, line in enumerate(lines):
        if place % TOLD_EVERY == 0:
            done.value = place
        yield line
    done.value = len(lines)


def _passed(futures: "Sequence[Future[Side]]", done: "tuple[Synchronized[int], ...]") -> Iterator[None]:
    """One item for each line that either process has taken, until both are done."""
    told = 0
    while wait(futures, timeout=LOOK_EVERY_S).not_done:
        taken = sum(counter.value for counter in done)
        for _ in range(taken - told):
            yield None
        told = taken
