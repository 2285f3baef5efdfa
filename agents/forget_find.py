"""Whom `mindgap forget` is to erase: the customer of an identity, as the changelogs have it."""

from collections import Counter
from dataclasses import dataclass

from aiokafka import TopicPartition

from agents.cli import BadInput
from agents.printable import one_line
from agents.reader import Reader
from agents.settings import Settings
from agents.worker.terms import Reading
from schemas.codec import loads
from schemas.identity import Identity
from streams.identity.protocol import IdentityRecord, home_of
from streams.stored import Stored, decode_stored
from topics.partitioner import partition_of
from topics.table import CHANGELOGS, physical

HOPS_MAX = 20
"""Most former ids on the way to a customer."""


@dataclass(frozen=True, slots=True)
class Target:
    """What is to be erased. `names`: the identities in text form, the one that was asked for among them.

    `customer_id` None: the identity is nobody's. `escalations` are the ids of the open ones, `resolved` counts the
    others that are known.
    """

    name: str
    names: frozenset[str]
    customer_id: str | None = None
    aliases: frozenset[str] = frozenset()
    events: int = 0
    escalations: tuple[str, ...] = ()
    resolved: int = 0

    @property
    def ids(self) -> frozenset[str]:
        """The customer's id, and its former ones."""
        return self.aliases | ({self.customer_id} if self.customer_id is not None else frozenset())

    def types(self) -> Counter[str]:
        """How many identities of each type."""
        return Counter(name.partition(":")[0] for name in sorted(self.names))


async def find(settings: Settings, reader: Reader, identity: Identity) -> Target:
    """The customer that has the identity; one of nobody where none has.

    Raises BadInput where it is between two customers just now, and ReadError.
    """
    name = str(identity)
    value = await _newest(
        settings, reader, CHANGELOGS["identities"], name, partition_of(name.encode(), settings.partitions)
    )
    record = _decoded(name, value)
    if record is None or record.customer is None:
        return Target(name, frozenset((name,)))
    return _target(name, await _customer(settings, reader, name, record.customer))


def _target(name: str, stored: Stored) -> Target:
    links, live = stored.links, stored.live
    if links.forgotten:  # the identity's own record is on its way out
        return Target(name, frozenset((name,)), links.id)
    if name not in links.members:
        raise BadInput(f"{one_line(name)} goes from one customer to another right now: ask again")
    emitted = live.emitted if live is not None else None
    return Target(
        name,
        frozenset(links.members),
        links.id,
        frozenset(links.aliases),
        len(live.log) if live is not None else 0,
        tuple(standing.id for standing in emitted.standing) if emitted is not None else (),
        len(emitted.closed) if emitted is not None else 0,
    )


async def _customer(settings: Settings, reader: Reader, name: str, id_: str) -> Stored:
    """The state of the customer that `id_` has become."""
    for _ in range(HOPS_MAX):
        value = await _newest(settings, reader, CHANGELOGS["customers"], id_, home_of(id_))
        if value is None:
            break
        try:
            stored = decode_stored(value)
        except ValueError as problem:
            raise BadInput(f"the customer of {one_line(name)}: {problem}") from problem
        if stored.links.alias_of is None:
            return stored
        id_ = stored.links.alias_of
    raise BadInput(f"the customer of {one_line(name)} is being made or merged right now: ask again")


async def _newest(settings: Settings, reader: Reader, topic: str, name: str, partition: int) -> bytes | None:
    """The newest value of a key in one partition of a changelog, as recovery would read it."""
    reading, key, newest = Reading(), name.encode(), None
    async for record in reader.to_ends({TopicPartition(physical(settings.topic_prefix, topic), partition): None}):
        if reading.counts(record) and record.key == key:
            newest = record.value
    return newest


def _decoded(name: str, value: bytes | None) -> IdentityRecord | None:
    try:
        return IdentityRecord.decode(loads(value)) if value is not None else None
    except ValueError as problem:
        raise BadInput(f"the record of {one_line(name)}: {problem}") from problem
