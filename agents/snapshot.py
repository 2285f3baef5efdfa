"""The facts of a live deployment, read from its topics: the same files that `mindgap replay` writes."""

from collections import defaultdict
from pathlib import Path
from typing import Any, NamedTuple

from agents.read_all import read_all
from agents.settings import Settings
from agents.worker.terms import Reading
from schemas.codec import dumps, loads
from schemas.policy import PolicyDocument
from schemas.times import parse_time
from streams.policy import PolicyHistory, compile_policy
from streams.policy_file import read_policy_value
from streams.stored import Stored, decode_stored
from streams.stored_facts import stored_facts
from topics.table import CHANGELOGS, ESCALATIONS, GAPS, NOTIFICATIONS, POLICIES


class Counted(NamedTuple):
    """How much a snapshot holds."""

    customers: int
    revisions: int


async def snapshot(settings: Settings, first: PolicyDocument, until: int, folder: Path) -> Counted:
    """Write what `mindgap replay` would write into `folder`, a file each, as it stands at `until` (ms).

    `first` is the policy that the workers started with; later ones are read from their topic. Raises ReadError,
    and ValueError for a state that a newer version wrote.
    """
    policies = await _policies(settings, first)
    customers = await _customers(settings)
    folder.mkdir(parents=True, exist_ok=True)  # noqa: ASYNC240 - a command of its own: nobody waits
    with (
        (folder / "customers.jsonl").open("wb") as people,
        (folder / "clocks.jsonl").open("wb") as clocks,
        (folder / "episodes.jsonl").open("wb") as episodes,
    ):
        count = 0
        for id_ in sorted(customers):
            facts = stored_facts(customers[id_], policies, until)
            if facts is None:
                continue
            count += 1
            people.write(dumps(facts.customer) + b"\n")
            clocks.writelines(dumps(record) + b"\n" for record in facts.clocks)
            episodes.writelines(dumps(record) + b"\n" for record in facts.episodes)
    await _said(settings, NOTIFICATIONS, "at", until, folder / "notifications.jsonl")
    await _said(settings, GAPS, "window_end", until, folder / "gaps.jsonl")
    return Counted(count, await _said(settings, ESCALATIONS, "detected_at", until, folder / "escalations.jsonl"))


async def _policies(settings: Settings, first: PolicyDocument) -> PolicyHistory:
    policies = PolicyHistory(compile_policy(first))
    async for record in read_all(settings, POLICIES):
        if record.value is not None:
            try:
                document = read_policy_value(loads(record.value), POLICIES)
            except ValueError:
                continue  # the workers refused it too
            policies.add(compile_policy(document), record.timestamp)
    return policies


async def _customers(settings: Settings) -> dict[str, Stored]:
    values: dict[str, bytes] = {}
    readings: defaultdict[int, Reading] = defaultdict(Reading)
    async for record in read_all(settings, CHANGELOGS["customers"]):
        if not readings[record.partition].counts(record):
            continue
        key = record.key.decode()
        if record.value is None:
            values.pop(key, None)
        else:
            values[key] = record.value
    return {key: decode_stored(value) for key, value in values.items()}


async def _said(settings: Settings, topic: str, timed_by: str, until: int, path: Path) -> int:
    """Write the records of an output topic whose field of this name is not after `until`; how many there are."""
    count = 0
    with path.open("wb") as file:
        async for record in read_all(settings, topic):
            value: dict[str, Any] = loads(record.value)
            if parse_time(value[timed_by]) <= until:
                file.write(record.value + b"\n")
                count += 1
    return count
