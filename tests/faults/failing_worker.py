"""`mindgap worker` with faults built in: `python tests/faults/failing_worker.py`, settings from the environment.

FAIL_AT=PLACE:N: at the N-th passage of PLACE (one of `PLACES`) the process ends itself (SIGKILL), or with
FAIL_BY=stop stops itself (SIGSTOP), between two instructions: nothing is awaited there.
CLOCK_FILE: a file that holds how many milliseconds its clock is ahead of the machine's; it may be rewritten.
"""

import os
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from agents.clock import Clock, WallClock
from agents.policy_input import load_policy_or_fail
from agents.settings import settings_from
from agents.transport import ConsumerThread, Producer
from agents.worker.lane import Lane
from agents.worker.publisher import Publisher
from agents.worker.run import run_worker
from streams.kit import CoreKit
from streams.policy import compile_policy

PLACES = ("decided", "identities", "customers", "send", "outputs", "done", "commit", "committed")
"""After the core's step; after each table is confirmed; with a record in the producer's buffer; after the outputs are
confirmed; after the batch is called done; before and after a commit."""


class SteppedClock(WallClock):
    """The machine's clock and what a file says."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._ahead = 0

    def now(self) -> int:
        """Milliseconds since the epoch."""
        text = self._path.read_text()
        self._ahead = int(text) if text else self._ahead  # empty: is being rewritten
        return super().now() + self._ahead


class Failing:
    """Counts passages."""

    def __init__(self, text: str) -> None:
        place, _, number = text.partition(":")
        assert place in PLACES, place
        self.place, self.left = place, int(number)
        self.signal = signal.SIGSTOP if os.environ.get("FAIL_BY") == "stop" else signal.SIGKILL

    def at(self, place: str) -> None:
        """Here is `place`."""
        if place == self.place:
            self.left -= 1
            if self.left == 0:
                os.kill(os.getpid(), self.signal)


def build_in(fail: Failing) -> None:
    """Have the shell's own steps pass `fail`."""
    publish, write = Publisher.publish, Publisher._write
    enqueue, commit = Producer.enqueue, ConsumerThread._commit
    make = Lane.__init__

    async def publishing(self, effects, now):
        if effects.writes or effects.sends:
            fail.at("decided")
        await publish(self, effects, now)
        if effects.sends:
            fail.at("outputs")

    async def writing(self, table, values):
        await write(self, table, values)
        if values:
            fail.at(table)

    async def enqueueing(self, topic, key, value, **named):
        sent = await enqueue(self, topic, key, value, **named)
        if value is not None and not topic.endswith("watermarks"):
            fail.at("send")
        return sent

    async def committing(self, offsets):
        fail.at("commit")
        done = await commit(self, offsets)
        fail.at("committed")
        return done

    def making(self, *args, mark_done, **named):
        def done(batch):
            mark_done(batch)
            fail.at("done")

        make(self, *args, mark_done=done, **named)

    Publisher.publish, Publisher._write = publishing, writing
    Producer.enqueue, ConsumerThread._commit = enqueueing, committing
    Lane.__init__ = making


if __name__ == "__main__":
    if "FAIL_AT" in os.environ:
        build_in(Failing(os.environ["FAIL_AT"]))
    clock: Clock = SteppedClock(Path(os.environ["CLOCK_FILE"])) if "CLOCK_FILE" in os.environ else WallClock()
    settings = settings_from(os.environ)
    run_worker(settings, clock, CoreKit(compile_policy(load_policy_or_fail(str(settings.policy)))))
