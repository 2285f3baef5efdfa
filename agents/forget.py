"""Erasing a customer from a live deployment: found, resolved, erased by the workers, looked for again.

Every step can be repeated. What the workers have confirmed is waited for before and after, so that nothing which was
sent before can bring the customer back (`agents.forget_wait`).
"""

from collections.abc import Sequence
from typing import NamedTuple

from agents import forget_send
from agents.cli import BadInput
from agents.clock import Clock
from agents.forget_find import Target, find
from agents.forget_remains import Kept, kept
from agents.forget_send import Out, send
from agents.forget_traces import TOPICS, Traces, search
from agents.forget_wait import worked_off
from agents.live import as_deployed
from agents.printable import one_line
from agents.reader import Reader
from agents.settings import Settings
from schemas.identity import Identity
from topics.table import CO_PARTITIONED, LINKS

ROUNDS = 3
"""How often what is left is looked for and taken away."""


class Plan(NamedTuple):
    """Whom to erase, and what names it: all that there is where the identity is nobody's, else link records only."""

    settings: Settings
    target: Target
    traces: Traces


class Erased(NamedTuple):
    """What is left on the compacted topics, and how long the broker keeps the others."""

    left: Traces
    kept: dict[str, Kept]


async def look(settings: Settings, identity: Identity, wait_s: float) -> Plan:
    """Find the customer, after the workers have worked off what waits; `wait_s` 0: as it is.

    Raises BadInput where nothing names the identity, and where the workers are not up to date in time.
    """
    settings = await as_deployed(settings, (*CO_PARTITIONED, *TOPICS))
    if wait_s:
        await _worked_off(settings, wait_s, "Nothing was sent")
    return await _plan(settings, Reader(settings), identity)


async def erase(plan: Plan, identity: Identity, wait_s: float, clock: Clock) -> Erased | None:
    """Erase what the plan says, and see that it is gone; None with `wait_s` 0, where it is sent and no more.

    Raises BadInput where it is another customer by now, and where the effect is not seen in time.
    """
    settings, reader = plan.settings, Reader(plan.settings)
    now = await _plan(settings, reader, identity)
    if now.target.names != plan.target.names:
        raise BadInput(
            f"{one_line(plan.target.name)}: the customer has other identities by now; nothing was sent: look again"
        )
    target = now.target
    await send(settings, forget_send.unlinks(settings, now.traces.links), clock.now())  # found by what is erased next
    if not wait_s:
        await send(settings, forget_send.forget(settings, target), clock.now())
        return None
    later = "It is under way, and the same call looks for what is left"
    if target.escalations and forget_send.writes_input(settings):
        await _sent(settings, forget_send.resolves(settings, target, clock.now()), clock, wait_s, later)
    await _sent(settings, forget_send.forget(settings, target), clock, wait_s, later)
    await _sent(settings, forget_send.rewrites(settings, target.ids), clock, wait_s, later)
    left = await search(settings, reader, target.names, target.ids)
    for _ in range(ROUNDS):
        outs = forget_send.mends(settings, target, left)
        if not outs:
            break
        await _sent(settings, outs, clock, wait_s, later)
        left = await search(settings, reader, target.names, target.ids)
    return Erased(left, await kept(settings))


async def _plan(settings: Settings, reader: Reader, identity: Identity) -> Plan:
    target = await find(settings, reader, identity)
    where = (LINKS,) if target.customer_id is not None else TOPICS
    traces = await search(settings, reader, target.names, target.ids, where)
    if target.customer_id is None and not traces:
        raise BadInput(f"no customer has the identity {one_line(target.name)}, and no compacted topic names it")
    return Plan(settings, target, traces)


async def _sent(settings: Settings, outs: Sequence[Out], clock: Clock, wait_s: float, then: str) -> None:
    if outs:
        await send(settings, outs, clock.now())
        await _worked_off(settings, wait_s, then)


async def _worked_off(settings: Settings, wait_s: float, then: str) -> None:
    if not await worked_off(settings, wait_s):
        raise BadInput(
            f"the workers have not worked off within {wait_s:g} s what waits for them: are they running, and up to "
            f"date? {then}"
        )
