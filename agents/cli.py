"""The `mindgap` command: a group that imports a command's module only when that command runs.

Exit status: 0 done, 1 bad input (one line on standard error says what and where), 2 wrong usage.
"""

import gc
import importlib
import importlib.util
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

import agents.commands

COMMANDS: dict[str, str] = {
    "demo": "A simulated day of a company, from events to escalations, on this machine alone.",
    "up": "Apache Kafka and Redis on this machine, for development.",
    "worker": "The processor: reads interactions, writes escalations.",
    "verify": "The same input through a broker and workers, and through replay: do the facts agree?",
    "readmodel": "The read model in Redis: keep it up to date, rebuild it, look into it.",
    "topics": "Create the Kafka topics, or check those that exist.",
    "replay": "The same processing on recorded input and virtual time, without Kafka.",
    "due": "When a clock that starts at a time is due.",
    "policy": "Check a policy, try it on history, publish it.",
    "explain": "The story of one customer: what came in, what each clock did, why it escalated.",
    "customer": "Who a customer is: ids, identities and what joined them, what is open; from files or live.",
    "ack": "Acknowledge an escalation: its ladder stops.",
    "suppress": "Silence an escalation until a time.",
    "unsuppress": "Let a suppressed escalation speak again.",
    "resolve": "Resolve an escalation that was dealt with elsewhere.",
    "link": "Say that two identities are the same customer's.",
    "unlink": "Say that two identities are not the same customer's.",
    "forget": "Erase a customer: its identities, history and escalations.",
    "dead-letters": "Records that were set aside: count them, look at one, put them back.",
    "gaps": "How long people wait on each channel, and what complaining in public is worth.",
    "compare": "What differs between two runs over the same input.",
    "snapshot": "The facts of a live deployment, as files to compare with those of replay.",
    "simulate": "A believable stream of interactions, as input for replay.",
    "score": "Precision and recall of each pattern, on simulated customers.",
    "schema": "The JSON Schema of a record.",
}
"""Every command and what it does. The command `x-y` is the click object `x_y` of the module `agents.commands.x_y`."""

GC_THRESHOLDS = (20_000, 10, 200)
"""Of the garbage collector. With Python's 700 it took more of the processor than the core did: a history is many small
objects that refer to one another without a cycle, and they go without it. All of them are looked at every 40 million
only: a worker of 1.7 GB stood still for 0.7 s each time, every twelve seconds in a soak."""
BAD_INPUT = 1
"""Exit status for input that cannot be used."""


class BadInput(click.ClickException):
    """Input that cannot be used. The message says what is wrong, where (file, line, field) and what to do."""

    exit_code = BAD_INPUT


class LazyGroup(click.Group):
    """A group whose commands are imported when they are asked for, and listed without being imported."""

    def __init__(self, *args: Any, lazy: Mapping[str, str] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.lazy = dict(lazy or {})

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of the commands that are there."""
        built = [name for name in self.lazy if _is_built(name)]
        return built + [name for name in super().list_commands(ctx) if name not in self.lazy]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command `cmd_name`, its module imported now; None where there is no such command."""
        if cmd_name not in self.lazy:
            return super().get_command(ctx, cmd_name)
        if not _is_built(cmd_name):
            return None
        name = _module(cmd_name)
        command: click.Command = getattr(importlib.import_module(f"agents.commands.{name}"), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands from the table, so that `--help` imports none of them."""
        rows = [(name, self.lazy.get(name, "")) for name in self.list_commands(ctx)]
        if rows:
            with formatter.section("Commands"):
                formatter.write_dl(rows)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; a file that cannot be read or written is bad input, not a traceback."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            raise  # the reader has gone away (`mindgap replay ... | head`): click ends quietly
        except OSError as problem:
            if problem.filename is None:
                raise
            name = problem.filename if isinstance(problem.filename, str | Path) else repr(problem.filename)
            msg = f"{name}: {problem.strerror or problem}"
            raise BadInput(msg) from problem


def _module(name: str) -> str:
    return name.replace("-", "_")


def _is_built(name: str) -> bool:
    """True where the command's module exists; looked up on disk, not imported."""
    return any(Path(folder, f"{_module(name)}.py").exists() for folder in agents.commands.__path__)


class OneLineGroup(LazyGroup):
    """The outermost group: whatever is wrong is said in one line on standard error."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run and exit, as `click.Group.main`."""
        gc.set_threshold(*GC_THRESHOLDS)
        run: Any = super().main
        kwargs.setdefault("prog_name", "mindgap")  # also where it is run as `python -m agents.cli`
        if not kwargs.pop("standalone_mode", True):
            return run(*args, standalone_mode=False, **kwargs)
        try:
            status = run(*args, standalone_mode=False, **kwargs)
        except click.exceptions.Abort:
            sys.exit(130)  # interrupted from the keyboard, as a shell reports it
        except click.ClickException as problem:
            sys.exit(_report(problem))
        sys.exit(status if isinstance(status, int) else 0)


def _report(problem: click.ClickException) -> int:
    if isinstance(problem, click.exceptions.NoArgsIsHelpError):
        problem.show()
        return problem.exit_code
    command = problem.ctx.command_path if isinstance(problem, click.UsageError) and problem.ctx else "mindgap"
    message = " ".join(problem.format_message().split())
    hint = f" (see {command} --help)" if isinstance(problem, click.UsageError) else ""
    click.echo(f"{command}: {message}{hint}", err=True)
    return problem.exit_code


@click.group(
    cls=OneLineGroup,
    lazy=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(package_name="mindgap", prog_name="mindgap")
def main() -> None:
    """Minds the gaps between channels: one history per customer, and the breaches in it while they can still be mended.

    Exit status: 0 done, 1 bad input, 2 wrong usage.
    """


if __name__ == "__main__":
    main()
