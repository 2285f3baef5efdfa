"""`mindgap compare`: what differs between two runs over the same input."""

import gzip
import zlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import IO, Any, cast

import click

from agents.cli import BadInput
from schemas.codec import JSONDecodeError, dumps, loads
from streams.compare import Comparison, Run, Section
from streams.compare import compare as compare_runs
from streams.compare.report import Difference, Record, Source

NEEDED: dict[str, dict[str, type | tuple[type, ...]]] = {
    "customers": {"customer_id": str, "identities": list, "issues": list},
    "clocks": {"clock_id": str, "metric": str, "state": str},
    "episodes": {"kind": str, "subject": str, "start": str, "severity": str},
    "escalations": {"escalation_id": str, "revision": int, "kind": str, "status": str, "severity": str},
}
"""The files of a run, and the fields without which a record cannot be compared."""
OPTIONAL: dict[str, dict[str, type | tuple[type, ...]]] = {
    "notifications": {"group_key": str, "at": str, "change": str},
    "gaps": {"window_start": str, "window_end": str, "channel": str, "revision": int},
}
"""Files that a run may have beside them, likewise."""
ALSO_NEEDED = {"episodes": ("end",), "escalations": ("detected_at",)}
VALUE_SHOWN = 300
"""Characters of a value on a terminal; --json shows all."""


@click.command()
@click.argument("a", type=click.Path(path_type=Path))
@click.argument("b", type=click.Path(path_type=Path))
@click.option("--limit", type=click.IntRange(0, 10_000), default=10, show_default=True, help="Differences a section.")
@click.option("--strict", is_flag=True, help="Episodes contradicted after their escalation was resolved count too.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of a table.")
@click.pass_context
def compare(ctx: click.Context, a: Path, b: Path, limit: int, *, strict: bool, as_json: bool) -> None:
    """Say what differs between two runs over the same input, and exit with 1 where something does.

    A and B are directories with customers.jsonl, clocks.jsonl, episodes.jsonl and escalations.jsonl (or .jsonl.gz),
    as `mindgap replay` writes them with the options of these names, or a snapshot of a live run; channel gaps are
    compared where both have gaps.jsonl.

    Facts must be equal; of the escalations each side is held against its own episodes. What runs may differ in
    (detection times, customer ids, warnings before a breach, what was retracted) is left out, or counted as a remark.
    """
    try:
        comparison = compare_runs(run_of(a), run_of(b), limit=limit, strict=strict)
    except ValueError as problem:
        msg = f"{a} or {b}: {problem}"
        raise BadInput(msg) from problem
    if as_json:
        click.echo(dumps(comparison.as_record()))
    else:
        for line in told(comparison):
            click.echo(line)
    ctx.exit(0 if comparison.agree else 1)


def run_of(folder: Path) -> Run:
    """The run whose files are in a folder. Raises BadInput where one is missing."""
    sources: dict[str, Source] = {}
    for name in (*NEEDED, *OPTIONAL):
        path = folder / f"{name}.jsonl"
        if not path.exists():
            path = folder / f"{name}.jsonl.gz"
        if path.exists():
            sources[name] = partial(_records, path, name)
        elif name in NEEDED:
            msg = f"{folder}: no {name}.jsonl there; `mindgap replay --{name} {folder}/{name}.jsonl ...` writes it"
            raise BadInput(msg)
    return Run(**sources)


def _records(path: Path, name: str) -> Iterator[Record]:
    needed, also = (NEEDED | OPTIONAL)[name], ALSO_NEEDED.get(name, ())
    try:
        with _opened(path) as file:
            for number, line in enumerate(file, 1):
                if not line.strip():
                    continue
                record = _read(line, path, number)
                for field, kind in needed.items():
                    if not isinstance(record.get(field), kind):
                        msg = f"{path}:{number}: a record of {name} has a {field}"
                        raise BadInput(msg)
                for field in also:
                    if field not in record:
                        msg = f"{path}:{number}: a record of {name} has {field}"
                        raise BadInput(msg)
                yield record
    except (EOFError, zlib.error, gzip.BadGzipFile) as problem:
        msg = f"{path}: not a whole gzip file: {problem}"
        raise BadInput(msg) from problem


def _read(line: bytes, path: Path, number: int) -> dict[str, Any]:
    try:
        record = loads(line)
    except JSONDecodeError as problem:
        msg = f"{path}:{number}: not JSON: {problem.msg}"
        raise BadInput(msg) from problem
    if not isinstance(record, dict):
        msg = f"{path}:{number}: not a JSON object"
        raise BadInput(msg)
    return record


def _opened(path: Path) -> IO[bytes]:
    if path.suffix == ".gz":
        return cast("IO[bytes]", gzip.open(path, "rb"))
    return path.open("rb")


# -- text -----------------------------------------------------------------------------------------------------


def told(comparison: Comparison) -> Iterator[str]:
    """The table, the remarks and the first differences, as lines of text."""
    yield f"{'':12}{'A':>12}{'B':>12}{'differ':>12}"
    for section in comparison.sections:
        yield f"{section.name:12}{section.a:>12,}{section.b:>12,}{section.differ:>12,}"
    remarks = [line for section in comparison.sections for line in _remarks(section)]
    if remarks:
        yield ""
        yield from remarks
    for section in comparison.sections:
        if section.differ:
            yield ""
            yield from _differences(section)
    yield ""
    yield "The runs agree." if comparison.agree else "The runs differ."


def _remarks(section: Section) -> Iterator[str]:
    for what, counts in section.remarks.items():
        if any(counts.values()):
            yield f"  {section.name}, {what}: {counts['A']:,} in A, {counts['B']:,} in B"


def _differences(section: Section) -> Iterator[str]:
    for difference in section.differences:
        yield f"{section.name}: {difference.id}: {difference.what}"
        yield from _values(difference)
    more = section.differ - len({difference.id for difference in section.differences})
    if more > 0:
        yield f"{section.name}: and {more:,} more (--limit)"


def _values(difference: Difference) -> Iterator[str]:
    a, b = difference.a, difference.b
    if isinstance(a, dict) and isinstance(b, dict):
        for name in dict.fromkeys([*a, *b]):
            yield f"  {name}"
            for side, values in (("A", a), ("B", b)):
                yield f"    {side}  {_text(values[name]) if name in values else '(not there)'}"
        return
    for side, value in (("A", a), ("B", b)):
        for item in value if isinstance(value, list) else [value]:
            if item is not None:
                yield f"  {side}  {_text(item)}"


def _text(value: Any) -> str:
    text = value if isinstance(value, str) else dumps(value).decode()
    return text if len(text) <= VALUE_SHOWN else f"{text[:VALUE_SHOWN]}..."
