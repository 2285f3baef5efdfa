"""What happens to workers. Each takes a trial with no worker yet, and how often it is to happen."""

import signal
from collections.abc import Awaitable, Callable

from tests.faults.failing_worker import PLACES
from tests.faults.trial import FaultError, Trial

Fault = Callable[[Trial, int], Awaitable[None]]
SHARE = 60
"""Records for each time that something happens: enough that there is work in hand."""


async def kill(trial: Trial, times: int) -> None:
    """Kill -9 of the only worker at a random point, its recovery included, and another in its place."""
    trial.pool.start()
    await trial.pool.ready()
    for number in range(times):
        if number % 3 == 0:  # the others hit a worker that is just starting
            await trial.pool.ready()
        await trial.feed(SHARE)
        await trial.moment()
        trial.pool.kill_all()
        if number % 5 == 0:
            await trial.check_committed()
        trial.pool.start()


async def kill_two(trial: Trial, times: int) -> None:
    """Kill -9 of both workers at once, and two others in their place."""
    for _ in range(times):
        trial.pool.start()
        trial.pool.start()
        await trial.pool.ready()
        await trial.feed(SHARE)
        await trial.moment()
        trial.pool.kill_all()
    await trial.check_committed()
    trial.pool.start()
    trial.pool.start()


async def crash_between(trial: Trial, times: int) -> None:
    """Kill -9 between two steps of a batch, each place in turn; often in what the one before has left unmended."""
    for number in range(times):
        place = PLACES[number % len(PLACES)]
        first = trial.pool.start(FAIL_AT=f"{place}:{_passage(trial, place)}")
        await trial.feed(SHARE)
        await trial.until(lambda first=first: first.poll() is not None, f"the end of a worker at {place!r}")
        if first.returncode != -signal.SIGKILL:
            raise FaultError(f"a worker that was to be killed at {place!r} ended with {first.returncode}")
        trial.pool.forget(first)
        await trial.check_committed()
        trial.say(f"killed at {place}")
        if trial.chance.random() < 0.5:  # else the next one is killed in what this one has left
            trial.pool.start()
            await trial.settle()
            trial.pool.kill_all()
    trial.pool.start()


def _passage(trial: Trial, place: str) -> int:
    """Which passage of a place it is to be: one that a share of the input certainly leads to."""
    return trial.chance.randint(1, {"send": 20, "commit": 1, "committed": 1}.get(place, 3))


async def rolling(trial: Trial, times: int) -> None:
    """SIGTERM of one of two workers after the other under load, each replaced before; all end with status 0."""
    trial.pool.start()
    trial.pool.start()
    await trial.pool.ready()
    for _ in range(times):
        await trial.feed(SHARE)
        trial.pool.start()
        await trial.moment()
        if (status := trial.pool.terminate(trial.pool.running[0])) != 0:
            raise FaultError(f"a worker ended with {status} after SIGTERM")
        await trial.feed(SHARE)
        await trial.pool.ready()


async def come_and_go(trial: Trial, times: int) -> None:
    """Beside a worker that stays, another one comes under load, and goes under load, mostly before it is done."""
    trial.pool.start()
    await trial.pool.ready()
    for _ in range(times):
        await trial.feed(SHARE)
        guest = trial.pool.start()
        if trial.chance.random() < 0.7:
            await trial.pool.ready()
        await trial.feed(SHARE)
        await trial.moment()
        if (status := trial.pool.terminate(guest)) not in {0, -signal.SIGTERM}:  # -15: before it could listen
            raise FaultError(f"a worker ended with {status} after SIGTERM")


async def oversleep(trial: Trial, times: int) -> None:
    """SIGSTOP right before a send or elsewhere in a batch, a second worker takes over, SIGCONT; both go on."""
    for number in range(times):
        place = ("send", "customers", "decided", "outputs", "commit")[number % 5]
        at = f"{place}:{_passage(trial, place)}"
        sleeper = trial.pool.start(FAIL_AT=at, FAIL_BY="stop")
        await trial.feed(SHARE)
        await trial.until(lambda sleeper=sleeper: trial.pool.is_stopped(sleeper), f"a worker stops at {place!r}")
        trial.pool.running.remove(sleeper)
        try:
            trial.pool.start()
            await trial.feed(SHARE)
            await trial.settle()  # it owns everything now
            trial.say(f"slept at {at}, all of it worked off by another")
        finally:
            sleeper.send_signal(signal.SIGCONT)
            trial.pool.running.append(sleeper)
        await trial.feed(SHARE)
        await trial.settle()
        trial.pool.kill_all()  # so that the next recovers from what the changelog says
    trial.pool.start()


WORKER_FAULTS: dict[str, Fault] = {
    "kill": kill,
    "kill-two": kill_two,
    "crash-between": crash_between,
    "rolling": rolling,
    "come-and-go": come_and_go,
    "oversleep": oversleep,
}
