"""A worker process with the counting core: `python tests/shell/worker_process.py`, settings from the environment.

With STOP_AT, the process stops itself (SIGSTOP) once a record whose value holds that text is in the producer's buffer
for the customers' changelog, and before it is sent.
"""

import os
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from agents.clock import clock_from
from agents.settings import settings_from
from agents.transport import Producer, Transport
from agents.worker.run import run_worker
from tests.shell.counter import CounterKit


class StoppingProducer(Producer):
    """Stops the process between the buffer and the socket: nothing is awaited after the record is in the buffer."""

    async def enqueue(self, topic, key, value, **named):
        sent = await super().enqueue(topic, key, value, **named)
        if topic.endswith("changelog.customers") and os.environ["STOP_AT"].encode() in (value or b""):
            os.environ["STOP_AT"] = "only once"
            os.kill(os.getpid(), signal.SIGSTOP)
        return sent


if __name__ == "__main__":
    if "STOP_AT" in os.environ:
        Transport.Producer = StoppingProducer
    run_worker(settings_from(os.environ), clock_from(os.environ), CounterKit())
