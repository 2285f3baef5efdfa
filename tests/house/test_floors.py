"""The rules that keep the core pure bite: each is tried on a small tree that breaks it."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.command import ROOT

FLOORS = ("schemas", "topics", "streams", "agents")
BIN = Path(sys.executable).parent


def _lint(folder: Path, module: str, line: str) -> subprocess.CompletedProcess[str]:
    for floor in FLOORS:
        (folder / floor).mkdir()
        (folder / floor / "__init__.py").write_text('"""A floor."""\n')
    path = folder / Path(*module.split(".")).with_suffix(".py")
    path.parent.mkdir(exist_ok=True)
    (path.parent / "__init__.py").touch()
    path.write_text(f'"""A module."""\n{line}\n')
    (folder / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text())
    code = "import sys; sys.path.insert(0, '.'); from importlinter.cli import lint_imports_command as run; run()"
    return subprocess.run(
        [sys.executable, "-c", code, "--no-cache"], cwd=folder, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("schemas.a", "import streams"),
        ("topics.a", "import streams"),
        ("streams.a", "import topics"),
        ("streams.a", "import agents"),
        ("streams.a", "import faust"),
        ("topics.a", "import aiokafka"),
        ("schemas.a", "import structlog"),
        ("streams.a", "import redis"),
        ("streams.a", "import asyncio"),
        ("agents.console", "import faust"),
    ],
)
def test_an_import_against_the_floors_fails_the_check(tmp_path, module, line):
    """The forbidden import is found, and the check fails."""
    done = _lint(tmp_path, module, line)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "BROKEN" in done.stdout


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("topics.a", "import schemas"),
        ("streams.a", "import schemas"),
        ("agents.a", "import schemas, topics, streams, redis"),
        ("agents.transport", "import faust"),
        ("agents.worker.app", "import faust"),
    ],
)
def test_an_import_along_the_floors_passes_the_check(tmp_path, module, line):
    """What a floor may import, it may import."""
    done = _lint(tmp_path, module, line)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("path", "code", "rule"),
    [
        ("streams/a.py", "import time\n\nx = time.time()\n", "TID251"),
        ("streams/a.py", "from datetime import UTC, datetime\n\nx = datetime.now(UTC)\n", "TID251"),
        ("streams/a.py", "import random\n\nx = random.random()\n", "TID251"),
        ("schemas/a.py", "import uuid\n\nx = uuid.uuid4()\n", "TID251"),
        ("topics/a.py", "from datetime import datetime\n\nx = datetime(2026, 1, 1)\n", "DTZ001"),
        ("agents/clock.py", "import time\n\nx = time.time()\n", None),
    ],
)
def test_the_core_may_not_ask_for_the_time_or_for_chance(path, code, rule):
    """A clock or a die in the core is refused, and the replacement is named; at the edge it is allowed."""
    done = subprocess.run(
        [BIN / "ruff", "check", "--no-cache", "--select", "TID251,DTZ", "--stdin-filename", ROOT / path, "-"],
        input=code,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (rule in done.stdout) if rule else done.returncode == 0, done.stdout + done.stderr
