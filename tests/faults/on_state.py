"""What happens to stored state."""

import asyncio
import os
import subprocess
import sys
from collections import defaultdict

from aiokafka import AIOKafkaProducer, ConsumerRecord

from agents.connection import client_options
from agents.read_all import read_all
from agents.worker.terms import CLAIM_KEY, Reading, stamp
from schemas.codec import dumps, loads
from tests.faults.on_workers import SHARE, Fault
from tests.faults.trial import FaultError, Trial
from topics.table import CHANGELOGS, DEAD

TIMEOUT_S = 60
DAMAGES = (
    lambda value: b"\x00" * 40,
    lambda value: value[: len(value) // 2],
    lambda value: value.replace(b'"log":', b'"gol":'),
    lambda value: dumps(dict(reversed(loads(value).items()))),
)
"""Not JSON; half of it; a header that is sound before what is not; a body that is sound behind no header."""


async def damaged_state(trial: Trial, times: int) -> None:
    """Values in the customers' changelog are damaged: all others go on. Repaired and put back, nothing is missing."""
    for _ in range(times):
        trial.pool.start()
        await trial.pool.ready()
        await trial.feed(SHARE)
        await trial.settle()
        trial.pool.kill_all()
        before, readings = await _customers(trial)
        victims = trial.chance.sample(sorted(before), min(len(DAMAGES), len(before)))
        damaged = {key: damage(before[key].value) for key, damage in zip(victims, DAMAGES, strict=False)}
        await _write(trial, before, readings, damaged)
        trial.pool.start()
        await trial.pool.ready()
        await trial.feed(SHARE)
        await trial.settle()
        if not trial.pool.said("state_unreadable"):
            raise FaultError(f"nobody said that state is damaged; see {trial.folder}")
        trial.pool.kill_all()
        now, readings = await _customers(trial, whole=False)
        changed = [key for key, value in damaged.items() if now[key].value != value]
        others = sum(record.value != before[key].value for key, record in now.items() if key in before)
        if changed or others == 0:
            raise FaultError(f"{len(changed)} damaged values were written over, {others} other customers went on")
        await _write(trial, before, readings, {key: before[key].value for key in damaged})
        trial.pool.start()
        await trial.pool.ready()
        letters = [loads(record.value) async for record in read_all(trial.settings, DEAD)]
        if any(letter["reason"] != "internal_error" for letter in letters):
            raise FaultError(f"a record was set aside that nothing is wrong with; see {trial.folder}")
        if len(letters) > trial.dead:
            await asyncio.to_thread(_put_back, trial)
        trial.dead = len(letters)
        trial.say(f"{len(damaged)} values damaged")
        await trial.settle()
        trial.pool.kill_all()
    trial.pool.start()


async def _customers(trial: Trial, *, whole: bool = True) -> tuple[dict[bytes, ConsumerRecord], dict[int, Reading]]:
    """The newest record of each customer; with `whole`, of those that have a history. And how far each partition is."""
    readings: defaultdict[int, Reading] = defaultdict(Reading)
    found: dict[bytes, ConsumerRecord] = {}
    async for record in read_all(trial.settings, CHANGELOGS["customers"]):
        if readings[record.partition].counts(record):
            found[record.key] = record
    alive = {key: record for key, record in found.items() if record.value is not None and key != CLAIM_KEY}
    return {k: r for k, r in alive.items() if not whole or b'"log":' in r.value}, readings


async def _write(
    trial: Trial, where: dict[bytes, ConsumerRecord], readings: dict[int, Reading], values: dict[bytes, bytes]
) -> None:
    """Write values in the owner's term: what names an older one would not count."""
    producer = AIOKafkaProducer(**client_options(trial.settings))
    await producer.start()
    try:
        for key, value in values.items():
            record = where[key]
            headers = [stamp(readings[record.partition].term)]
            await producer.send_and_wait(record.topic, value, key=key, partition=record.partition, headers=headers)
    finally:
        await producer.stop()


def _put_back(trial: Trial) -> None:
    command = [sys.executable, "-m", "agents.cli", "dead-letters", "retry", "--reason", "internal_error"]
    environment = {**os.environ, **trial.pool.environment}
    done = subprocess.run(
        command,
        env=environment,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    if done.returncode != 0:
        raise FaultError(f"dead letters were not put back: {done.stdout}{done.stderr}")


STATE_FAULTS: dict[str, Fault] = {"damaged-state": damaged_state}
