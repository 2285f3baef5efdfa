"""The clock port: the only place of the program that asks what time it is.

Production uses the wall clock. Demo and tests use a scaled one, shared by several processes through three
numbers in the environment, so that a day passes in a minute on the same code path.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from schemas.times import parse_time

START = "MINDGAP_CLOCK_START"
SPEED = "MINDGAP_CLOCK_SPEED"
WALL0 = "MINDGAP_CLOCK_WALL0"


class Clock(Protocol):
    """What time it is."""

    def now(self) -> int:
        """Milliseconds since the epoch."""
        ...

    def wall_seconds(self, duration: int) -> float:
        """Seconds of real time in which `duration` ms of this clock pass."""
        ...


class WallClock:
    """The machine's own clock."""

    def now(self) -> int:
        """Milliseconds since the epoch."""
        return time.time_ns() // 1_000_000

    def wall_seconds(self, duration: int) -> float:
        """Seconds of real time in which `duration` ms pass."""
        return duration / 1000


@dataclass(frozen=True)
class ScaledClock:
    """Virtual time: `start` + (wall - `wall0`) * `speed`. Instants in ms since the epoch."""

    start: int
    speed: float
    wall0: int = field(default_factory=lambda: WallClock().now())

    def __post_init__(self) -> None:
        """Refuse a clock that stands still or runs backwards."""
        if not self.speed > 0:
            msg = f"{SPEED} is {self.speed}: a clock runs forwards, so it must be above 0"
            raise ValueError(msg)

    def now(self) -> int:
        """Virtual milliseconds since the epoch."""
        return self.start + int((WallClock().now() - self.wall0) * self.speed)

    def wall_seconds(self, duration: int) -> float:
        """Seconds of real time in which `duration` virtual ms pass."""
        return duration / 1000 / self.speed

    def environment(self) -> dict[str, str]:
        """The variables that give another process this very clock."""
        return {START: str(self.start), SPEED: repr(self.speed), WALL0: str(self.wall0)}


def clock_from(environment: Mapping[str, str]) -> Clock:
    """The scaled clock that `environment` describes, else the wall clock.

    `MINDGAP_CLOCK_START` is RFC 3339 or ms since the epoch, `MINDGAP_CLOCK_SPEED` virtual seconds per second
    (default 1), `MINDGAP_CLOCK_WALL0` the wall time, in ms, at which the start was (default: now).
    Raises ValueError for what is none of these.
    """
    start = environment.get(START)
    if not start:
        return WallClock()
    wall0 = environment.get(WALL0)
    return ScaledClock(
        start=int(start) if start.lstrip("-").isdigit() else parse_time(start),
        speed=float(environment.get(SPEED) or 1),
        wall0=int(wall0) if wall0 else WallClock().now(),
    )
