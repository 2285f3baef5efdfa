"""The Makefile explains itself, and says what is missing."""

import re
import subprocess

import pytest

from tests.house.command import ROOT

VERBS = {
    "setup",
    "demo",
    "test",
    "test-all",
    "check",
    "bench",
    "up",
    "up-containers",
    "kafka",
    "lock",
    "schemas",
    "help",
}


def _make(*args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["make", *args], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


def test_make_alone_lists_every_verb_with_what_it_does():
    """`make` is its own manual."""
    listed = dict(re.findall(r"^  make ([a-z-]+) +(\S.*)$", _make().stdout, re.MULTILINE))
    assert set(listed) >= VERBS


@pytest.mark.parametrize("given", ["CANDIDATES=no-such-python", "PYTHON=/bin/false"])
def test_a_machine_without_a_fitting_python_is_told_so(tmp_path, given):
    """No Python 3.11: the message says what was tried, what to install and how to name another."""
    done = _make("VENV=" + str(tmp_path / "venv"), given, "setup")
    assert given.partition("=")[2] in done.stderr
    assert done.returncode != 0
    assert "Python 3.11 or later" in done.stderr
    assert "PYTHON=" in done.stderr


def test_setup_is_done_once(tmp_path):
    """A second `make setup` has nothing to do: the stamp is newer than the lock and the project file."""
    stamp = tmp_path / ".installed"
    stamp.touch()
    done = _make("--dry-run", f"STAMP={stamp}", "setup")
    assert done.returncode == 0
    assert "pip install" not in done.stdout
