"""One customer of a live deployment: who it is by the changelogs, what is open by `escalations.current`.

The form of the stored state is known to `pointer_of` and `card_of` alone.
"""

from typing import Any

from aiokafka import TopicPartition

from agents.cli import BadInput
from agents.customer_card import Card, Joined
from agents.live import as_deployed
from agents.printable import one_line
from agents.read_model.shortcut import Shortcut
from agents.reader import Reader, partitions_of
from agents.settings import Settings
from agents.worker.terms import Reading
from schemas.codec import loads
from schemas.identity import STRENGTH, Identity, parse_identity
from schemas.times import parse_time
from streams.identity.changes import Refused
from streams.identity.protocol import home_of
from streams.standing import RESOLVED
from streams.stored import Stored, decode_stored
from topics.partitioner import partition_of
from topics.table import CHANGELOGS, CURRENT, physical

CONFLICTS = "identities.conflicts"
HOPS_MAX = 20
"""Most former ids on the way to a customer."""


async def live(settings: Settings, name: str) -> Card:
    """The customer of that identity, id or alias. Raises BadInput where there is none, and ReadError."""
    settings = await as_deployed(settings, (*CHANGELOGS.values(), CONFLICTS, CURRENT))
    reader = Reader(settings)
    stored = await _find(settings, reader, name)
    card = card_of(stored)
    refused = await _refused(settings, reader, card)
    standing = [each.id for each in stored.live.emitted.standing] if stored.live is not None else []
    open_ = await _open(settings, reader, standing)
    return Card(card.customer_id, card.aliases, card.identities, tuple(refused), open_)


async def fast(settings: Settings, name: str) -> Card:
    """What the read model knows: the id and the open escalations. Raises BadInput."""
    if settings.redis is None:
        raise BadInput("--fast asks the read model: MINDGAP_REDIS is not set")
    async with Shortcut(settings) as shortcut:
        identity = _identity(name)
        id_ = await shortcut.customer(str(identity)) if identity is not None else name
        found = await shortcut.open_escalations(id_) if id_ is not None else None
        if id_ is None or found is None:
            raise BadInput(f"the read model knows no customer {one_line(name)}: try without --fast")
        return Card(id_, escalations=found)


def pointer_of(value: bytes) -> str | None:
    """The customer id, perhaps an alias, in the stored record of an identity."""
    customer_id: str | None = loads(value).get("c")
    return customer_id


def card_of(stored: Stored) -> Card:
    """Who a customer is, by its stored state."""
    found = [(_identity(name), member) for name, member in stored.links.members.items()]
    joined = [Joined(identity, member.by or None, member.at) for identity, member in found if identity is not None]
    joined.sort(key=lambda each: (STRENGTH[each.identity.type], each.identity.value))
    return Card(stored.links.id, tuple(sorted(stored.links.aliases)), tuple(joined))


def _identity(name: str) -> Identity | None:
    try:
        return parse_identity(name)
    except ValueError:
        return None  # an id, then


async def _find(settings: Settings, reader: Reader, name: str) -> Stored:
    identity = _identity(name)
    if identity is None:
        return await _follow_aliases(settings, reader, name)
    async with Shortcut(settings) as shortcut:
        known = await shortcut.customer(str(identity))
    if known is not None:
        stored = await _follow_aliases(settings, reader, known)
        if str(identity) in stored.links.members:
            return stored  # else the read model lags: the identity is another's by now
    key = str(identity).encode()
    value = await _newest(settings, reader, CHANGELOGS["identities"], key, partition_of(key, settings.partitions))
    pointer = pointer_of(value) if value is not None else None
    if pointer is None:
        raise BadInput(f"no customer has the identity {one_line(name)}")
    return await _follow_aliases(settings, reader, pointer)


async def _follow_aliases(settings: Settings, reader: Reader, id_: str) -> Stored:
    """The state of the customer that `id_` has become."""
    for _ in range(HOPS_MAX):
        try:
            home = home_of(id_)
        except ValueError:
            home = -1
        known = 0 <= home < settings.partitions
        value = await _newest(settings, reader, CHANGELOGS["customers"], id_.encode(), home) if known else None
        if value is None:
            raise BadInput(f"no customer {one_line(id_)}: write an identity as type:value, or a customer's id")
        try:
            stored = decode_stored(value)
        except ValueError as problem:
            raise BadInput(f"customer {one_line(id_)}: {problem}") from problem
        if stored.links.forgotten:
            raise BadInput(f"customer {one_line(id_)} was forgotten")
        if stored.links.alias_of is None:
            return stored
        id_ = stored.links.alias_of
    raise BadInput(f"customer {one_line(id_)} is being merged or split right now: ask again")


async def _newest(settings: Settings, reader: Reader, topic: str, key: bytes, partition: int) -> bytes | None:
    """The newest value of a key in one partition of a changelog, as recovery would read it."""
    reading, newest = Reading(), None
    async for record in reader.to_ends({TopicPartition(physical(settings.topic_prefix, topic), partition): None}):
        if reading.counts(record) and record.key == key:
            newest = record.value
    return newest


async def _refused(settings: Settings, reader: Reader, card: Card) -> list[Refused]:
    """Refusals that name the customer, or an identity of its."""
    ids, mine = {card.customer_id, *card.aliases}, {each.identity for each in card.identities or ()}
    found: dict[tuple[str, str, str], Refused] = {}
    async for record in reader.to_ends(dict.fromkeys(partitions_of(settings, CONFLICTS))):
        value = loads(record.value)
        identity = Identity(value["identity"]["type"], value["identity"]["value"])
        by, about, at = value["refused_by"], value["record_id"], parse_time(value["seen_at"])
        if by in ids or identity in mine:
            found[str(identity), by, about] = Refused(identity, by, value["reason"], about, at)
    return sorted(found.values(), key=lambda each: each.seen_at)


async def _open(settings: Settings, reader: Reader, ids: list[str]) -> list[dict[str, Any]]:
    """The newest revisions of those of the escalations that are open; reads the partitions that they stand in only."""
    name = physical(settings.topic_prefix, CURRENT)
    keys = {id_.encode() for id_ in ids}
    starts = {TopicPartition(name, partition_of(key, settings.partitions)): None for key in keys}
    newest: dict[bytes, dict[str, Any]] = {}
    if starts:
        async for record in reader.to_ends(starts):
            if record.key in keys and record.value is not None:
                newest[record.key] = loads(record.value)
    return [record for record in newest.values() if record["status"] != RESOLVED]
