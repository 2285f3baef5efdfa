"""A real broker for the whole run; a topic prefix of its own, and worker processes, for each test.

Whatever uses a broker runs on the embedded one, and with the marker `kafka` on Apache Kafka.
"""

import itertools
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from agents.brokers import embedded_broker
from agents.settings import Settings, settings_from

PARTITIONS = 2
READY_TIMEOUT_S = 40.0
_numbers = itertools.count(1)


def eventually(check: Callable[[], object], timeout_s: float, what: str) -> None:
    """Wait until `check()` is true; fail with `what` where it is not within the limit."""
    limit = time.monotonic() + timeout_s
    while not check():
        assert time.monotonic() < limit, f"not within {timeout_s} s: {what}"
        time.sleep(0.05)


class Worker:
    """A worker process with the counting core."""

    def __init__(self, settings: Settings, log: Path, extra: dict[str, str]) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.log = log
        environment = os.environ | settings.environment() | {"MINDGAP_WEB_PORT": str(self.port)} | extra
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, str(Path(__file__).with_name("worker_process.py"))],
                env=environment,
                stdout=output,
                stderr=output,
                stdin=subprocess.DEVNULL,
            )

    def get(self, path: str) -> tuple[int, str]:
        """Status and body of a page; status 0 where nothing answers."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=2) as response:
                return response.status, response.read().decode()
        except urllib.error.HTTPError as answer:
            return answer.code, answer.read().decode()
        except OSError:
            return 0, ""

    def wait_until_ready(self) -> "Worker":
        """Wait for /readyz to say yes."""

        def ready() -> bool:
            assert self.process.poll() is None, f"ended with {self.process.returncode}: {self.log.read_text()[-2000:]}"
            return self.get("/readyz")[0] == 200

        eventually(ready, READY_TIMEOUT_S, f"worker ready\n{self.log.read_text()[-2000:]}")
        return self

    def events(self, name: str) -> list[dict]:
        """The log lines of one event name."""
        lines = [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]
        return [line for line in lines if line["event"] == name]

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def terminate(self) -> int:
        """End it as an orchestrator would; gives its exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(20)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(10)


@pytest.fixture(scope="session", params=["embedded", pytest.param("kafka", marks=pytest.mark.kafka)])
def broker(request: pytest.FixtureRequest) -> Iterator[dict[str, str]]:
    """The settings of a broker."""
    if request.param == "kafka":
        yield request.getfixturevalue("kafka").environment()
        return
    with embedded_broker({}) as address:
        yield {"MINDGAP_BROKER": address, "MINDGAP_BROKER_KIND": "embedded"}


@pytest.fixture
def settings(broker: dict[str, str]) -> Settings:
    """Settings with a prefix that no other test uses."""
    return settings_from(broker, topic_prefix=f"t{next(_numbers)}.", partitions=PARTITIONS, session_s=3.0)


@pytest.fixture
def start_worker(settings: Settings, tmp_path: Path) -> Iterator[Callable[..., Worker]]:
    """Starts workers; whatever still runs at the end is killed."""
    started: list[Worker] = []

    def start(**extra: str) -> Worker:
        worker = Worker(settings, tmp_path / f"worker-{len(started)}.log", extra)
        started.append(worker)
        return worker

    yield start
    for worker in started:
        with suppress(ProcessLookupError):
            worker.process.kill()
        worker.process.wait(10)
