"""A server process of our own: is it up, what did it say, and how it is ended. For the brokers and for Redis."""

import re
import socket
import ssl
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

STOP_TIMEOUT_S = 5.0
_POLL_S = 0.05
_TAIL_BYTES = 8_000
_TAIL_LINES = 3
_ANSI = re.compile(r"\x1b\[[0-9;]*m")
_API_VERSIONS_REQUEST = bytes.fromhex("0000000f00120000000000010005") + b"probe"

Process = subprocess.Popen[bytes]


class BrokerError(RuntimeError):
    """A server did not start; the message says why, where its output is or what to install."""


def answers(port: int, tls: ssl.SSLContext | None = None) -> bool:
    """True where a Kafka listener on this port of the loopback answers which versions it speaks."""
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=0.5) as plain:
        plain.settimeout(2)
        connection = tls.wrap_socket(plain, server_hostname="127.0.0.1") if tls else plain
        with connection:
            connection.sendall(_API_VERSIONS_REQUEST)
            return len(connection.recv(4)) == 4
    return False


def wait_until(up: Callable[[], bool], process: Process, log: Path, name: str, timeout_s: float) -> None:
    """Return when `up()`. Raises BrokerError where the process ends before, or takes longer than the limit."""
    limit = time.monotonic() + timeout_s
    while time.monotonic() < limit:
        if process.poll() is not None:
            raise BrokerError(f"{name} ended with status {process.returncode}: {tail(log)}")
        if up():
            return
        time.sleep(_POLL_S)
    raise BrokerError(f"{name} did not answer within {timeout_s:.0f} s: {tail(log)}")


def stop(process: Process, timeout_s: float = STOP_TIMEOUT_S) -> None:
    """End the process, by force where it does not go by itself."""
    process.terminate()
    try:
        process.wait(timeout_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(STOP_TIMEOUT_S)


def tail(log: Path) -> str:
    """The last lines of a log, as one; without the places of a Java stack trace."""
    text = ""
    with suppress(OSError), log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - _TAIL_BYTES))
        text = _ANSI.sub("", file.read().decode(errors="replace"))
    lines = [line for line in text.strip().splitlines() if not line.startswith("\tat ")]
    return " | ".join(lines[-_TAIL_LINES:]) or "it said nothing"
