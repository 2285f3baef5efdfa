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


@pytest.mark.parametrize(("status", "kept"), [(0, True), (1, True), (3, False), (137, False)])
def test_tests_that_broke_off_are_not_tried_once_more(tmp_path, status, kept):
    """Where pytest itself breaks off, nobody knows what would have failed: no list is left of what to try again alone."""
    (tmp_path / "bin").mkdir()
    python = tmp_path / "bin/python"
    python.write_text(f'#!/bin/sh\ncase "$*" in *"not (not"*) exit {status};; esac\nexit {min(status, 1)}\n')
    python.chmod(0o755)
    (tmp_path / ".installed").touch()
    failed = tmp_path / "lastfailed"
    failed.touch()
    done = _make(f"VENV={tmp_path}", f"LAST_FAILED={failed}", "test-all")
    assert (done.returncode == 0) is (status == 0)
    assert failed.exists() is kept
    assert ("broke off" in done.stderr) is not kept
