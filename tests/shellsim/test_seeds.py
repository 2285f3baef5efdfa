"""The shell under faults, seed by seed: what comes out is what a replay of the input says, and nothing is lost or stuck."""

from pathlib import Path

import pytest

from tests.shellsim.__main__ import commit
from tests.shellsim.plan import WHAT
from tests.shellsim.plants import OTHERS, PLANTS, REQUIRED
from tests.shellsim.trial import failing, tried
from tests.shellsim.world import World

QUICK = 200
CHUNKS = 8
FINDERS = {}
"""A planted bug -> a seed that finds it."""


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_nothing_is_lost_or_said_twice(chunk: int) -> None:
    """Kills at any await, stops, cuts, rebalances, lost answers: the facts, revisions and offsets are right in the end."""
    size = QUICK // CHUNKS
    for verdict in failing(range(1 + chunk * size, 1 + (chunk + 1) * size)):
        told = "\n".join(verdict.wrong)
        again = f"python -m tests.shellsim --first {verdict.seed} --seeds 1 --story"
        pytest.fail(f"seed {verdict.seed} at commit {commit()}: {told}\nagain: {again}", pytrace=False)


@pytest.mark.parametrize("name", REQUIRED)
def test_planted_bugs_are_found(name: str) -> None:
    """Whoever acknowledges too early, forgets the outbox or leaves timers behind is found out."""
    _found(name)


@pytest.mark.slow
@pytest.mark.parametrize("name", OTHERS)
def test_other_planted_bugs_are_found(name: str) -> None:
    """So are terms, fences and mending that do not do what they are for."""
    _found(name)


def _found(name: str) -> None:
    seed = FINDERS[name]
    assert not tried(seed).wrong
    with PLANTS[name]():
        assert tried(seed).wrong


def test_a_seed_is_one_run() -> None:
    """The same seed is the same run to the last byte, whatever ran before it in the process."""
    first = [_fingerprint(seed) for seed in (4, 21)]
    assert [_fingerprint(seed) for seed in (21, 4)] == first[::-1]
    assert len(set(first)) == len(first)


def _fingerprint(seed: int) -> bytes:
    world = World(seed)
    world.run()
    return world.fingerprint()


def test_the_plans_of_the_quick_seeds_hold_every_fault() -> None:
    """The quick seeds hold each kind of fault many times, and the simulation has as many workers and partitions as it takes."""
    plans = [World(seed).plan for seed in range(1, QUICK + 1)]
    seen = [fault.what for plan in plans for fault in plan.faults]
    assert all(seen.count(what) >= 10 for what, _ in WHAT)
    assert {(plan.partitions > 1, plan.workers > 1) for plan in plans} == {
        (a, b) for a in (False, True) for b in (False, True)
    }


def test_the_command_says_how_to_see_it_again(capsys: pytest.CaptureFixture[str]) -> None:
    """A seed that ends badly is told with its number, the commit, and the command that repeats it."""
    from tests.shellsim.__main__ import tell

    with PLANTS["ack_before_confirm"]():
        verdict = tried(FINDERS["ack_before_confirm"])
    tell(verdict, "ack_before_confirm", story=False)
    said = capsys.readouterr().out
    assert f"--first {verdict.seed} --seeds 1 --story --plant ack_before_confirm" in said
    assert f"commit {commit()}" in said
    assert Path(__file__).parent.name in said
