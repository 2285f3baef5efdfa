"""Worker processes that are killed, stopped and woken."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from agents.free_port import free_port
from agents.verify.live import STOP_TIMEOUT_S, Workers

FAILING = Path(__file__).with_name("failing_worker.py")
Process = subprocess.Popen[bytes]


class Pool(Workers):
    """Workers of our own; those that are given a variable more are `failing_worker.py`, the others `mindgap worker`."""

    def start(self, **extra: str) -> Process:
        """One more worker."""
        self.started += 1
        port = free_port()
        environment = {**os.environ, **self.environment, "MINDGAP_WEB_PORT": str(port), "MINDGAP_LOG_FORMAT": "json"}
        command = [sys.executable, str(FAILING)] if extra else [sys.executable, "-m", "agents.cli", "worker"]
        with (self.folder / f"worker-{self.started}.log").open("wb") as log:
            process = subprocess.Popen(
                command,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                env=environment | extra,
                start_new_session=True,
            )
        self.running.append(process)
        self.ports[process.pid] = port
        return process

    def kill_all(self) -> None:
        """Kill -9 of every worker, at once."""
        for process in self.running:
            process.send_signal(signal.SIGKILL)
        self.forget(*self.running)

    def forget(self, *ended: Process) -> None:
        """Wait for the end of these, which are none of the running any more."""
        for process in ended:
            process.wait(STOP_TIMEOUT_S)
            self.running.remove(process)

    def terminate(self, process: Process) -> int:
        """SIGTERM; the status that it ends with."""
        process.terminate()
        self.forget(process)
        return process.returncode

    def is_stopped(self, process: Process) -> bool:
        """Is it in the state after SIGSTOP?"""
        return Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"

    def said(self, event: str) -> int:
        """How often the workers have logged this."""
        needle = f'"event": "{event}"', f'"event":"{event}"'
        texts = [path.read_text(errors="replace") for path in self.folder.glob("worker-*.log")]
        return sum(text.count(spelling) for text in texts for spelling in needle)

    def stop(self) -> None:
        """End them all, those that were stopped included."""
        for process in self.running:
            process.send_signal(signal.SIGCONT)
        super().stop()
