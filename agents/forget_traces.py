"""What the compacted topics still say of a customer: the newest record of each key, whoever wrote it.

Identities stand in states as whole JSON strings, so a value names one exactly where it holds that string in quotes.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, fields
from typing import Any, NamedTuple

from aiokafka import ConsumerRecord

from agents.cli import BadInput
from agents.reader import Reader, partitions_of
from agents.settings import Settings
from agents.worker.terms import Reading
from schemas.codec import JSONDecodeError, dumps, loads
from schemas.identity import normalise
from streams.identity.protocol import IdentityRecord
from streams.stored import decode_outbox, decode_stored
from topics.table import CHANGELOGS, CURRENT, LINKS

TOPICS = (*CHANGELOGS.values(), CURRENT, LINKS)
"""The compacted topics that may hold personal data."""
_THREAD = "thread:"
_IDENTITIES, _CUSTOMERS = CHANGELOGS["identities"], CHANGELOGS["customers"]


class Place(NamedTuple):
    """A key where it stands: records that others send need not be on their key's partition."""

    partition: int
    key: bytes


@dataclass(slots=True)
class Traces:
    """Where a customer is still named.

    `records`: its identities that are somebody's. `bare`: those that are nobody's and have a record all the same, with
    its number. `spoken`: public threads on which it is known as a speaker. `pairs`: other
    identities with a link or unlink that names it. `outputs`: customers whose state still keeps messages that name it,
    sent long ago. `marks`: of its own ids those whose state says nothing any more. `others`: customers whose own events
    or refused edges name one of its identities. `elsewhere`: keys of other tables. `current`: its escalations.
    `shared`: those of somebody else who was the same customer when they were last said. `links`: link records.
    """

    records: set[str] = field(default_factory=set)
    bare: dict[str, int] = field(default_factory=dict)
    spoken: set[str] = field(default_factory=set)
    pairs: set[str] = field(default_factory=set)
    outputs: set[str] = field(default_factory=set)
    marks: set[str] = field(default_factory=set)
    others: set[str] = field(default_factory=set)
    elsewhere: set[str] = field(default_factory=set)
    current: set[Place] = field(default_factory=set)
    shared: set[Place] = field(default_factory=set)
    links: set[Place] = field(default_factory=set)

    def __bool__(self) -> bool:
        """Whether there is anything to erase, or left."""
        return any(getattr(self, each.name) for each in fields(self) if each.name != "marks")


class Search:
    """Takes the records of `TOPICS`, each partition in order. `names`: identities in text form, `ids`: customer ids."""

    def __init__(self, names: Collection[str], ids: Collection[str]) -> None:
        self._names = frozenset(names)
        self._ids = frozenset(ids)
        self._needles = [dumps(name) for name in names]
        self._id_needles = [dumps(id_) for id_ in ids]
        self._threads = [dumps(name.removeprefix(_THREAD)) for name in names if name.startswith(_THREAD)]
        self.found = Traces()

    def take(self, topic: str, place: Place, value: bytes | None) -> None:
        """The newest record, so far, of a key of a topic (its logical name)."""
        if topic == _IDENTITIES:
            self._identity(place.key.decode(), value)
        elif topic == _CUSTOMERS:
            self._customer(place.key.decode(), value)
        elif topic == CURRENT:
            ours = value is not None and self._is_ours(value)
            _keep(self.found.current, place, there=ours)
            _keep(self.found.shared, place, there=not ours and value is not None and _holds(value, self._threads))
        elif topic == LINKS:
            _keep(self.found.links, place, there=value is not None and self._is_linked(place.key, value))
        else:
            named = value is not None and _holds(value, self._needles + self._id_needles)
            _keep(self.found.elsewhere, place.key.decode(errors="replace"), there=named)

    def _identity(self, name: str, value: bytes | None) -> None:
        found, mine, record = self.found, name in self._names, IdentityRecord()
        if value is not None and (mine or _holds(value, self._needles)):
            record = IdentityRecord.decode(loads(value))
        speakers = dumps(record.speakers.encode()) if record.speakers is not None else b""
        found.bare.pop(name, None)
        if mine and value is not None and record.customer is None and record.speakers is None:
            found.bare[name] = record.number  # what was said on a public thread is others' too
        _keep(found.records, name, there=mine and record.customer is not None)
        _keep(found.spoken, name, there=_holds(speakers, self._needles))
        _keep(found.pairs, name, there=not mine and not self._names.isdisjoint(record.pairs))

    def _customer(self, id_: str, value: bytes | None) -> None:
        found, mine = self.found, id_ in self._ids
        outputs = state = forgotten = False
        if value is not None and (mine or _holds(value, self._needles)):
            stored = decode_stored(value)
            records, mail = decode_outbox(value)
            forgotten = stored.links.forgotten
            outputs = _holds(dumps([records, [list(message) for message in mail]]), self._needles)
            stored.outbox, stored.mail = [], []
            state = not mine and _holds(stored.encode(0), self._needles)
            outputs |= mine and forgotten and bool(records or mail)
        _keep(found.outputs, id_, there=outputs)
        _keep(found.others, id_, there=state)
        _keep(found.marks, id_, there=mine and forgotten)

    def _is_ours(self, value: bytes) -> bool:
        return _holds(value, self._id_needles) and loads(value).get("customer_id") in self._ids

    def _is_linked(self, key: bytes, value: bytes) -> bool:
        named = set(key.decode(errors="replace").split("|"))
        try:
            record = loads(value)
        except JSONDecodeError:
            record = None  # set aside by the workers, and on the topic all the same
        if isinstance(record, dict):
            named |= {name for side in (record.get("a"), record.get("b")) if (name := _named(side)) is not None}
        return not self._names.isdisjoint(named)


async def search(
    settings: Settings,
    reader: Reader,
    names: Collection[str],
    ids: Collection[str] = (),
    topics: Iterable[str] = TOPICS,
) -> Traces:
    """Read the topics (logical names) whole, as of now, for these identities and customers. Raises ReadError."""
    looking = Search(names, ids)
    for topic in topics:
        readings: defaultdict[int, Reading] = defaultdict(Reading)
        async for record in reader.to_ends(dict.fromkeys(partitions_of(settings, topic))):
            if record.key is None or not _counts(topic, readings[record.partition], record):
                continue
            try:
                looking.take(topic, Place(record.partition, record.key), record.value)
            except ValueError as problem:
                where = f"{record.topic} {record.partition}:{record.offset}"
                raise BadInput(f"{where} cannot be read: {problem}") from problem
    return looking.found


def _counts(topic: str, reading: Reading, record: ConsumerRecord) -> bool:
    return reading.counts(record) if topic in CHANGELOGS.values() else True


def _keep(among: set[Any], what: str | Place, *, there: bool) -> None:
    if there:
        among.add(what)
    else:
        among.discard(what)


def _holds(value: bytes, needles: Iterable[bytes]) -> bool:
    return any(needle in value for needle in needles)


def _named(side: object) -> str | None:
    if not isinstance(side, dict) or not isinstance(side.get("type"), str) or not isinstance(side.get("value"), str):
        return None
    return str(normalise(side["type"], side["value"]))
