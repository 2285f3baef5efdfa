"""The demo's worker process: started, waited for, told the time, and ended by its own id."""

import asyncio
import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import aiohttp

from agents.demo.intake import Counts, counts
from agents.free_port import free_port

PROGRAM = (sys.executable, "-m", "agents.demo.worker")
"""What is run as the worker; where its clock stands and its speed are added."""
READY_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 10.0
_TAIL_BYTES = 4_000


class WorkerError(RuntimeError):
    """The worker did not start or has ended; the message says what it said last and where its log is."""


class WorkerProcess:
    """One worker. Its clock is driven through its standard input."""

    def __init__(self, process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
        self._process = process
        self._port = port
        self.log = log
        assert process.stdin is not None
        self._clock = process.stdin.fileno()
        os.set_blocking(self._clock, False)

    def tell(self, at: int) -> None:
        """The time (ms) is `at`. A worker that does not listen misses it, and hears the next."""
        with contextlib.suppress(BlockingIOError, BrokenPipeError):
            os.write(self._clock, b"%d\n" % at)

    def check(self) -> None:
        """Raise WorkerError where it has ended."""
        status = self._process.poll()
        if status is not None:
            msg = f"the worker ended with status {status}: {self._said()}; its log is {self.log}"
            raise WorkerError(msg)

    async def counts(self) -> Counts | None:
        """What it has read and sent so far; None where it does not answer just now."""
        with contextlib.suppress(aiohttp.ClientError, TimeoutError):
            async with (
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=2)) as session,
                session.get(f"http://127.0.0.1:{self._port}/metrics") as answer,
            ):
                return counts(await answer.text())
        return None

    async def ready(self) -> None:
        """Return when it is recovered and working. Raises WorkerError when it ends before, or takes too long."""
        limit = time.monotonic() + READY_TIMEOUT_S
        reason = "it does not answer"
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=2)) as session:
            while time.monotonic() < limit:
                self.check()
                with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                    async with session.get(f"http://127.0.0.1:{self._port}/readyz") as answer:
                        if answer.status == 200:
                            return
                        reason = (await answer.text())[:200]
                await asyncio.sleep(0.1)
        msg = f"the worker was not ready within {READY_TIMEOUT_S:.0f} s ({reason}); its log is {self.log}"
        raise WorkerError(msg)

    def stop(self) -> None:
        """End it, by force where it does not go."""
        self._process.terminate()
        try:
            self._process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(STOP_TIMEOUT_S)

    def _said(self) -> str:
        with self.log.open("rb") as file:
            file.seek(max(0, self.log.stat().st_size - _TAIL_BYTES))
            lines = file.read().decode(errors="replace").strip().splitlines()
        return lines[-1][:500] if lines else "it said nothing"


@contextmanager
def worker_process(
    environment: Mapping[str, str], start: int, speed: float, log: Path, program: Sequence[str] = PROGRAM
) -> Iterator[WorkerProcess]:
    """A worker for the length of the block; its clock stands at `start` (ms) until told. Logs go to `log`."""
    port = free_port()
    settings = {**os.environ, **environment, "MINDGAP_WEB_HOST": "127.0.0.1", "MINDGAP_WEB_PORT": str(port)}
    command = [*program, str(start), repr(speed)]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=output, stderr=output, env=settings, start_new_session=True
        )  # a session of its own: Ctrl-C is the demo's to handle
    worker = WorkerProcess(process, port, log)
    try:
        yield worker
    finally:
        worker.stop()
        if process.stdin is not None:
            with contextlib.suppress(OSError):
                process.stdin.close()
