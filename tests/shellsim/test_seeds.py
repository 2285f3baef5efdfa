"""The shell under faults, seed by seed: what comes out is what a replay of the input says, and nothing is lost or stuck."""

import pytest

from tests.shellsim.__main__ import commit, tell
from tests.shellsim.plan import WHAT
from tests.shellsim.plants import OTHERS, PLANTS, REQUIRED
from tests.shellsim.trial import Verdict, failing, tried
from tests.shellsim.world import World

QUICK, ALL, CHUNK = 60, 200, 20
"""Seeds that `make test` runs, and `make test-all`; how many of them make one test."""
FINDERS: dict[str, tuple[int, ...]] = {
    "ack_before_confirm": (4, 6, 7),
    "lost_outbox": (10, 22, 28),
    "stale_timer": (3, 4, 6),
    "timers_not_made_anew": (15, 26, 32),
    "failed_sends_forgotten": (7, 11, 21),
    "batches_survive_a_rebalance": (4, 6, 10),
    "reading_survives_its_state": (15, 26, 28),
    "outputs_before_state": (68, 129, 133),
    "late_state_not_mended": (358,),
    "term_not_claimed": (1, 2),
    "fence_ignored": (28, 34, 39),
    "every_record_counts": (47, 131),
    "late_state_not_taken": (22, 44, 60),
    "applied_before_confirmed": (1, 2),
}
"""A planted bug -> seeds that find it. One has to: any change to the shell changes what exactly happens in a seed."""
NOT_FOUND = OTHERS.keys() - FINDERS.keys()
"""No seed is known: a late record behind the last write, which nobody comes to write after, is rare."""


@pytest.mark.parametrize(
    "first",
    [pytest.param(first, marks=[pytest.mark.slow] * (first > QUICK)) for first in range(1, ALL + 1, CHUNK)],
)
def test_nothing_is_lost_or_said_twice(first: int) -> None:
    """Kills at any await, stops, cuts, rebalances, lost answers: the facts, revisions and offsets are right in the end."""
    for verdict in failing(range(first, first + CHUNK)):
        told = "\n".join(verdict.wrong)
        again = f"python -m tests.shellsim --first {verdict.seed} --seeds 1 --story"
        pytest.fail(f"seed {verdict.seed} at commit {commit()}: {told}\nagain: {again}", pytrace=False)


@pytest.mark.parametrize("name", REQUIRED)
def test_planted_bugs_are_found(name: str) -> None:
    """Whoever acknowledges too early, forgets the outbox or leaves timers behind is found out."""
    _find(name)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(OTHERS.keys() - NOT_FOUND))
def test_other_planted_bugs_are_found(name: str) -> None:
    """So are fences, readings and sends that do not do what they are for."""
    _find(name)


def _find(name: str) -> Verdict:
    """How the first seed ended that finds the bug, and that finds nothing without it."""
    with PLANTS[name]():
        found = next(failing(FINDERS[name]), None)
    assert found, f"none of {FINDERS[name]} finds it any more: python -m tests.shellsim --plant {name} says which do"
    assert not tried(found.seed).wrong
    return found


def test_a_seed_is_one_run() -> None:
    """The same seed is the same run to the last byte, whatever ran before it in the process."""
    first = [_fingerprint(seed) for seed in (4, 21)]
    assert [_fingerprint(seed) for seed in (21, 4)] == first[::-1]
    assert len(set(first)) == len(first)


def _fingerprint(seed: int) -> bytes:
    world = World(seed)
    world.run()
    return world.fingerprint()


def test_a_task_that_ends_by_itself_is_told() -> None:
    """Where a task of a worker dies, a seed says which and of what: not only that nothing settles any more."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("agents.worker.timekeeper._COST_MAX", 0)
        wrong = tried(1).wrong
    assert any("timekeeper ended by itself: ZeroDivisionError" in one for one in wrong)


def test_the_plans_of_the_quick_seeds_hold_every_fault() -> None:
    """Each kind of fault comes several times, with one worker and more, on one partition and more."""
    plans = [World(seed).plan for seed in range(1, QUICK + 1)]
    seen = [fault.what for plan in plans for fault in plan.faults]
    assert all(seen.count(what) >= 3 for what, _ in WHAT)
    assert len({(plan.partitions > 1, plan.workers > 1) for plan in plans}) == 4


def test_the_command_says_how_to_see_it_again(capsys: pytest.CaptureFixture[str]) -> None:
    """A seed that ends badly is told with its number, the commit, and the command that repeats it."""
    verdict = _find("ack_before_confirm")
    tell(verdict, "ack_before_confirm", story=False)
    said = capsys.readouterr().out
    assert f"seed {verdict.seed} at commit {commit()}" in said
    assert f"python -m tests.shellsim --first {verdict.seed} --seeds 1 --story --plant ack_before_confirm" in said
