"""Run seeds: `python -m tests.shellsim --seeds 10000`. Exit status 1 where one ends badly; it says how to repeat it."""

import argparse
import subprocess
import sys
import time
from pathlib import Path

from tests.shellsim.many import verdicts
from tests.shellsim.plants import PLANTS
from tests.shellsim.trial import Verdict

_SHOWN = 5


def main() -> int:
    """What the arguments ask for."""
    asked = _arguments().parse_args()
    began, bad, done = time.monotonic(), 0, 0
    seeds = range(asked.first, asked.first + asked.seeds)
    for verdict in verdicts(seeds, asked.jobs, asked.plant):
        done += 1
        if verdict.wrong:
            bad += 1
            tell(verdict, asked.plant, story=asked.story)
        if done % 500 == 0:
            print(f"{done} of {len(seeds)} seeds, {bad} bad, {time.monotonic() - began:.0f} s", flush=True)
    print(f"{done} seeds from {asked.first}: {bad} bad, {time.monotonic() - began:.0f} s, commit {commit()}")
    return 1 if bad else 0


def tell(verdict: Verdict, plant: str | None, *, story: bool) -> None:
    """Say how a seed ended badly, and how that is seen again."""
    planted = f" --plant {plant}" if plant else ""
    print(f"seed {verdict.seed} at commit {commit()}: {len(verdict.wrong)} wrong")
    for wrong in verdict.wrong[:_SHOWN]:
        print(f"  {wrong}")
    print(f"  again: python -m tests.shellsim --first {verdict.seed} --seeds 1 --story{planted}")
    if story:
        print("\n".join(verdict.story))
    sys.stdout.flush()


def commit() -> str:
    """The commit that is checked out; with a plus where something has been changed since."""
    here = Path(__file__).parent
    try:
        name = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=here, capture_output=True, check=True)
        changed = subprocess.run(["git", "status", "--porcelain"], cwd=here, capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return name.stdout.decode().strip() + ("+" if changed.stdout.strip() else "")


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.shellsim", description=__doc__)
    parser.add_argument("--seeds", type=int, default=200, help="how many (200)")
    parser.add_argument("--first", type=int, default=1, help="the first of them (1)")
    parser.add_argument("--jobs", type=int, default=1, help="processes at once (1)")
    parser.add_argument("--plant", choices=sorted(PLANTS), help="plant a bug, and see which seeds find it")
    parser.add_argument("--story", action="store_true", help="print what happened in a seed that ends badly")
    return parser


if __name__ == "__main__":
    sys.exit(main())
