"""What must be true once all has settled: the facts of a replay, nothing said in two ways, nothing left unsent."""

from collections.abc import Iterator
from typing import Any

from faust.types import TP

from agents.worker.terms import Reading
from schemas.codec import JSONDecodeError, dumps, loads
from schemas.times import parse_time
from streams.compare import Run, compare
from streams.intake import Rejected
from streams.policy import PolicyHistory, compile_policy
from streams.policy_file import read_policy_value
from streams.replay import Line, Replay
from streams.stored import Stored, decode_stored
from tests.compare.replayed import replayed, stored_run
from tests.shellsim.traffic import LINKS
from tests.shellsim.world import World
from topics.table import CHANGELOGS, CURRENT, DEAD, ESCALATIONS, POLICIES

_SHOWN = 1500


def judge(world: World) -> list[str]:
    """All that is wrong with a world that has settled; nothing where all is well."""
    wrong = list(dict.fromkeys(world.around.faults))
    wrong += _defects(world)
    comparison = compare(_live(world), _replayed(world), limit=3)
    for section in comparison.sections:
        wrong += [f"{section.name}: {dumps(each.as_record()).decode()[:_SHOWN]}" for each in section.differences]
    wrong += _outputs(world)
    wrong += _memory(world)
    return wrong


# -- both sides -------------------------------------------------------------------------------------------------


def _live(world: World) -> Run:
    said = [record for record in _said(world, ESCALATIONS) if parse_time(record["detected_at"]) <= world.until]
    return stored_run(stored_customers(world).values(), _policies(world), world.until, said)


def _replayed(world: World) -> Run:
    lines = sorted(_lines(world), key=lambda line: line.arrived_at)
    return replayed(lines, world.until, Replay(world.around.policy, pages=False, measures=False))


def _lines(world: World) -> Iterator[Line]:
    for tp, log in world.broker.logs.items():
        topic = "interactions" if tp.topic.startswith("interactions.") and tp.topic != DEAD else tp.topic
        if topic in ("interactions", LINKS, POLICIES):
            for record in log.records:
                yield Line(record.timestamp, topic, _parsed(record.value), record.value)


def _parsed(value: bytes) -> Any:
    try:
        return loads(value)
    except JSONDecodeError:
        return Rejected("not_json", "")


def _policies(world: World) -> PolicyHistory:
    policies = PolicyHistory(world.around.policy)
    for record in world.broker.log(TP(POLICIES, 0)).records:
        policies.add(compile_policy(read_policy_value(loads(record.value), POLICIES)), record.timestamp)
    return policies


def stored_customers(world: World) -> dict[str, Stored]:
    """The customers as the changelog has them, read as a recovery reads it."""
    found: dict[bytes, bytes] = {}
    for number in range(world.plan.partitions):
        found |= _counted(world, CHANGELOGS["customers"], number)
    return {key.decode(): decode_stored(value) for key, value in found.items()}


def _counted(world: World, topic: str, number: int) -> dict[bytes, bytes]:
    reading, state = Reading(), {}
    for record in world.broker.log(TP(topic, number)).records:
        if reading.counts(record):
            if record.value is None:
                state.pop(record.key, None)
            else:
                state[record.key] = record.value
    return state


def _said(world: World, topic: str) -> list[dict[str, Any]]:
    return [loads(record.value) for record in _records(world, topic) if record.value is not None]


def _records(world: World, topic: str) -> list[Any]:
    return [r for number in range(world.plan.partitions) for r in world.broker.log(TP(topic, number)).records]


# -- and beside the facts ---------------------------------------------------------------------------------------


def _defects(world: World) -> Iterator[str]:
    """Exceptions of the core, lanes that crashed: the shell survives them, and there should be none."""
    for process in world.lives:
        for metric in process.partitions.metrics.internal_errors.collect():
            for sample in metric.samples:
                if sample.name.endswith("_total") and sample.value:
                    yield f"{process.name}: {sample.value:.0f} times {sample.labels['where']}"


def _outputs(world: World) -> Iterator[str]:
    """What the states say was decided last has been sent; the newest revision is the current one."""
    sent = {dumps(record) for record in _said(world, ESCALATIONS)}
    for id_, stored in stored_customers(world).items():
        for record in stored.outbox:
            if dumps(record) not in sent:
                yield f"never sent, of {id_}: {dumps(record).decode()[:_SHOWN]}"
    newest: dict[str, int] = {}
    for record in _said(world, ESCALATIONS):
        id_ = record["escalation_id"]
        newest[id_] = max(newest.get(id_, 0), record["revision"])
    current: dict[str, tuple[int, Any]] = {}
    for record in _records(world, CURRENT):
        id_, number = record.key.decode(), loads(record.value)["revision"]
        sender = world.broker.senders[TP(record.topic, record.partition), record.offset]
        if number >= current.get(id_, (0, None))[0] or sender is current[id_][1]:
            current[id_] = (number, sender)  # else a late record of an earlier owner: it is told apart by its revision
    for id_, revision in newest.items():
        shown = current.get(id_, (0, None))[0]
        if shown < revision:
            yield f"{id_} is at revision {revision}, and the current one is {shown}"


def _memory(world: World) -> Iterator[str]:
    """Each owner's memory says what its changelog says."""
    owners: dict[int, str] = {}
    for process in world.workers:
        for number in process.partitions._lanes if process is not None else ():
            if number in owners:
                yield f"partition {number} belongs to {owners[number]} and to {process.name}"
            owners[number] = process.name
            for table, topic in CHANGELOGS.items():
                if process.stores[table].partition(number) != _counted(world, topic, number):
                    yield f"{table} of partition {number}: the memory of {process.name} is not its changelog"
    if sorted(owners) != list(range(world.plan.partitions)):
        yield f"only partitions {sorted(owners)} have an owner"
