"""What erasing a customer leaves on topics that are kept for a time: what it is, and until when at the latest."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from agents.connection import client_options
from agents.forget_traces import TOPICS as COMPACTED
from agents.settings import Settings
from schemas.times import DAY, format_time
from topics.table import TOPICS, Topic, physical

SEGMENT_MS = 7 * DAY
"""How long a broker goes on writing to one segment, where it does not say: Kafka's own default."""
HOLDS: Mapping[str, str] = {
    "interactions": "the events, whole",
    "escalations.commands": "who decided what, and the reasons given",
    "identity-inbox": "events and identities on their way between partitions",
    "customer-inbox": "events, identities and histories on their way between partitions",
    "aggregate-inbox": "ids of customers, events and escalations on their way between partitions",
    "escalations": "masked identities, excerpts, threads, summaries",
    "notifications": "escalation ids and a summary of the group",
    "identities.conflicts": "identities that were refused, in clear",
    "interactions.dead": "records that were refused, whole",
}
"""What a topic with a retention holds of a customer; `interactions` stands for one topic per channel."""
NOT_PERSONAL = frozenset({"watermarks", "channel-gaps"})
"""Topics with a retention that hold nothing of anybody."""


class Remains(NamedTuple):
    """`until`: ms, None for ever. `topic` is a logical name, or `interactions.*`."""

    topic: str
    holds: str
    until: int | None


class Kept(NamedTuple):
    """What the broker says of a topic, in ms: None where it does not say."""

    retention: int | None = None
    segment: int | None = None
    compaction_lag: int | None = None


async def kept(settings: Settings) -> dict[str, Kept]:
    """How long the broker keeps each topic, by logical name. Raises KafkaError and OSError."""
    admin = AIOKafkaAdminClient(**client_options(settings))
    names = {physical(settings.topic_prefix, name): name for name in TOPICS}
    try:
        await admin.start()
        resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
        found = {
            names[resource[3]]: {entry[0]: entry[1] for entry in resource[4]}
            for response in await admin.describe_configs(resources)
            for resource in response.resources
            if resource[3] in names
        }
    finally:
        await admin.close()
    return {name: _kept(configs) for name, configs in found.items()}


def remains(known: Mapping[str, Kept], now: int) -> Iterator[Remains]:
    """What was written up to `now` (ms) and goes by itself, one line for all channels.

    A broker deletes whole segments, once the newest record in one is old enough.
    """
    seen: set[str] = set()
    for topic in TOPICS.values():
        if topic.cleanup == "compact" or topic.name in NOT_PERSONAL:
            continue
        name, holds = _described(topic)
        if name not in seen:
            seen.add(name)
            yield Remains(name, holds, _until(topic, known.get(topic.name, Kept()), now))


def compaction(known: Mapping[str, Kept]) -> str:
    """When older records of keys that were erased leave the broker's disks, in one sentence."""
    lags = [known.get(name, Kept()).compaction_lag for name in COMPACTED]
    bounded = [lag for lag in lags if lag is not None and lag < 100 * 365 * DAY]
    if len(bounded) == len(lags):
        return f"older records of erased keys are compacted away within about {_days(max(bounded))}"
    return (
        "older records of erased keys stay on the broker's disks until it compacts them, which has no limit unless "
        "max.compaction.lag.ms is set on the compacted topics: see docs/privacy.md"
    )


def lines(some: Iterator[Remains]) -> Iterator[str]:
    """For people."""
    for each in some:
        until = "for ever" if each.until is None else format_time(each.until)[:10]
        yield f"  {each.topic:<22}{until:<12}{each.holds}"


def _described(topic: Topic) -> tuple[str, str]:
    first = topic.name.partition(".")[0]
    if topic.name not in HOLDS and first in HOLDS:
        return f"{first}.*", HOLDS[first]
    return topic.name, HOLDS.get(topic.name, "not described: see topics/table.py")


def _until(topic: Topic, known: Kept, now: int) -> int | None:
    retention = known.retention if known.retention is not None else topic.retention_ms
    if retention is None or retention < 0:
        return None
    segment = known.segment if known.segment is not None else SEGMENT_MS
    return now + retention + segment


def _kept(configs: Mapping[str, str]) -> Kept:
    names = ("retention.ms", "segment.ms", "max.compaction.lag.ms")
    return Kept(*(int(text) if (text := str(configs.get(name, ""))).lstrip("-").isdigit() else None for name in names))


def _days(duration: int) -> str:
    return f"{max(1, -(-duration // DAY))} days"
