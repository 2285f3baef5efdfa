"""Paging that is off is said loudly: at the start, at every change, each minute; and once that it is on again."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from agents.worker import paging
from agents.worker.metrics import Metrics
from agents.worker.paging import SAY_EVERY_S, Paging
from schemas.codec import dumps
from streams.kit import CoreKit
from streams.policy import compile_policy
from streams.policy_file import read_policy_value
from tests.shell.fakes import SteppedClock

T0 = 1_000_000


class Heard:
    """A logger that keeps what it is told: (event, version, reason)."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str, str | None]] = []
        self.errors: list[str] = []

    def error(self, event: str, **fields: Any) -> None:
        self.errors.append(event)

    def warning(self, event: str, *, policy_version: str, reason: str | None = None) -> None:
        self.lines.append((event, policy_version, reason))


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> Heard:
    """What is logged as a warning."""
    logger = Heard()
    monkeypatch.setattr(paging, "_log", logger)
    return logger


def kit(**first: Any) -> CoreKit:
    """A worker's core, with this policy from the beginning."""
    return CoreKit(compile_policy(read_policy_value({"version": "1", **first}, "test")))


def publish(core: CoreKit, version: str, at: int, **more: Any) -> None:
    """A further version, which takes effect at `at`."""
    core.policy(dumps({"version": version, **more}), at)


def off(reason: str | None = None) -> dict[str, Any]:
    """The switch."""
    return {"notify": {"paging": "off", **({"reason": reason} if reason else {})}}


def test_it_is_said_at_the_start_and_every_minute(heard):
    """A worker that starts with paging off says so at once, with the reason, and again each minute, not in between."""
    metrics = Metrics()
    one = Paging(SteppedClock(T0), kit(**off("drill")), metrics)
    for second in range(int(SAY_EVERY_S) * 2 + 1):
        one.look(1000.0 + second)
    assert heard.lines == [("paging_off", "1", "drill")] * 3
    assert metrics.registry.get_sample_value("mindgap_paging_off") == 1


def test_every_change_is_said(heard):
    """Off, off for another reason, on: each at the moment at which the version takes effect, and `paging_on` once."""
    clock, core, metrics = SteppedClock(T0), kit(), Metrics()
    one = Paging(clock, core, metrics)
    publish(core, "2", T0 + 2_000, **off())
    publish(core, "3", T0 + 4_000, **off("move of the pager"))
    publish(core, "4", T0 + 6_000)
    gauge = []
    for second in range(9):
        clock.at = T0 + second * 1000
        one.look(float(second))
        gauge.append(metrics.registry.get_sample_value("mindgap_paging_off"))
    assert heard.lines == [
        ("paging_off", "2", "none given"),
        ("paging_off", "3", "move of the pager"),
        ("paging_on", "4", None),
    ]
    assert gauge == [0, 0, 1, 1, 1, 1, 0, 0, 0]


async def test_it_looks_by_itself(heard):
    """Started, it looks at once; stopped, it looks no more."""
    one = Paging(SteppedClock(T0), kit(**off()), Metrics())
    one.start()
    async with asyncio.timeout(5):
        while not heard.lines:  # noqa: ASYNC110 - what it waits for has no event
            await asyncio.sleep(0.005)
    await one.stop()
    assert [line[0] for line in heard.lines] == ["paging_off"]


async def test_a_look_that_fails_is_told_and_tried_again(heard, monkeypatch):
    """A defect while looking does not end the looking in silence, nor keep the worker from stopping."""
    metrics, core = Metrics(), kit(**off())
    one = Paging(SteppedClock(T0), core, metrics)
    right, calls = core.policies, iter([1])
    broken = SimpleNamespace(at=lambda at: right.at(at) if not next(calls, 0) else 1 // 0)
    monkeypatch.setattr(core, "policies", broken)
    monkeypatch.setattr(paging, "_LOOK_S", 0.01)
    one.start()
    async with asyncio.timeout(5):
        while not heard.lines:  # noqa: ASYNC110 - what it waits for has no event
            await asyncio.sleep(0.005)
    await one.stop()
    assert heard.errors == ["paging_unknown"]
    assert metrics.registry.get_sample_value("mindgap_internal_errors_total", {"where": "paging_unknown"}) == 1
