"""The lease: how long this process may still take its partitions for its own.

A process that was stopped (SIGSTOP, a suspended machine, a very long pause) keeps believing in its assignment
when it wakes. The lease says no: its age counts through the stop, and only a confirmed heartbeat renews it.
"""

import time
from collections.abc import Awaitable, Callable

_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""Linux's boot time goes on while the machine is suspended; monotonic time does not."""


def _seconds() -> float:
    return time.clock_gettime(_CLOCK)


class Lease:
    """Valid for `timeout_s` after the last success. Set by the consumer's thread, read by the event loop's."""

    def __init__(self, timeout_s: float, seconds: Callable[[], float] = _seconds) -> None:
        self.timeout_s = timeout_s
        self._seconds = seconds
        self._renewed_at = seconds()

    def renew(self, at: float | None = None) -> None:
        """The broker has confirmed, in answer to a request sent at `at` (default: now), that we are a member."""
        self._renewed_at = self._seconds() if at is None else at

    def age_s(self) -> float:
        """Seconds since the last success."""
        return self._seconds() - self._renewed_at

    def is_valid(self) -> bool:
        """False once the broker may have given the partitions to others."""
        return self.age_s() < self.timeout_s

    def renewed_by(self, heartbeat: Callable[[], Awaitable[bool]]) -> Callable[[], Awaitable[bool]]:
        """The same heartbeat, which renews the lease when it succeeds: as of its sending, the cautious end."""

        async def renewing() -> bool:
            sent_at = self._seconds()
            success = await heartbeat()
            if success:
                self.renew(sent_at)
            return success

        return renewing
