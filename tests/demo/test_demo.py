"""The demo as a whole: `mindgap demo`, broker and worker and all."""

import asyncio
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from agents.demo.processes import WorkerError, worker_process

PLAY = [sys.executable, "-m", "agents.cli", "demo", "--policy", str(Path(__file__).with_name("policy.yaml"))]


def start(*arguments: str) -> subprocess.Popen[str]:
    """The demo as the leader of a process group, as a terminal starts it."""
    return subprocess.Popen(
        [*PLAY, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, process_group=0
    )


def descendants(pid: int) -> set[int]:
    """The processes below `pid`, by /proc."""
    children: dict[int, set[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        children.setdefault(int(fields[1]), set()).add(int(stat.parent.name))
    found: set[int] = set()
    waiting = [pid]
    while waiting:
        new = children.get(waiting.pop(), set()) - found
        found |= new
        waiting += new
    return found


def running(pids: set[int]) -> set[int]:
    def alive(pid: int) -> bool:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return False
        return state != "Z"

    return {pid for pid in pids if alive(pid)}


def until_gone(pids: set[int], limit_s: float = 15) -> set[int]:
    limit = time.monotonic() + limit_s
    while (left := running(pids)) and time.monotonic() < limit:
        time.sleep(0.1)
    return left


def read_until(process: subprocess.Popen[str], text: str) -> str:
    seen = ""
    assert process.stdout is not None
    for line in process.stdout:
        seen += line
        if text in line:
            return seen
    pytest.fail(f"ended without {text!r}:\n{seen}")


@pytest.fixture(scope="module")
def whole_run() -> tuple[int, str, float]:
    begun = time.monotonic()
    process = start("--seconds", "20")
    out, _ = process.communicate(timeout=110)
    return process.returncode, out, time.monotonic() - begun


def test_it_ends_by_itself_with_a_summary(whole_run):
    """Set-up, escalations, and the gap; status 0, in about the time that was asked for."""
    status, out, took = whole_run
    assert status == 0, out
    assert took < 60
    for part in (
        "broker up on 127.0.0.1:",
        "topics created",
        "worker ready after",
        "ERROR",
        "for unassigned",
        "In short",
        "times the public wait",
        "queue jump",
    ):
        assert part in out
    assert int(re.search(r"([\d,]+) escalations of", out)[1].replace(",", "")) > 3


def test_it_prints_no_control_codes_into_a_file(whole_run):
    """Without a terminal there are plain lines only."""
    assert "\x1b" not in whole_run[1]
    assert "\r" not in whole_run[1]


def test_late_answers_are_not_called_missing(whole_run):
    """Time follows what was taken in: at hours a second, few breaches are taken back (some records do come late)."""
    _, out, _ = whole_run
    escalations = int(re.search(r"([\d,]+) escalations of", out)[1].replace(",", ""))
    retracted = re.search(r"([\d,]+) taken back", " ".join(out.split()))
    assert (int(retracted[1]) if retracted else 0) <= 4 + 0.06 * escalations


def test_ctrl_c_ends_everything():
    """An interrupt ends feed, worker and broker, and still says what was seen; status 130."""
    process = start("--seconds", "60")
    read_until(process, "worker ready")
    below = descendants(process.pid)
    assert len(below) >= 2
    read_until(process, "ERROR")
    os.killpg(process.pid, signal.SIGINT)  # a terminal interrupts the broker as well
    out, _ = process.communicate(timeout=40)
    assert process.returncode == 130, out
    assert "In short" in out
    assert "Traceback" not in out
    assert not until_gone(below)


@pytest.mark.slow
def test_a_killed_demo_leaves_no_worker():
    """When the demo is killed, its worker notices, and ends."""
    process = start("--seconds", "60")
    read_until(process, "worker ready")
    below = descendants(process.pid)
    process.kill()
    process.wait(10)
    left = until_gone(below, 20)
    names = {pid: Path(f"/proc/{pid}/cmdline").read_bytes() for pid in left}
    for pid in left:  # the broker has no way to notice: it is another's to end
        os.kill(pid, signal.SIGKILL)
    assert all(b"tansu" in name for name in names.values()), names


async def test_a_worker_that_does_not_start_is_said_so(tmp_path):
    """A worker that ends at once is reported with its last words, and with the place of its log."""
    log = tmp_path / "worker.log"
    program = [sys.executable, "-c", "raise SystemExit('no luck today')"]
    with worker_process({}, 0, 1.0, log, program) as worker, pytest.raises(WorkerError) as problem:
        async with asyncio.timeout(20):
            await worker.ready()
    assert "no luck today" in str(problem.value)
    assert str(log) in str(problem.value)


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["--input", "missing.jsonl"], 1, "missing.jsonl: No such file"),
        (["--speed", "0"], 2, "not a number above 0"),
        (["--policy", "missing.yaml"], 2, "does not exist"),
    ],
)
def test_wrong_use_is_said_in_one_line(arguments, status, words):
    """What cannot be played is said at once, in one line, before anything is started."""
    process = start(*arguments)
    out, _ = process.communicate(timeout=30)
    assert process.returncode == status
    assert words in out
    assert out.count("\n") == 1


@pytest.mark.slow
def test_a_recording_is_played(tmp_path):
    """Recorded interactions are fed with their dates moved, and a bad line ends up with the dead letters."""
    path = tmp_path / "recorded.jsonl"
    event = '{"id":"%d","occurred_at":"2015-01-0%dT0%d:00:00Z","kind":"contact","channel":"%s","thread":"t%d",'
    event += '"identities":[{"type":"account","value":"a"}],"topic":"light"}'
    lines = [event % (n, n, n, channel, n) for n, channel in enumerate(("phone", "email", "web", "app"), 1)]
    path.write_text("\n".join([*lines, "not json"]))
    process = start("--input", str(path), "--speed", "86400")
    out, _ = process.communicate(timeout=90)
    assert process.returncode == 0, out
    assert "5 recorded lines" in out
    assert "third channel" in out
    assert "Set aside as dead letters: 1 record (not_json 1)" in out
