"""One embedded broker for all of these tests; `mindgap` in this process, and what a worker would say, said by hand."""

import asyncio
import itertools
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from fakeredis import TcpFakeServer

from agents.brokers import embedded_broker
from agents.cli import main
from agents.free_port import free_port
from agents.produce import Record, produce
from agents.settings import Settings, settings_from
from agents.topic_admin import create_topics
from schemas.codec import dumps, loads
from tests.shell.traffic import everything

PARTITIONS = 3
ANSWER_TIMEOUT_S = 20
_numbers = itertools.count(1)


def invoke(*args: str, stdin: bytes | None = None, **environment: str) -> Result:
    """`mindgap ARGS` in this process."""
    return CliRunner(env=environment).invoke(main, list(args), input=stdin)


def start_worker(settings: Settings, folder: Path, web_port: int = 0) -> "subprocess.Popen[bytes]":
    """A worker under `folder`'s policy.yaml, which logs JSON to its worker.log."""
    command = [sys.executable, "-m", "agents.cli", "worker", "--policy", str(folder / "policy.yaml")]
    environment = os.environ | settings.environment() | {"MINDGAP_LOG_FORMAT": "json"}
    with (folder / "worker.log").open("ab") as log:
        return subprocess.Popen([*command, "--web-port", str(web_port)], env=environment, stdout=log, stderr=log)


@pytest.fixture(scope="session")
def broker() -> Iterator[str]:
    """Address of an embedded broker."""
    with embedded_broker({}) as address:
        yield address


@pytest.fixture
def bare(broker: str) -> Settings:
    """Settings with a prefix that no other test uses, and no topics yet."""
    prefix = f"c{next(_numbers)}."
    return settings_from({}, broker=broker, broker_kind="embedded", topic_prefix=prefix, partitions=PARTITIONS)


@pytest.fixture
def settings(bare: Settings) -> Settings:
    """A deployment of this test's own: its topics, and no worker."""
    asyncio.run(create_topics(bare))
    return bare


@pytest.fixture
def mindgap(bare: Settings) -> Callable[..., Result]:
    """Runs the command on the deployment. MINDGAP_PARTITIONS is left at its default, which is wrong here."""

    def run(*args: str, stdin: bytes | None = None, **extra: str) -> Result:
        environment = {**bare.environment(), "MINDGAP_PARTITIONS": "", "MINDGAP_REDIS": "", **extra}
        return invoke(*args, stdin=stdin, **environment)

    return run


@pytest.fixture
def redis() -> Iterator[str]:
    """URL of a Redis that answers on a socket."""
    server = TcpFakeServer(("127.0.0.1", free_port()))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"redis://127.0.0.1:{server.server_address[1]}/0"
    server.shutdown()
    server.server_close()


def put(settings: Settings, topic: str, *records: tuple[bytes, Any]) -> None:
    """Records to a topic, each to its key's partition; a value that is not bytes becomes JSON, None a tombstone."""
    made = [Record(topic, key, dumps(value) if isinstance(value, dict) else value) for key, value in records]
    asyncio.run(produce(settings, made))


def sent(settings: Settings, topic: str = "escalations.commands") -> list[dict[str, Any]]:
    """The values on a topic."""
    return [loads(record.value) for record in everything(settings, topic)]


@contextmanager
def a_worker_that(settings: Settings, answer: Callable[[dict[str, Any]], list[tuple[str, bytes, Any]]]):
    """Someone who waits for a command and answers it with records: topic, key, value."""
    ended = threading.Event()
    problems: list[Exception] = []

    def work() -> None:
        limit = time.monotonic() + ANSWER_TIMEOUT_S
        try:
            while not ended.is_set() and time.monotonic() < limit:
                for command in sent(settings)[:1]:
                    for topic, key, value in answer(command):
                        put(settings, topic, (key, value))
                    return
        except Exception as problem:  # noqa: BLE001 - told to the test
            problems.append(problem)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(ANSWER_TIMEOUT_S)
    assert problems == []
