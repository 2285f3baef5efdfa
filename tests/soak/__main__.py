"""`python -m tests.soak`: half an hour at half of the measured top rate, a kill -9 every minute, compared with replay."""

import argparse
import gc
import sys
import tempfile
from pathlib import Path

from agents.cli import GC_THRESHOLDS
from tests.soak.run import Plan, soak
from tests.soak.verdict import problems, story


def main() -> int:
    """Exit status 0 where all is as it must be."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--customers", type=int, default=10_000)
    parser.add_argument(
        "--rate", type=float, help="records per second [half of the top rate, which takes some ten minutes to find]"
    )
    parser.add_argument("--burst", type=int, default=10_000, help="records that come at once, in the beginning")
    parser.add_argument("--step-s", type=float, default=180.0, help="how long each rate is tried, to find the top rate")
    parser.add_argument("--top-at-end", action="store_true", help="look for the top rate once more, with all histories")
    parser.add_argument("--kill-every-s", type=float, default=60.0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--partitions", type=int, default=4)
    parser.add_argument("--broker", choices=["embedded", "kafka"], default="embedded")
    parser.add_argument("--session-s", type=float, default=6.0, help="how long a killed worker keeps its partitions")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="where logs and both sides' files go [temporary]")
    given = vars(parser.parse_args())
    gc.set_threshold(*GC_THRESHOLDS)
    given["folder"] = given["folder"] or Path(tempfile.mkdtemp(prefix="mindgap-soak-"))
    print(f"files: {given['folder']}", flush=True)
    seen = soak(Plan(**given), lambda text: print(text, flush=True))
    for line in story(seen):
        print(line)
    found = problems(seen)
    for problem in found:
        print(f"NOT AS IT MUST BE: {problem}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
