"""How long is waited for others, where the group gives a silent worker up after a time."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import NamedTuple

REBALANCE_MIN_S = 10.0
"""A worker needs some seconds to end what is in hand before it gives its partitions back."""
ANSWER_S = 5.0


class Patience(NamedTuple):
    """How long (ms) is waited for others."""

    rebalance_ms: int
    """By the group, for a worker to come back when partitions are shared out anew."""
    answer_ms: int
    """By us, for a broker to answer: longer than it may hold an answer back, which it does longest in a rebalance."""


def patience(session_s: float) -> Patience:
    """How long to wait where a silent worker is given up after `session_s` seconds.

    A broker that keeps its connections and answers nothing is noticed by this alone: only then does a client look for
    who leads its partitions now.
    """
    rebalance_s = max(session_s, REBALANCE_MIN_S)
    return Patience(int(rebalance_s * 1000), int((rebalance_s + ANSWER_S) * 1000))


def within(timeout_s: float, heartbeat: Callable[[], Awaitable[bool]]) -> Callable[[], Awaitable[bool]]:
    """The same heartbeat, which has failed where it is not answered in time."""

    async def bounded() -> bool:
        try:
            async with asyncio.timeout(timeout_s):
                return await heartbeat()
        except TimeoutError:
            return False

    return bounded
