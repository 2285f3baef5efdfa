"""A worker whose reading can be held up: `python tests/watermark/held_worker.py`, settings from the environment.

While a file `TOPIC-PARTITION` (by its logical name) is in the folder HOLD, nothing is taken from that partition. The
broker's answers still come: only their records wait.
"""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from agents.clock import clock_from
from agents.policy_input import load_policy_or_fail
from agents.settings import settings_from
from agents.worker import source
from agents.worker.run import run_worker
from streams.kit import CoreKit
from streams.policy import compile_policy
from topics.table import logical

FOLDER = Path(os.environ["HOLD"])
PREFIX = os.environ["MINDGAP_TOPIC_PREFIX"]


class HeldConsumer(source.Consumer):
    """Fetches from what is not held. Beside a file it puts `FILE.seen` once a fetch has begun without that partition."""

    async def _getmany(self, active_partitions, timeout):  # noqa: ASYNC109 - the transport's signature
        held = {tp: FOLDER / f"{logical(PREFIX, tp.topic)}-{tp.partition}" for tp in active_partitions}
        held = {tp: path for tp, path in held.items() if path.exists()}
        for path in held.values():
            path.with_name(f"{path.name}.seen").touch()
        return await super()._getmany(active_partitions=active_partitions - set(held), timeout=min(timeout, 0.2))


if __name__ == "__main__":
    source.Transport.Consumer = HeldConsumer
    settings = settings_from(os.environ)
    kit = CoreKit(compile_policy(load_policy_or_fail(str(settings.policy))))
    run_worker(settings, clock_from(os.environ), kit)
