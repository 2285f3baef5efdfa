"""Where `mindgap gaps` gets its figures from: files of gap records, the topic `channel-gaps`, or recorded histories."""

import gzip
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, NamedTuple, cast

from pydantic import ValidationError

from agents.cli import BadInput
from agents.lines import decoded, read_lines
from agents.progress import progress
from agents.read_all import read_all
from agents.settings import Settings
from schemas.codec import JSONDecodeError, loads
from schemas.gap import ChannelGap
from streams.gaps import Fact, facts
from streams.policy import Policy
from streams.replay import Replay
from topics.table import COMMANDS, GAPS

LINE_MAX = 64 * 1024
"""Longest line that is read as a gap record, in bytes."""


class Histories(NamedTuple):
    """What recorded input amounts to: every customer's contributions, the last arrival (ms), lines set aside."""

    facts: list[Fact]
    until: int
    set_aside: int


def records_of(files: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    """The gap records in files (`-`: standard input; `.gz` too). Raises BadInput with file and line."""
    for name in files:
        try:
            with _opened(name) as file:
                for number, line in enumerate(iter(lambda file=file: file.readline(LINE_MAX), b""), 1):  # type: ignore[misc]
                    if line.strip():
                        yield _record(line, f"{name}:{number}")
        except OSError as problem:
            raise BadInput(f"{name}: {problem.strerror or problem}") from problem
        except (EOFError, zlib.error) as problem:
            raise BadInput(f"{name}: not a whole gzip file: {problem}") from problem


async def records_at(settings: Settings) -> list[dict[str, Any]]:
    """The gap records that the topic holds now. Raises ReadError; BadInput for a record that is none."""
    return [
        _record(record.value, f"{record.topic}, partition {record.partition}, offset {record.offset}")
        async for record in read_all(settings, GAPS)
        if record.value is not None
    ]


def histories_of(policy: Policy, files: tuple[str, ...], until: int | None) -> Histories:
    """What follows from recorded interactions, as `mindgap replay` reads them, up to `until` (ms; default: all).

    The facts do not depend on how the input is cut into batches (contract, section 11), so all of it is one, unless
    there are commands in it: these act on escalations, which have to be there when the command comes.
    """
    lines = [line for line in read_lines(files, policy.max_bytes) if until is None or line.arrived_at <= until]
    end = until if until is not None else max((line.arrived_at for line in lines), default=0)
    run = Replay(policy, pages=False, measures=False)
    with progress("histories", len(lines)) as step:
        values = decoded(step(lines), policy.max_bytes)
        outcomes = run.run(values, end) if any(line.topic == COMMANDS for line in lines) else [run.arrive(end, values)]
        set_aside = sum(len(outcome.dead) for outcome in outcomes)
    customers = run.population.customers.values()
    return Histories([fact for each in customers for fact in facts(each.derived(run.policies))], end, set_aside)


def _record(line: bytes, place: str) -> dict[str, Any]:
    try:
        record = loads(line)
    except JSONDecodeError as problem:
        raise BadInput(f"{place}: not JSON: {problem.msg}") from problem
    if not isinstance(record, dict):
        raise BadInput(f"{place}: not a JSON object")
    if "window_start" not in record:
        raise BadInput(
            f"{place}: not a gap record (no window_start); `mindgap replay --gaps F` writes them, "
            "and interactions are read with --policy"
        )
    try:
        ChannelGap.model_validate(record)  # a newer version's fields are let pass
    except ValidationError as problem:
        first = problem.errors(include_input=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        raise BadInput(f"{place}: not a gap record: {field}: {first['msg']}") from None
    return record


def _opened(name: str) -> IO[bytes]:
    if name == "-":
        return sys.stdin.buffer
    path = Path(name)
    return cast("IO[bytes]", gzip.open(path, "rb")) if path.suffix == ".gz" else path.open("rb")
