"""Running the `mindgap` command as a user does."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def run(*args: str, timeout_s: float = 60) -> subprocess.CompletedProcess[str]:
    """`mindgap ARGS` in a process of its own, with its output."""
    return subprocess.run(
        [sys.executable, "-m", "agents.cli", *args],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )
