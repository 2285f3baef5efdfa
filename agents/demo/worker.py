"""The demo's worker: `mindgap worker` with a clock that the demo drives through standard input.

It ends with the demo: when standard input ends, it stops as on SIGTERM.
"""

import os
import signal
import sys
import threading

from agents.demo.clock import DrivenClock, follow_in_background


def main(arguments: list[str]) -> None:
    """Work until told to end. `arguments`: where the clock stands at first (ms), and its usual speed."""
    clock = DrivenClock(int(arguments[0]), float(arguments[1]))
    ended = threading.Event()
    follow_in_background(clock, sys.stdin, ended)
    threading.Thread(target=_end_after, args=(ended,), name="end", daemon=True).start()
    raise NotImplementedError


def _end_after(ended: threading.Event) -> None:
    ended.wait()
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main(sys.argv[1:])
