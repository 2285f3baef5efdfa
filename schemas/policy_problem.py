"""What is wrong with a policy document, for the person who has to mend it."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

Path = tuple[str | int, ...]
"""Where in a document: keys and list indexes from the top."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong. Line and column count from 1; None where the document has no text, only a value."""

    file: str
    line: int | None
    column: int | None
    path: str
    message: str
    suggestion: str | None = None

    def __str__(self) -> str:
        where = self.file if self.line is None else f"{self.file}:{self.line}:{self.column}"
        what = f"{self.path}: {self.message}" if self.path else self.message
        hint = f" (did you mean {self.suggestion!r}?)" if self.suggestion else ""
        return f"{where}: {what}{hint}"


class PolicyError(ValueError):
    """A document that cannot be used; nothing of it takes effect. `problems` says all that is wrong, in order."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda problem: (problem.line or 0, problem.column or 0)))
        super().__init__("\n".join(str(problem) for problem in self.problems))


def format_path(path: Path) -> str:
    """The path as text: `targets[0].when.channel`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f".{part[:60]}" if text else part[:60]
    return text


def closest(word: str, known: Iterable[str], likeness: float = 0.6) -> str | None:
    """The known word that `word` is most like, where one is at least so like it (1 is the same)."""
    names = list(known)
    lowered = {name.lower(): name for name in names}
    found = difflib.get_close_matches(word[:100].lower(), lowered, n=1, cutoff=likeness)
    return lowered[found[0]] if found else None
