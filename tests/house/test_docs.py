"""The documents are tested: commands and verbs exist, links lead somewhere, files stay small and say what they are."""

import ast
import re
import statistics
import subprocess
from pathlib import Path

import click
import pytest

from agents.cli import COMMANDS, main
from tests.house.command import ROOT

NOT_BUILT = re.findall(r"^- Commands not built yet: (.*)\.$", (ROOT / "README.md").read_text(), re.MULTILINE)
NOT_BUILT = NOT_BUILT[0].split(", ") if NOT_BUILT else []
"""What the README's status admits to."""
LINES_MAX = 500
MEDIAN_MAX = 200
FLOORS = ("schemas", "topics", "streams", "agents")


def _files(*endings: str) -> list[Path]:
    """Files that are, or would be, in the repository."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    paths = [ROOT / name for name in listed.stdout.decode().split("\0") if name.endswith(endings)]
    return [path for path in paths if path.is_file()]


DOCUMENTS = _files(".md")
CODE = _files(".py")


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def _spans(text: str) -> list[str]:
    """Lines of code in a document: fenced blocks and inline code."""
    fenced = re.findall(r"^```[a-z]*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    inline = re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL))
    return [line for block in fenced for line in block.splitlines()] + inline


def _resolve(words: list[str]) -> str | None:
    """What is wrong with the command line, or None."""
    command: click.Command | None = main
    path = ["mindgap"]
    for word in words:
        if word.startswith("-") or not isinstance(command, click.Group):
            break
        if not re.fullmatch(r"[a-z-]+", word):
            break
        path.append(word)
        command = command.get_command(click.Context(command), word)
        if command is None:
            return None if path[1:] in [[name] for name in NOT_BUILT] else f"{' '.join(path)} does not exist"
    if not (command.help or "").strip():
        return f"{' '.join(path)} has no help"
    known = {option for param in command.params for option in [*param.opts, *param.secondary_opts]}
    unknown = (
        {word.partition("=")[0].strip("[]") for word in words if word.strip("[]").startswith("--")} - known - {"--help"}
    )
    return f"{' '.join(path)} has no {', '.join(sorted(unknown))}" if unknown else None


@pytest.mark.parametrize("path", [path for path in DOCUMENTS if "adr" not in path.parts], ids=_name)
def test_every_command_in_a_document_exists_and_has_help(path):
    """`mindgap ...` in a document is a command, with the options that are shown."""
    wrong = []
    for span in _spans(path.read_text()):
        for call in re.findall(r"(?:^|[\s|(])mindgap ([a-z][^|#>\\\n]*)", " " + span):
            problem = _resolve(call.split())
            if problem:
                wrong.append(f"{span.strip()}: {problem}")
    assert not wrong, "\n".join(wrong)


def test_what_is_said_to_be_missing_is_missing():
    """The README's list of commands that are not built yet holds these, and no others."""
    assert set(NOT_BUILT) == set(COMMANDS) - set(main.list_commands(click.Context(main)))


@pytest.mark.parametrize("path", DOCUMENTS, ids=_name)
def test_every_verb_in_a_document_exists(path):
    """`make ...` in a document is a target of the Makefile."""
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {verb for span in _spans(path.read_text()) for verb in re.findall(r"^\s*make ([a-z-]+)", span)}
    assert named <= targets


@pytest.mark.parametrize("path", DOCUMENTS, ids=_name)
def test_every_internal_link_leads_somewhere(path):
    """Links to files and folders of the repository resolve."""
    text = re.sub(r"^```.*?^```", "", path.read_text(), flags=re.MULTILINE | re.DOTALL)
    links = [link.partition("#")[0] for link in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in link]
    assert [link for link in links if link and not (path.parent / link).exists()] == []


def test_every_decision_is_listed():
    """An ADR that the index does not name is an ADR that nobody finds."""
    index = (ROOT / "docs/adr/README.md").read_text()
    assert [path.name for path in (ROOT / "docs/adr").glob("[0-9]*.md") if path.name not in index] == []


@pytest.mark.parametrize("floor", FLOORS)
def test_every_floor_has_a_readme_of_one_screen(floor):
    """Who opens a floor reads on one screen what belongs there."""
    path = ROOT / floor / "README.md"
    assert path.exists()
    assert len(path.read_text().splitlines()) <= 50


@pytest.mark.parametrize("path", [*CODE, *DOCUMENTS], ids=_name)
def test_no_file_is_longer_than_500_lines(path):
    """A longer file is two files."""
    assert len(path.read_text().splitlines()) <= LINES_MAX


def test_half_of_the_files_are_shorter_than_200_lines():
    """Most files are read in one sitting."""
    assert statistics.median(len(path.read_text().splitlines()) for path in CODE) < MEDIAN_MAX


@pytest.mark.parametrize("path", [path for path in CODE if path.relative_to(ROOT).parts[0] in FLOORS], ids=_name)
def test_every_module_says_what_it_is(path):
    """No module of the four packages is without a docstring."""
    assert ast.get_docstring(ast.parse(path.read_text()))
