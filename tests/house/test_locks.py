"""The locks say exactly what is installed, and agree with each other."""

import re
import tomllib

from tests.house.command import ROOT


def _pins(path: str) -> dict[str, str]:
    text = (ROOT / path).read_text()
    return dict(re.findall(r"^([a-z0-9][a-z0-9._-]*)==(\S+)", text, re.MULTILINE))


def _named(requirements: list[str]) -> set[str]:
    return {re.match(r"[A-Za-z0-9._-]+", line)[0].lower().replace("_", "-").replace(".", "-") for line in requirements}


def test_every_dependency_is_locked_with_hashes():
    """What pyproject.toml names is in the lock, and every pin carries a hash."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = _named(project["dependencies"])
    tools = _named(project["optional-dependencies"]["dev"])
    assert wanted | tools <= {name.replace(".", "-") for name in _pins("requirements.lock")}
    assert wanted <= {name.replace(".", "-") for name in _pins("deploy/requirements.lock")}
    for path in ("requirements.lock", "deploy/requirements.lock"):
        blocks = re.split(r"^(?=[a-z0-9])", (ROOT / path).read_text(), flags=re.MULTILINE)[1:]
        assert all("--hash=sha256:" in block for block in blocks), path


def test_the_image_holds_the_versions_that_were_tested():
    """The image's lock is a part of the development lock, pin for pin."""
    assert _pins("deploy/requirements.lock").items() <= _pins("requirements.lock").items()


def test_the_image_holds_no_tools_of_development():
    """No test runner, linter or type checker is shipped."""
    assert {"pytest", "mypy", "ruff", "hypothesis", "import-linter"}.isdisjoint(_pins("deploy/requirements.lock"))


def test_the_locks_name_no_index():
    """Where packages come from is the installer's setting, not the repository's."""
    for path in ("requirements.lock", "deploy/requirements.lock"):
        text = (ROOT / path).read_text()
        assert "://" not in text
        assert "--index" not in text
        assert "--find-links" not in text
