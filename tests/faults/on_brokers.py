"""What happens to brokers. Each takes a trial whose `cluster` may be killed, stopped, cut off and filled up."""

import asyncio
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from agents.brokers import Broker
from tests.faults.on_workers import SHARE, Fault
from tests.faults.trial import FaultError, Trial

STALL_S = 25.0
"""Longer than a worker waits for an answer (`agents.transport.patience`), a rebalance or a flush."""
CUTS = 5
"""How often connections are cut while one share of the input comes in."""
GROUP_ID = 61_871
"""Processes of this group are cut off: no user has it."""


async def broker_kill(trial: Trial, times: int) -> None:
    """Kill -9 of one of three brokers under load, in turn, so that each leads and coordinates something; it comes back."""
    await _two_workers(trial)
    for number in range(times):
        broker = trial.cluster.brokers[number % len(trial.cluster.brokers)]
        await trial.feed(SHARE)
        await trial.moment()
        broker.kill()
        await trial.feed(SHARE)
        await asyncio.to_thread(broker.start)


async def leader_change(trial: Trial, times: int) -> None:
    """A broker that is stopped cleanly gives its leadership away under load; it comes back."""
    await _two_workers(trial)
    for number in range(times):
        broker = trial.cluster.brokers[number % len(trial.cluster.brokers)]
        await trial.feed(SHARE)
        stopping = asyncio.create_task(asyncio.to_thread(broker.stop))
        await trial.feed(SHARE)
        await stopping
        await asyncio.to_thread(broker.start)


async def broker_stall(trial: Trial, times: int) -> None:
    """SIGSTOP of the only broker for longer than anybody waits for an answer, and SIGCONT."""
    await _two_workers(trial)
    (broker,) = trial.cluster.brokers
    for _ in range(times):
        await trial.feed(SHARE)
        await trial.moment()
        broker.pause()
        try:
            await asyncio.sleep(STALL_S)
        finally:
            broker.resume()
        await trial.feed(SHARE)
        await trial.pool.ready()


async def broker_restart(trial: Trial, times: int) -> None:
    """Kill -9 of the only broker in the midst of sends, away for some seconds, and back with what it had confirmed."""
    await _two_workers(trial)
    (broker,) = trial.cluster.brokers
    for _ in range(times):
        await trial.feed(SHARE)
        await trial.moment(0.5)
        broker.kill()
        await trial.moment(5)
        await asyncio.to_thread(broker.start)


async def broker_cut_off(trial: Trial, times: int) -> None:
    """One of three brokers reaches nobody for longer than its session; others lead, it comes back and follows."""
    for broker in trial.cluster.brokers:
        await asyncio.to_thread(_restart_in_group, broker, GROUP_ID + broker.number)
    await _two_workers(trial)
    for number in range(times):
        broker = trial.cluster.brokers[number % len(trial.cluster.brokers)]
        await trial.feed(SHARE)
        await trial.moment()
        with cut_off(GROUP_ID + broker.number):
            await trial.feed(SHARE)
            await asyncio.sleep(STALL_S)
        await trial.feed(SHARE)


async def disk_full(trial: Trial, times: int) -> None:
    """The only broker's disk is full, so that it ends; somebody makes room and starts it again."""
    await _two_workers(trial)
    (broker,) = trial.cluster.brokers
    ballast = broker.data / "ballast"
    for _ in range(times):
        await trial.feed(SHARE)
        _fill(ballast)
        feeding = asyncio.create_task(trial.feed(SHARE))
        try:
            await trial.until(lambda: not broker.is_running, "the broker ends", limit_s=30)
            trial.say("the broker ended by itself")
        except FaultError:
            trial.say("the broker went on, refusing, and was killed")
            broker.kill()
        ballast.unlink()
        await asyncio.to_thread(broker.start)
        await feeding


def _fill(ballast: Path) -> None:
    """Leave no room on the disk of this file."""
    with ballast.open("wb", buffering=0) as file:
        for size in (1 << 20, 1 << 12):
            with suppress(OSError):
                while file.write(bytes(size)):
                    pass


async def connections_cut(trial: Trial, times: int) -> None:
    """All connections to the broker are cut in the midst of sends, answers, commits and heartbeats, again and again."""
    proxy = trial.proxy
    assert proxy is not None
    await _two_workers(trial)
    for _ in range(times):
        feeding = asyncio.create_task(trial.feed(SHARE))
        for _ in range(CUTS):
            await trial.moment(0.4)
            proxy.cut()
        await feeding
    trial.say(f"{proxy.cuts} connections cut")


async def _two_workers(trial: Trial) -> None:
    trial.pool.start()
    trial.pool.start()
    await trial.pool.ready()


def _restart_in_group(broker: Broker, group: int) -> None:
    """The same broker, in a group of users of its own, by which the system's filter knows what it sends."""
    broker.stop()
    if "setpriv" not in broker._command[0]:
        broker._command = ["setpriv", f"--regid={group}", "--clear-groups", *broker._command]
    broker.start()


@contextmanager
def cut_off(group: int) -> Iterator[None]:
    """Nothing that processes of this group send arrives anywhere, answers and acknowledgements included."""
    rule = ["OUTPUT", "-m", "owner", "--gid-owner", str(group), "-j", "DROP"]
    if subprocess.run(["iptables", "-I", *rule], check=False).returncode != 0:
        raise FaultError("a broker is cut off by iptables, which needs root")
    try:
        yield
    finally:
        subprocess.run(["iptables", "-D", *rule], check=True)


BROKER_FAULTS: dict[str, Fault] = {
    "broker-kill": broker_kill,
    "leader-change": leader_change,
    "broker-stall": broker_stall,
    "broker-restart": broker_restart,
    "broker-cut-off": broker_cut_off,
    "disk-full": disk_full,
    "connections-cut": connections_cut,
}
