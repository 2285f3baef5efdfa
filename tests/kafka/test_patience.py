"""How long is waited for a broker that does not answer."""

import asyncio

import pytest

from agents.patience import patience, within


@pytest.mark.parametrize("session_s", [2.0, 6.0, 30.0, 300.0])
def test_an_answer_is_waited_for_longer_than_a_broker_may_hold_it_back(session_s):
    """Joining a group is answered at the end of the rebalance at the latest; a session ends before that."""
    found = patience(session_s)
    assert session_s * 1000 <= found.rebalance_ms < found.answer_ms
    assert found.answer_ms <= session_s * 1000 + 15_000


async def test_a_heartbeat_that_is_not_answered_has_failed():
    """It is given up in time, and what waited for the answer is cancelled."""
    cancelled = asyncio.Event()

    async def never() -> bool:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled.set()
            raise
        return True

    assert await within(0.05, never)() is False
    assert cancelled.is_set()


@pytest.mark.parametrize("success", [True, False])
async def test_what_the_broker_says_of_a_heartbeat_is_passed_on(success):
    """An answer in time is the answer."""

    async def beat() -> bool:
        return success

    assert await within(1, beat)() is success
