"""A real broker, and workers with the real core whose clock and reading the test has in its hand."""

import asyncio
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer

from agents.free_port import free_port
from agents.settings import Settings
from agents.topic_admin import create_topics
from schemas.times import format_time
from tests.shell import conftest as shell
from tests.shell.conftest import Worker, eventually
from tests.shell.traffic import everything
from topics.partitioner import partition_of
from topics.table import physical

broker, settings = shell.broker, shell.settings  # fixtures

POLICY = """
version: "test.1"
calendars: {{always: {{zone: UTC, week: {{mon-sun: ["00:00-24:00"]}}}}}}
channels: {{chat: {{calendar: always}}}}
targets: [{{first_response: {target}, calendar: always}}]
warn_at: 100%
patterns: {{ignored: off, long_hold: off}}
watermark: {{max_stall: {stall}}}
"""


def placed(partition: int, start: str) -> str:
    """The first of the keys `start0`, `start1`, ... that lives on a partition."""
    return next(
        f"{start}{n}" for n in range(100) if partition_of(f"{start}{n}".encode(), shell.PARTITIONS) == partition
    )


def customer(partition: int, start: str = "C") -> str:
    """A customer's key, the customer being born on that partition."""
    return placed(partition, f"customer_id:{start}")


def contact(who: str, thread: str, at: int) -> tuple[bytes, bytes, int]:
    """Key, value and append time (ms) of a contact that is sent and arrives at `at`."""
    kind, _, value = who.partition(":")
    return _record(who, f"contact of {thread}", at, thread, "contact", [{"type": kind, "value": value}])


def reply(thread: str, at: int) -> tuple[bytes, bytes, int]:
    """The answer on a thread; whose it is the thread's own partition knows."""
    return _record(f"thread:{thread}", f"reply to {thread}", at, thread, "reply", [])


def _record(key: str, id_: str, at: int, thread: str, kind: str, identities: list) -> tuple[bytes, bytes, int]:
    value = {
        "id": id_,
        "occurred_at": format_time(at),
        "channel": "chat",
        "kind": kind,
        "identities": identities,
        "thread": thread,
    }
    return key.encode(), json.dumps(value).encode(), at


def send(settings: Settings, records: Sequence[tuple[bytes, bytes, int]]) -> None:
    """Append records of the chat, each with its time, confirmed."""

    async def produce() -> None:
        producer = AIOKafkaProducer(bootstrap_servers=settings.broker)
        await producer.start()
        try:
            for key, value, at in records:
                await producer.send_and_wait(
                    physical(settings.topic_prefix, "interactions.chat"),
                    value,
                    key=key,
                    partition=partition_of(key, settings.partitions),
                    timestamp_ms=at,
                )
        finally:
            await producer.stop()

    asyncio.run(produce())


def said(settings: Settings) -> list[dict]:
    """Every revision of every escalation."""
    return [json.loads(record.value) for record in everything(settings, "escalations")]


class CoreWorker(Worker):
    """A worker with the real core. Files in `hold` hold up its reading."""

    def __init__(self, settings: Settings, folder: Path, number: int, extra: dict[str, str]) -> None:
        self.port = free_port()
        self.log = folder / f"worker-{number}.log"
        self.hold = folder / "hold"
        self.hold.mkdir(exist_ok=True)
        environment = os.environ | settings.environment()
        environment |= {"MINDGAP_WEB_PORT": str(self.port), "MINDGAP_LOG_FORMAT": "json", "HOLD": str(self.hold)}
        with self.log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, str(Path(__file__).with_name("held_worker.py"))],
                env=environment | extra,
                stdout=output,
                stderr=output,
                stdin=subprocess.DEVNULL,
            )

    def held(self, topic: str, partition: int) -> Path:
        """Hold a partition up, and return when it is; remove the file that is returned to let it go on."""
        path = self.hold / f"{topic}-{partition}"
        path.touch()
        eventually(path.with_name(f"{path.name}.seen").exists, 10, f"{path.name} held up")
        return path

    def metric(self, name: str, **labels: str) -> float | None:
        """The value of a gauge or counter; None while there is none."""
        shown = ",".join(f'{label}="{value}"' for label, value in labels.items())
        sample = re.escape(f"{name}{{{shown}}}" if shown else name)
        found = re.search(rf"^{sample} (\S+)$", self.get("/metrics")[1], re.MULTILINE)
        return float(found[1]) if found else None

    def behind(self) -> float | None:
        """How far (s) the partition that is farthest behind is behind the clock; None while one is not known."""
        ages = [self.metric("mindgap_watermark_age_seconds", partition=str(n)) for n in range(shell.PARTITIONS)]
        known = [age for age in ages if age is not None]
        return max(known) if known else None


@pytest.fixture
def start(settings: Settings, tmp_path: Path) -> Iterator[Callable[..., CoreWorker]]:
    """Starts workers under a policy with this target and `max_stall`; kills what still runs at the end."""
    asyncio.run(create_topics(settings))
    started: list[CoreWorker] = []

    def begin(target: str, stall: str = "60s", **extra: str) -> CoreWorker:
        policy = tmp_path / "policy.yaml"
        policy.write_text(POLICY.format(target=target, stall=stall))
        started.append(CoreWorker(settings, tmp_path, len(started), {"MINDGAP_POLICY": str(policy), **extra}))
        return started[-1]

    yield begin
    for worker in started:
        with suppress(ProcessLookupError):
            worker.process.kill()
        worker.process.wait(10)
