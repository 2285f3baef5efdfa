"""An event loop on virtual time. Who runs next is drawn from a seed; what belongs to a process can be killed or stopped.

Nothing waits: where no callback is ready, time jumps to the next timer. A callback belongs to the process in whose
context it was scheduled, and tasks inherit theirs.
"""

import asyncio
import heapq
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from random import Random
from typing import Any

STEPS_AT_ONE_INSTANT_MAX = 100_000


class Owner:
    """A process, as the loop sees it. Dead: none of its callbacks runs any more. Stopped: they wait."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.dead = False
        self.stopped = False
        self.steps = 0
        self.member: int | None = None
        """What the group knows it by."""
        self.trip: tuple[int, Callable[[], None]] | None = None
        """At this step, between two awaits of whatever task, this is called."""
        self.held: list[asyncio.Handle] = []


OWNER: ContextVar[Owner | None] = ContextVar("owner", default=None)
"""The process that runs; None for the world outside: the broker, the network, whoever plans the faults."""


class StuckError(AssertionError):
    """Time does not go on, or not to an end."""


class VirtualLoop(asyncio.BaseEventLoop):
    """`disorder`: the share of steps that are not taken in their turn."""

    def __init__(self, random: Random, disorder: float) -> None:
        super().__init__()
        self._random = random
        self._disorder = disorder
        self._clock = 0.0
        self._at_this_instant = 0
        self._tasks: list[asyncio.Task[Any]] = []
        self._draining = False
        self._owners: list[Owner] = []
        self.steps = 0
        self.problems: list[dict[str, Any]] = []
        self.set_task_factory(self._remember)
        self.set_exception_handler(lambda _, context: self.problems.append(context))

    def time(self) -> float:
        """Virtual seconds since the beginning."""
        return self._clock

    def know(self, owner: Owner) -> None:
        """What the owner leaves undone is ended by `finish`."""
        self._owners.append(owner)

    def resume(self, owner: Owner) -> None:
        """Let a stopped process go on, with all that has become due meanwhile."""
        owner.stopped = False
        self._ready.extend(owner.held)
        owner.held.clear()

    def failures(self) -> Iterator[str]:
        """The tasks that ended in an exception that nobody has asked for: in production it would be but a line of the log."""
        for task in self._tasks:
            if task.done() and not task.cancelled() and task._log_traceback:
                yield f"{task.get_name()} ended by itself: {task.exception()!r}"

    def finish(self) -> None:
        """Cancel every task, those of dead processes too, and let them end. The world should take nothing any more."""
        self._draining = True
        for owner in self._owners:
            self.resume(owner)
        pending = [task for task in self._tasks if not task.done()]
        for task in pending:
            task.cancel()
        if pending:
            self.run_until_complete(asyncio.wait(pending, timeout=60.0))
        self._tasks.clear()
        self.close()

    def _remember(self, loop: asyncio.AbstractEventLoop, coro: Any, **options: Any) -> "asyncio.Task[Any]":
        task: asyncio.Task[Any] = asyncio.Task(coro, loop=loop, **options)
        self._tasks.append(task)  # one that is collected while it waits would run its `finally` at a moment of chance
        return task

    def _run_once(self) -> None:
        ready = self._ready
        if not ready:
            self._jump()
        if self._disorder and len(ready) > 1 and self._random.random() < self._disorder:
            place = self._random.randrange(len(ready))
            ready.rotate(-place)
            handle = ready.popleft()
            ready.rotate(place)
        else:
            handle = ready.popleft()
        if handle._cancelled:
            return
        owner = handle._context.get(OWNER)
        if owner is None or self._draining:
            handle._run()
        elif owner.dead or owner.stopped:
            owner.held.append(handle)
            return
        else:
            handle._run()
            owner.steps += 1
            if owner.trip is not None and owner.steps >= owner.trip[0]:
                trip, owner.trip = owner.trip[1], None
                trip()
        self.steps += 1
        self._at_this_instant += 1
        if self._at_this_instant > STEPS_AT_ONE_INSTANT_MAX:
            raise StuckError(f"more than {STEPS_AT_ONE_INSTANT_MAX} steps at {self._clock:.3f} s")

    def _jump(self) -> None:
        scheduled = self._scheduled
        while not self._ready:
            if not scheduled:
                raise StuckError("nothing will ever happen again")
            timer = heapq.heappop(scheduled)
            timer._scheduled = False
            if timer._cancelled:
                continue
            if timer._when > self._clock:
                self._clock = timer._when
                self._at_this_instant = 0
            self._ready.append(timer)
            while scheduled and scheduled[0]._when <= self._clock:
                timer = heapq.heappop(scheduled)
                timer._scheduled = False
                self._ready.append(timer)

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """Cancelled timers are passed over when their time comes."""

    def _write_to_self(self) -> None:
        """There is no other thread."""


@contextmanager
def within(owner: Owner | None) -> Iterator[None]:
    """What is scheduled within belongs to `owner`."""
    token = OWNER.set(owner)
    try:
        yield
    finally:
        OWNER.reset(token)
