"""An order on one escalation: the command record is sent, and its effect is waited for.

The state is read from `escalations.current`, one partition of it, and the effect is waited for in the same partition,
from where reading ended: no revision can fall between the two. Every revision on `escalations` stands there too.
"""

import asyncio
from hashlib import blake2b
from typing import Any, NamedTuple

import click
from aiokafka import ConsumerRecord, TopicPartition

from agents.cli import BadInput
from agents.clock import Clock
from agents.live import as_deployed
from agents.printable import one_line
from agents.produce import Record, produce
from agents.read_model.shortcut import Shortcut
from agents.reader import Poll, Reader, partitions_of
from agents.settings import Settings
from schemas.codec import JSONDecodeError, dumps, loads
from schemas.times import format_optional, format_time
from streams.commanding import CHANGES
from streams.intake import Rejected, admit_command
from topics.partitioner import partition_of
from topics.table import COMMANDS, CURRENT, DEAD, physical

KEPT = "The command is not lost, and the same call, repeated now, is the same command"


class Order(NamedTuple):
    """What somebody wants. `until` in ms; `id` None: derived; `wait_s` 0: do not wait for the effect."""

    escalation_id: str
    action: str
    by: str
    until: int | None = None
    reason: str | None = None
    id: str | None = None
    wait_s: float = 10.0


class Known(NamedTuple):
    """The newest revision of an escalation; `record` None where it is unknown, or (`dropped`) no longer kept."""

    record: dict[str, Any] | None
    dropped: bool = False


async def give(settings: Settings, order: Order, clock: Clock) -> str:
    """Send the order; one sentence on what came of it.

    Raises BadInput where the escalation is not there or not open, where the command was set aside, and where no
    effect was seen in time; BadParameter for a command that no record can be made of.
    """
    settings = await as_deployed(settings, (CURRENT, COMMANDS, DEAD))
    reader = Reader(settings)
    known = await _known(settings, reader, order.escalation_id)
    record, needless = _look(known, order)
    if needless:
        return needless
    command = command_of(order, record, clock.now())
    places = reader.places | await reader.ends(partitions_of(settings, DEAD))
    key = str(command["customer_id"]).encode()
    await produce(settings, [Record(COMMANDS, key, dumps(command), clock.now())])
    if not order.wait_s:
        return f"{order.escalation_id}: sent as command {command['id']}; its effect was not waited for"
    try:
        async with asyncio.timeout(order.wait_s), reader.follow(places) as poll:
            return await _effect(settings, poll, order, command, record)
    except TimeoutError as problem:
        raise BadInput(
            f"{order.escalation_id}: sent as command {command['id']}, and no effect was seen within "
            f"{order.wait_s:g} s: is a worker running, and up to date? {KEPT}"
        ) from problem


def command_of(order: Order, record: dict[str, Any], now: int) -> dict[str, Any]:
    """The command record (`schemas.command.Command`) of an order on the newest revision. Raises BadParameter.

    Its id follows from the escalation, the revision and what is wanted: the same call makes the same command, until
    the escalation has changed.
    """
    parts = (order.escalation_id, str(record["revision"]), order.action, order.by, str(order.until))
    derived = "cmd_" + blake2b("\x1f".join(parts).encode(), digest_size=10).hexdigest()
    command = {
        "id": derived if order.id is None else order.id,
        "at": format_time(now),
        "customer_id": record.get("customer_id") or order.escalation_id,  # a hotspot belongs to no customer
        "escalation_id": order.escalation_id,
        "action": order.action,
        "by": order.by,
        "until": format_optional(order.until),
        "reason": order.reason,
    }
    command = {name: value for name, value in command.items() if value is not None}
    checked = admit_command(command)
    if isinstance(checked, Rejected):
        raise click.BadParameter(checked.detail)
    return command


async def _known(settings: Settings, reader: Reader, escalation_id: str) -> Known:
    """What the read model and the topic say; `reader.places` is then where the partition ended."""
    key = escalation_id.encode()
    place = TopicPartition(physical(settings.topic_prefix, CURRENT), partition_of(key, settings.partitions))
    start, record = None, None
    async with Shortcut(settings) as shortcut:
        found = await shortcut.escalation(escalation_id, f"{place.topic}:{place.partition}")
        if found is not None:
            start, record = found.read_up_to, found.record
    dropped = False
    async for each in reader.to_ends({place: start}):
        if each.key != key:
            continue
        dropped = each.value is None
        value = loads(each.value) if each.value is not None else None
        if value is None or record is None or value["revision"] >= record["revision"]:
            record = value
    return Known(record, dropped)


def _look(known: Known, order: Order) -> tuple[dict[str, Any], str | None]:
    """The newest revision, and why nothing need be sent; raises BadInput where nothing can be done."""
    record, id_ = known.record, order.escalation_id
    if record is None:
        gone = "was resolved long ago and is no longer kept" if known.dropped else "is not on escalations.current"
        raise BadInput(f"escalation {one_line(id_)} {gone}: check the id (`mindgap customer IDENTITY` lists open ones)")
    if record["status"] == "resolved":
        resolved = f"{id_}: resolved already, at {record['detected_at']} ({record['reason']}); nothing was sent"
        if order.action == "resolve":
            return record, resolved
        raise BadInput(f"{resolved}. Where it holds again, a new escalation names this one in `previous`")
    if order.action == "unsuppress" and record["status"] != "suppressed":
        return record, f"{id_}: not suppressed ({record['status']}); nothing was sent"
    return record, None


async def _effect(settings: Settings, poll: Poll, order: Order, command: dict[str, Any], before: dict[str, Any]) -> str:
    """Read on until the effect is seen; raises BadInput where the command was set aside."""
    current = physical(settings.topic_prefix, CURRENT)
    while True:
        for record in await poll():
            if record.topic == current:
                if record.key == order.escalation_id.encode() and record.value is not None:
                    said = _said(loads(record.value), order, before["revision"])
                    if said:
                        return said
            else:
                _check_not_set_aside(settings, record, command)


def _said(revision: dict[str, Any], order: Order, before: int) -> str | None:
    """What a revision says of the order; None where it is about something else."""
    if revision["revision"] <= before or revision["change"] != CHANGES[order.action]:
        return None
    if order.action == "acknowledge" and revision.get("acknowledged_by") != order.by:
        return None  # somebody else's
    head = f"{order.escalation_id}: {revision['change']}, revision {revision['revision']}"
    if order.action == "resolve" and revision["reason"] != "command":
        return f"{head} ({revision['reason']}): it ended by itself before the command came"
    if order.action == "suppress":
        end = "it is unsuppressed or resolved" if order.until is None else format_time(order.until)
        return f"{head}, until {end}"
    return f"{head}, by {one_line(order.by)}"


def _check_not_set_aside(settings: Settings, record: ConsumerRecord, command: dict[str, Any]) -> None:
    try:
        letter = loads(record.value)
        if (
            letter["topic"] != physical(settings.topic_prefix, COMMANDS)
            or loads(letter["value"])["id"] != command["id"]
        ):
            return
    except (JSONDecodeError, KeyError, TypeError):
        return  # somebody else's, whatever it is
    why = f"{letter['reason']}: {one_line(letter['detail'])}"
    if letter["reason"] == "unknown_escalation":
        why += " (resolved meanwhile, or of a customer that the worker does not know)"
    where = f"its dead letter is {record.partition}:{record.offset}"
    raise BadInput(f"{command['escalation_id']}: the command was set aside, {why}; {where}")
