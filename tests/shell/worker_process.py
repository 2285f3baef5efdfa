"""A worker process with the counting core: `python tests/shell/worker_process.py`, settings from the environment."""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from agents.clock import clock_from
from agents.settings import settings_from
from agents.worker.run import run_worker
from tests.shell.counter import CounterKit

if __name__ == "__main__":
    run_worker(settings_from(os.environ), clock_from(os.environ), CounterKit())
