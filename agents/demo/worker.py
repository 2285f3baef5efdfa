"""The demo's worker: `mindgap worker` with a clock that the demo drives through standard input.

It ends with the demo: when standard input ends, it stops as on SIGTERM.
"""

import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from typing import NoReturn

from agents.demo.clock import DrivenClock, follow_in_background
from agents.policy_input import load_policy_or_fail
from agents.settings import Settings, settings_from
from agents.worker.ports import Kit
from agents.worker.run import run_worker
from streams.kit import CoreKit
from streams.policy import compile_policy


def work(arguments: Sequence[str], make_kit: Callable[[Settings], Kit]) -> NoReturn:
    """Work until told to end. `arguments`: where the clock stands at first (ms), and its usual speed."""
    clock = DrivenClock(int(arguments[0]), float(arguments[1]))
    ended = threading.Event()
    follow_in_background(clock, sys.stdin, ended)
    threading.Thread(target=_end_after, args=(ended,), name="end", daemon=True).start()
    settings = settings_from(os.environ)
    run_worker(settings, clock, make_kit(settings))


def _end_after(ended: threading.Event) -> None:
    ended.wait()
    os.kill(os.getpid(), signal.SIGTERM)


def core(settings: Settings) -> CoreKit:
    """The core under the policy that the settings name."""
    assert settings.policy is not None  # the demo names one
    return CoreKit(compile_policy(load_policy_or_fail(str(settings.policy))))


if __name__ == "__main__":
    work(sys.argv[1:], core)
