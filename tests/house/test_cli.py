"""The command group: exit status, one-line errors, and commands that load only when they are asked for."""

import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from agents.cli import COMMANDS, BadInput, LazyGroup, OneLineGroup, _is_built, main
from tests.house.command import ROOT, run

BUILT = [name for name in COMMANDS if _is_built(name)]
WITHOUT_BROKER = [
    name for name in ("due", "policy", "replay", "explain", "compare", "simulate", "schema") if name in BUILT
]


def test_help_ends_with_zero_and_lists_every_command_that_is_built():
    """`mindgap --help` shows what can be run, and only that."""
    done = run("--help")
    assert done.returncode == 0
    listed = {line.split()[0] for line in done.stdout.partition("Commands:")[2].splitlines() if line.strip()}
    assert set(BUILT) <= listed
    assert listed.isdisjoint(set(COMMANDS) - set(BUILT))


def test_the_version_is_the_package_s():
    """`mindgap --version` says which version is installed."""
    done = run("--version")
    assert (done.returncode, done.stdout.split()[0]) == (0, "mindgap,")


@pytest.mark.parametrize("args", [["no-such-command"], ["schema", "--no-such-option"], ["schema", "no-such-record"]])
def test_wrong_usage_ends_with_two_and_one_line(args):
    """Wrong usage says what to look at, in one line, and ends with 2."""
    done = run(*args)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "--help" in done.stderr
    assert not done.stdout


def test_no_command_at_all_is_wrong_usage_with_the_help():
    """`mindgap` alone shows the help and ends with 2."""
    done = run()
    assert done.returncode == 2
    assert "Usage: mindgap" in done.stderr


@pytest.mark.parametrize("name", BUILT)
def test_every_command_loads_and_has_help(name):
    """The module holds a click command of its own name, with a help text."""
    command = main.get_command(click.Context(main), name)
    assert command is not None
    assert command.help
    done = CliRunner().invoke(main, [name, "--help"])
    assert done.exit_code == 0, done.output


def test_help_imports_no_command():
    """Listing the commands costs none of their imports."""
    code = "import sys, agents.cli as c; c.main(['--help'], standalone_mode=False); print(sorted(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    assert "agents.commands'" in done.stdout
    assert "agents.commands." not in done.stdout


@pytest.mark.parametrize("name", WITHOUT_BROKER)
def test_commands_that_need_no_broker_do_not_load_one(name):
    """A calculation on files starts fast: no Faust, no Kafka client, no Redis client."""
    code = f"import sys, agents.commands.{name}; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    assert {"faust", "aiokafka", "redis"}.isdisjoint(done.stdout.split())


def _group(raised: BaseException) -> LazyGroup:
    @click.group(cls=OneLineGroup, name="mindgap")
    def group() -> None:
        """A group with one command."""

    @group.command()
    def fail() -> None:
        """Fail."""
        raise raised

    return group


@pytest.mark.parametrize(
    ("raised", "status", "said"),
    [
        (
            BadInput("p.yaml:3:7: no calendar is called 'ofice'"),
            1,
            "mindgap: p.yaml:3:7: no calendar is called 'ofice'\n",
        ),
        (BadInput("one\n  two"), 1, "mindgap: one two\n"),
        (
            FileNotFoundError(2, "No such file or directory", "in.jsonl"),
            1,
            "mindgap: in.jsonl: No such file or directory\n",
        ),
        (PermissionError(13, "Permission denied", "out"), 1, "mindgap: out: Permission denied\n"),
        (click.UsageError("both"), 2, "mindgap fail: both (see mindgap fail --help)\n"),
        (KeyboardInterrupt(), 130, ""),
    ],
)
def test_errors_are_one_line_with_the_right_status(raised, status, said):
    """Bad input is 1, wrong usage is 2, an interruption is 130; nobody gets a traceback for them."""
    done = CliRunner().invoke(_group(raised), ["fail"])
    assert done.exit_code == status
    assert done.stderr.strip() == said.strip()


def test_a_defect_of_ours_is_not_passed_off_as_bad_input():
    """An unexpected exception keeps its traceback."""
    done = CliRunner().invoke(_group(ZeroDivisionError("ours")), ["fail"])
    assert isinstance(done.exception, ZeroDivisionError)


def test_a_reader_that_goes_away_is_no_error_message():
    """`mindgap ... | head` ends quietly."""
    code = f"{sys.executable} -m agents.cli schema escalation | head -n 1"
    done = subprocess.run(["bash", "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "{\n"
    assert not done.stderr
