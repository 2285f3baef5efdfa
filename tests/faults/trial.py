"""One trial: a known input through workers to which something happens, and what must be so afterwards.

The oracle is `mindgap replay` of what stands in the input topics. Equal is what the contract says (section 11); beside
it, over every record of `escalations`: revisions have no gaps, and one (escalation_id, revision) is always the same
bytes. While nobody works, every input below the committed offsets is in the state or on its way there.
"""

import asyncio
import random
import shutil
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from agents.brokers import Cluster
from agents.clock import WallClock
from agents.commands.compare import told
from agents.connection import client_options
from agents.demo.source import Outgoing
from agents.policy_input import load_policy_or_fail
from agents.produce import Record, produce
from agents.read_all import read_all
from agents.settings import Settings
from agents.topic_admin import create_topics
from agents.verify.live import Backlog
from agents.verify.run import compare_live, replay_input, write_input
from agents.worker.terms import Reading
from schemas.codec import loads
from streams.compare import Terms
from streams.policy import compile_policy
from tests.faults.proxy import Proxy
from tests.faults.workers import Pool
from topics.table import CHANGELOGS, COMMANDS, DEAD, ESCALATIONS, INBOXES, INTERACTIONS, LINKS, logical, physical

SEND_TIMEOUT_S = 90.0
SETTLE_TIMEOUT_S = 60.0
WAIT_S = 60.0
INPUTS = (*INTERACTIONS, LINKS, COMMANDS)


class FaultError(AssertionError):
    """What must be so is not."""


@dataclass(slots=True)
class Trial:
    """`records` is the input, fed bit by bit; `chance` decides when what happens."""

    settings: Settings
    policy: Path
    folder: Path
    records: Sequence[Outgoing]
    chance: random.Random
    pool: Pool
    cluster: Cluster
    proxy: Proxy | None = None
    seen: list[str] = field(default_factory=list)
    """What happened, for people."""
    fed: int = 0
    dead: int = 0
    """How many records there must be that were set aside."""
    ahead: int = 0
    """How far (ms) the workers' clocks are ahead of ours, in the end."""
    kept: list[ConsumerRecord] = field(default_factory=list)
    """Input that stands in no topic any more."""

    def say(self, text: str) -> None:
        """Note what happened."""
        self.seen.append(text)

    async def feed(self, count: int) -> None:
        """Send so many more records, until each is confirmed; one may then stand there twice."""
        records = [Record(r.topic, r.key, r.value) for r in self.records[self.fed : self.fed + count]]
        self.fed += len(records)
        await self.deliver(records)

    async def deliver(self, records: Sequence[Record], settings: Settings | None = None) -> None:
        """Send these, as a source system that goes on trying."""
        limit = time.monotonic() + SEND_TIMEOUT_S
        while True:
            try:
                await produce(settings or self.settings, records)
            except (KafkaError, OSError, TimeoutError) as problem:
                if time.monotonic() > limit:
                    raise FaultError(f"the input was not taken in {SEND_TIMEOUT_S:.0f} s") from problem
                await asyncio.sleep(0.5)
            else:
                return

    async def moment(self, most_s: float = 1.5) -> None:
        """Let a moment pass, of a length that nobody knows."""
        await asyncio.sleep(self.chance.uniform(0, most_s))

    async def until(self, check: Callable[[], object], what: str, limit_s: float = WAIT_S) -> None:
        """Wait for `check()`, and not for ever."""
        limit = time.monotonic() + limit_s
        while not check():
            if time.monotonic() > limit:
                raise FaultError(f"not within {limit_s:.0f} s: {what}; see {self.folder}")
            await asyncio.sleep(0.05)

    async def settle(self) -> None:
        """Wait until all workers are ready and everything is worked off. Broker faults are waited out."""
        limit = time.monotonic() + SETTLE_TIMEOUT_S
        await self.pool.ready()
        while True:
            try:
                async with Backlog(self.settings) as backlog:
                    await backlog.drained(self.pool)
            except (KafkaError, OSError, TimeoutError) as problem:
                if time.monotonic() > limit:
                    raise FaultError(f"the broker does not tell how far the workers are: {problem!r}") from problem
                await asyncio.sleep(1)
            else:
                return

    async def agree(self) -> None:
        """Feed the rest, settle, and compare with replay; facts as of the workers' time."""
        if self.fed < len(self.records):
            await self.feed(len(self.records) - self.fed)
        await self.settle()
        at = WallClock().now() + self.ahead
        records, arrived = await recorded(self.settings, self.records, self.kept)
        write_input(self.folder, records, arrived)
        replay_input(self.folder, self.policy, at)
        await self._compare(at)
        await check_revisions(self.settings)
        letters = [loads(record.value) async for record in read_all(self.settings, DEAD)]
        dead = len({(letter["topic"], letter["partition"], letter["offset"]) for letter in letters})
        if dead != self.dead:
            reasons = Counter(letter["reason"] for letter in letters)
            raise FaultError(f"{dead} records set aside, {self.dead} must be: {reasons}; see {self.folder}")
        if crashed := self.pool.said("lane_crashed"):
            raise FaultError(f"a lane has crashed {crashed} times; see {self.folder}")

    async def _compare(self, at: int) -> None:
        document = load_policy_or_fail(str(self.policy))
        comparison = await compare_live(self.settings, document, Terms(compile_policy(document), at), self.folder)
        if not comparison.agree:
            raise FaultError("\n".join([*self.seen, *told(comparison), f"files: {self.folder}"]))

    async def check_committed(self) -> None:
        """Nobody works now: all that is committed is in the state, or in an inbox and not committed there."""
        committed = await _committed(self.settings)
        sent = {record.value for record in self.records}
        ids = [
            loads(record.value)["id"].encode()
            for topic in INTERACTIONS
            async for record in read_all(self.settings, topic)
            if record.offset < committed.get((topic, record.partition), 0) and record.value in sent
        ]
        known = b"\n".join([*await _state(self.settings), *await _on_the_way(self.settings, committed)])
        lost = [id_ for id_ in ids if id_ not in known]
        if lost:
            raise FaultError(f"committed and nowhere: {len(lost)} of {len(ids)} records; see {self.folder}")


