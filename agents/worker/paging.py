"""Paging that a policy has switched off (`notify.paging: off`): said loudly for as long as it lasts."""

import asyncio
import time
from contextlib import suppress

from agents import log
from agents.clock import Clock
from agents.worker.metrics import Metrics
from agents.worker.ports import Kit, Policy

SAY_EVERY_S = 60.0
"""How often it is said again."""
_LOOK_S = 1.0
_log = log.get("mindgap.paging")


class Paging:
    """Says `paging_off` at the start, at every change and each minute, and `paging_on` once it is on again.

    By the clock, not by the time of a partition: who works a backlog off is to hear now of what holds now.
    """

    def __init__(self, clock: Clock, kit: Kit, metrics: Metrics) -> None:
        self._clock = clock
        self._kit = kit
        self._gauge = metrics.paging_off
        self._errors = metrics.internal_errors
        self._said: tuple[str, str | None] | None = None
        """The version and the reason that were said last; None while paging is on."""
        self._said_at = 0.0
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Look at once, and from then on every second."""
        self._task = asyncio.create_task(self._run(), name="paging")

    async def stop(self) -> None:
        """Stop."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    def look(self, seconds: float) -> None:
        """Say what there is to say; `seconds`: real time, of any beginning."""
        policy: Policy = self._kit.policies.at(self._clock.now())
        self._gauge.set(0 if policy.paging else 1)
        if policy.paging:
            if self._said is not None:
                self._said = None
                _log.warning("paging_on", policy_version=policy.version)
            return
        state = policy.version, policy.paging_off_reason
        if state != self._said or seconds - self._said_at >= SAY_EVERY_S:
            self._said, self._said_at = state, seconds
            _log.warning("paging_off", policy_version=policy.version, reason=policy.paging_off_reason or "none given")

    async def _run(self) -> None:
        while True:
            try:
                self.look(time.monotonic())
            except Exception as problem:  # noqa: BLE001 - else it would be silent from now on
                self._errors.labels("paging_unknown").inc()
                _log.error("paging_unknown", error=type(problem).__name__)
            await asyncio.sleep(_LOOK_S)
