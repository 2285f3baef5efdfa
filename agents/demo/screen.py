"""What is printed: lines that stay, and on a terminal a status line below them."""

from contextlib import ExitStack
from types import TracebackType
from typing import Self

from rich.console import Console, RenderableType
from rich.status import Status
from rich.text import Text

PLAIN_WIDTH = 110


class Screen:
    """A terminal, or a plain stream of lines without control codes."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or _console()
        self._status: Status | None = None
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        """Show a status line, where there is a terminal."""
        if self.console.is_terminal:
            self._status = self._stack.enter_context(self.console.status("starting"))
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        """Take the status line away."""
        self._status = None
        self._stack.close()

    def say(self, line: RenderableType) -> None:
        """Print a line that stays."""
        self.console.print(line, markup=False, highlight=False, soft_wrap=False)

    def step(self, text: str) -> None:
        """Print a line of the set-up."""
        self.say(Text(text, style="dim"))

    def status(self, text: str) -> None:
        """Show what is going on; nothing where there is no terminal."""
        if self._status is not None:
            self._status.update(Text(text))


def _console() -> Console:
    console = Console()
    return console if console.is_terminal else Console(width=PLAIN_WIDTH, color_system=None, no_color=True)
