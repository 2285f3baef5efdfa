"""Progress of long work: on a terminal only, on standard error, so that output for machines stays clean."""

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")

EVERY = 500
"""Items between two updates."""


@contextmanager
def progress(title: str, total: int) -> Iterator[Callable[[Iterable[T]], Iterable[T]]]:
    """Within: a function that passes items on and shows how many of `total` have gone by."""
    if not sys.stderr.isatty():
        yield lambda items: items
        return
    from rich.console import Console  # noqa: PLC0415 - slow to import, and only needed on a terminal
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: PLC0415

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(title, total=total)

        def passing(items: Iterable[T]) -> Iterable[T]:
            for place, item in enumerate(items):
                if place % EVERY == 0:
                    bar.update(task, completed=place)
                yield item

        yield passing
