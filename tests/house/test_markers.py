"""A test that this machine cannot run says why; under `make test-all` it fails."""

import os
import shutil
import subprocess
import sys

import pytest

from tests.house.command import ROOT


@pytest.mark.parametrize(("every", "word", "status"), [("0", "skipped", 0), ("1", "error", 1)])
def test_what_is_missing_is_said_and_fails_where_everything_should_run(tmp_path, every, word, status):
    """Without redis-server, a test marked `redis` is skipped with advice, or fails with it."""
    (tmp_path / "conftest.py").write_text((ROOT / "tests/conftest.py").read_text())
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers =\n    redis: needs redis\n")
    (tmp_path / "test_it.py").write_text("import pytest\n\n@pytest.mark.redis\ndef test_it():\n    pass\n")
    environment = {**os.environ, "PATH": str(tmp_path), "MINDGAP_TEST_ALL": every}
    done = subprocess.run(
        [shutil.which(sys.executable) or sys.executable, "-m", "pytest", "-rsE", "-p", "no:cacheprovider", "."],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "lacks redis-server" in done.stdout, done.stdout + done.stderr
    assert f"1 {word}" in done.stdout
    assert done.returncode == status
