"""The demo's time: the feed tells it, the worker follows.

A clock that merely ran fast would be ahead of records that are still on their way, and at four hours a second a
moment on the way is a breach. So the worker's clock stands until it is told the time, and it is told an instant
only when it has taken in every record up to then (`agents.demo.intake`).
"""

import threading
from typing import IO

from schemas.times import SECOND


class DrivenClock:
    """A clock that shows the newest instant (ms) that it was told, and never runs backwards.

    `speed` (virtual seconds per second) is what `wall_seconds` guesses by.
    """

    def __init__(self, start: int, speed: float) -> None:
        if not speed > 0:
            msg = f"the speed is {speed}: a clock runs forwards, so it must be above 0"
            raise ValueError(msg)
        self._now = start
        self._speed = speed

    def now(self) -> int:
        """Virtual milliseconds since the epoch."""
        return self._now

    def wall_seconds(self, duration: int) -> float:
        """Seconds of real time in which `duration` virtual ms pass, as far as can be said."""
        return duration / SECOND / self._speed

    def tell(self, at: int) -> None:
        """Move on to `at`."""
        self._now = max(self._now, at)

    def follow(self, lines: IO[str]) -> None:
        """Move on with each line of `lines`, an instant in ms; returns at their end."""
        for line in lines:
            self.tell(int(line))


def follow_in_background(clock: DrivenClock, lines: IO[str], ended: threading.Event) -> threading.Thread:
    """Follow `lines` in a thread that sets `ended` when they end or cannot be read."""

    def run() -> None:
        try:
            clock.follow(lines)
        finally:
            ended.set()

    thread = threading.Thread(target=run, name="clock", daemon=True)
    thread.start()
    return thread