async def recorded(
    settings: Settings, sent: Sequence[Outgoing], kept: Sequence[ConsumerRecord] = ()
) -> tuple[list[Outgoing], list[int]]:
    """What is `kept` or stands in the input topics, by when each arrived (ms); at one instant as it was sent."""
    order = {record.value: number for number, record in enumerate(sent)}
    standing = [record for topic in INPUTS async for record in read_all(settings, topic)]
    found = [
        (
            record.timestamp,
            order.get(record.value, -1),
            Outgoing(logical(settings.topic_prefix, record.topic), record.key or b"", record.value, 0),
        )
        for record in [*kept, *standing]
        if record.value is not None
    ]
    found.sort(key=lambda entry: entry[:2])
    return [record for _, _, record in found], [at for at, _, _ in found]


async def check_revisions(settings: Settings) -> None:
    """Over all records of `escalations`: raise FaultError for a gap, and for two texts of one revision."""
    texts: defaultdict[str, dict[int, bytes]] = defaultdict(dict)
    async for record in read_all(settings, ESCALATIONS):
        said = loads(record.value)
        id_, number = said["escalation_id"], said["revision"]
        if texts[id_].setdefault(number, record.value) != record.value:
            raise FaultError(f"{id_} revision {number} was said in two ways")
    for id_, revisions in texts.items():
        if sorted(revisions) != list(range(1, len(revisions) + 1)):
            raise FaultError(f"{id_} has the revisions {sorted(revisions)}")


async def _committed(settings: Settings) -> dict[tuple[str, int], int]:
    """The group's offsets, by logical topic and partition."""
    admin = AIOKafkaAdminClient(**client_options(settings))
    await admin.start()
    try:
        found = await admin.list_consumer_group_offsets(settings.app_id)
    finally:
        await admin.close()
    names = {physical(settings.topic_prefix, topic): topic for topic in (*INPUTS, *INBOXES)}
    return {(names[tp.topic], tp.partition): known.offset for tp, known in found.items() if tp.topic in names}


async def _state(settings: Settings) -> list[bytes]:
    values: dict[tuple[str, int, bytes], bytes] = {}
    for topic in CHANGELOGS.values():
        readings: defaultdict[TopicPartition, Reading] = defaultdict(Reading)
        async for record in read_all(settings, topic):
            if readings[TopicPartition(topic, record.partition)].counts(record):
                values[topic, record.partition, record.key] = record.value or b""
    return list(values.values())


async def _on_the_way(settings: Settings, committed: dict[tuple[str, int], int]) -> list[bytes]:
    return [
        record.value
        for topic in INBOXES
        async for record in read_all(settings, topic)
        if record.value is not None and record.offset >= committed.get((topic, record.partition), 0)
    ]


@contextmanager
def trial(
    cluster: Cluster, settings: Settings, policy: Path, folder: Path, records: Sequence[Outgoing], chance: random.Random
) -> Iterator[Trial]:
    """A trial with its topics and no worker yet; those that it starts are ended, and its files removed if all is well."""
    folder.mkdir(parents=True, exist_ok=True)
    asyncio.run(create_topics(settings))
    replication = {"MINDGAP_REPLICATION": str(settings.replication)}
    environment = settings.environment() | replication | {"MINDGAP_POLICY": str(policy)}
    pool = Pool(environment, folder)
    try:
        yield Trial(settings, policy, folder, records, chance, pool, cluster)
    finally:
        pool.stop()
    shutil.rmtree(folder, ignore_errors=True)
