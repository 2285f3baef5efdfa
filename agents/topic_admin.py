"""Create the topics of the table at the broker, and check the ones that exist.

Workers refuse to start on a failed check: Faust itself would ignore a missing topic and notice a wrong number of
partitions at the first table write only.
"""

import asyncio
import time
from collections.abc import Collection, Mapping

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from agents.connection import client_options
from agents.settings import Settings
from schemas.times import DAY
from topics.table import COMPACTED_WITHIN, SEGMENT_BYTES, TOPICS, Topic, physical

TIMEOUT_MS = 30_000
LOOK_AGAIN_S = 1.0
"""How long what seems wrong is looked at again: a broker of Apache Kafka learns of a new topic a moment later."""
_POLL_S = 0.05


class TopicError(RuntimeError):
    """The broker could not be reached, or refused; the message says which topic and why."""


async def create_topics(settings: Settings) -> list[str]:
    """Create every topic that is missing; gives their names, empty where all were there. Raises TopicError.

    The broker that was asked knows them when this returns; another one of its cluster may take a moment longer.
    """
    async with _Admin(settings) as admin:
        there = await _partition_counts(admin)
        missing = [topic for topic in TOPICS.values() if physical(settings.topic_prefix, topic.name) not in there]
        if not missing:
            return []
        response = await admin.create_topics([_new(topic, settings) for topic in missing], timeout_ms=TIMEOUT_MS)
        created = []
        for name, code, message in (error[:3] for error in response.topic_errors):
            if code == 0:
                created.append(name)
            elif code != TopicAlreadyExistsError.errno:  # another process was faster: as good
                msg = f"topic {name} was not created: {message or for_code(code).__name__}"
                raise TopicError(msg)
        await _known(admin, created)
        return created


async def check_topics(settings: Settings) -> list[str]:
    """What is wrong with the topics at the broker, one sentence each that says what to do; empty where all is well.

    Raises TopicError where the broker cannot be asked.
    """
    limit = time.monotonic() + LOOK_AGAIN_S
    async with _Admin(settings) as admin:
        while True:
            problems = await _problems(admin, settings)
            if not problems or time.monotonic() > limit:
                return problems
            await asyncio.sleep(_POLL_S)


async def _problems(admin: AIOKafkaAdminClient, settings: Settings) -> list[str]:
    names = {physical(settings.topic_prefix, topic.name): topic for topic in TOPICS.values()}
    counts = await _partition_counts(admin)
    configs = await _configs(admin, [name for name in names if name in counts])
    problems = []
    for name, topic in names.items():
        if name not in counts:
            problems.append(f"topic {name} is missing: run `mindgap topics create`")
            continue
        problems += _check_partitions(name, counts[name], topic.partitions(settings.partitions))
        problems += _check_config(name, _configs_of(topic, settings), configs[name])
    return problems


def _check_partitions(name: str, found: int, expected: int) -> list[str]:
    if found == expected:
        return []
    return [
        (
            f"topic {name} has {found} partitions, {expected} are expected: set MINDGAP_PARTITIONS to what the topics "
            f"were created with; partitions of a topic with data cannot be changed in place, because keys would move"
        )
    ]


def _check_config(name: str, expected: Mapping[str, str], found: Mapping[str, str]) -> list[str]:
    """What would lose state, refuse a record, or tell another arrival than the broker's; what is not told is right."""
    wrong = [
        config
        for config in ("cleanup.policy", "message.timestamp.type", "max.message.bytes")
        if config in found and not _is_as_good(config, found[config], expected[config])
    ]
    return [
        (
            f"topic {name} has {config}={found[config]}, {expected[config]} is expected: "
            f"kafka-configs --alter --topic {name} --add-config {config}={expected[config]}"
        )
        for config in wrong
    ]


def _is_as_good(config: str, found: str, expected: str) -> bool:
    if config == "cleanup.policy":
        return set(found.split(",")) == {expected}
    if config == "max.message.bytes":
        return not found.isdigit() or int(found) >= int(expected)
    return found == expected


def _new(topic: Topic, settings: Settings) -> NewTopic:
    return NewTopic(
        physical(settings.topic_prefix, topic.name),
        topic.partitions(settings.partitions),
        settings.replication,
        topic_configs=_configs_of(topic, settings),
    )


def _configs_of(topic: Topic, settings: Settings) -> dict[str, str]:
    configs = {
        "cleanup.policy": topic.cleanup,
        "max.message.bytes": str(topic.bytes_max),
        "message.timestamp.type": "LogAppendTime",
    }
    if topic.retention_ms is not None:
        configs["retention.ms"] = str(topic.retention_ms)
    else:  # else a partition that is hardly written to keeps for ever what was erased
        lag = {"max.compaction.lag.ms": str(COMPACTED_WITHIN), "segment.ms": str(DAY)}
        configs |= lag | {"segment.bytes": str(SEGMENT_BYTES)}
    if settings.replication >= 3:
        configs["min.insync.replicas"] = "2"
    return configs


async def _known(admin: AIOKafkaAdminClient, created: Collection[str]) -> None:
    """Return when the broker knows what was created."""
    limit = time.monotonic() + TIMEOUT_MS / 1000
    while unknown := set(created) - (await _partition_counts(admin)).keys():
        if time.monotonic() > limit:
            raise TopicError(f"topic {min(unknown)} was created, and is not there after {TIMEOUT_MS // 1000} s")
        await asyncio.sleep(_POLL_S)


async def _partition_counts(admin: AIOKafkaAdminClient) -> dict[str, int]:
    """How many partitions each topic has; of all topics, because asking for one that is missing may create it."""
    return {d["topic"]: len(d["partitions"]) for d in await admin.describe_topics() if d["error_code"] == 0}


async def _configs(admin: AIOKafkaAdminClient, names: list[str]) -> dict[str, dict[str, str]]:
    if not names:
        return {}
    responses = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name) for name in names])
    return {
        resource[3]: {entry[0]: entry[1] for entry in resource[4]}
        for response in responses
        for resource in response.resources
    }


class _Admin:
    """An admin client that is closed again, its errors told as `TopicError`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._client = AIOKafkaAdminClient(request_timeout_ms=TIMEOUT_MS, **client_options(settings))

    async def __aenter__(self) -> AIOKafkaAdminClient:
        try:
            await self._client.start()
        except (KafkaError, OSError) as problem:
            await self._client.close()
            msg = f"no broker answers at {self._settings.broker} ({type(problem).__name__}): check MINDGAP_BROKER"
            raise TopicError(msg) from problem
        return self._client

    async def __aexit__(self, kind: type[BaseException] | None, problem: BaseException | None, _: object) -> None:
        await self._client.close()
        if isinstance(problem, KafkaError):
            msg = f"the broker at {self._settings.broker} refused: {problem}"
            raise TopicError(msg) from problem
