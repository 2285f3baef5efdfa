"""Create the topics of the table at the broker, and check the ones that exist.

Workers refuse to start on a failed check: Faust itself would ignore a missing topic and notice a wrong number of
partitions at the first table write only.
"""

import asyncio
import time
from collections.abc import Collection, Mapping
from typing import NamedTuple

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from agents.connection import client_options
from agents.settings import Settings
from schemas.times import DAY
from topics.table import COMPACTED_WITHIN, SEGMENT_BYTES, STATE_COMPACTED_AFTER, TOPICS, Topic, physical

TIMEOUT_MS = 30_000
_MUST = ("cleanup.policy", "message.timestamp.type", "max.message.bytes")
"""What, set otherwise, would lose state, tell another arrival than the broker's, or refuse a record."""
_AT_MOST = ("max.compaction.lag.ms", "segment.ms", "segment.bytes")
"""What, set higher, keeps longer what was erased, and has recovery read more."""
_AT_LEAST = ("max.message.bytes", "min.compaction.lag.ms")
_SHOULD = (*_AT_MOST, "min.compaction.lag.ms")
"""The last, set lower, lets what an overslept worker sent late take the place of its successor's."""
LOOK_AGAIN_S = 1.0
"""How long what seems wrong is looked at again: a broker of Apache Kafka learns of a new topic a moment later."""
_POLL_S = 0.05


class Findings(NamedTuple):
    """What was found at the broker, one sentence each that says what to do."""

    problems: list[str]
    """No worker starts on these."""
    remarks: list[str]
    """These cost something, and stop nobody."""


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


async def check_topics(settings: Settings) -> Findings:
    """Compare the topics at the broker with the table. Raises TopicError where the broker cannot be asked."""
    limit = time.monotonic() + LOOK_AGAIN_S
    async with _Admin(settings) as admin:
        while True:
            found = await _look(admin, settings)
            if not found.problems or time.monotonic() > limit:
                return found
            await asyncio.sleep(_POLL_S)


async def _look(admin: AIOKafkaAdminClient, settings: Settings) -> Findings:
    names = {physical(settings.topic_prefix, topic.name): topic for topic in TOPICS.values()}
    counts = await _partition_counts(admin)
    configs, untold = await _configs(admin, [name for name in names if name in counts])
    problems, remarks = [], _untold(untold)
    for name, topic in names.items():
        if name not in counts:
            problems.append(f"topic {name} is missing: run `mindgap topics create`")
            continue
        expected, is_so = _configs_of(topic, settings), configs.get(name, {})
        problems += _check_partitions(name, counts[name], topic.partitions(settings.partitions))
        problems += _check_config(name, expected, is_so)
        remarks += _check_compaction(name, expected, is_so)
    return Findings(problems, remarks)


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
    """What is not told is right."""
    wrong = [c for c in _MUST if c in found and not _is_as_good(c, found[c], expected[c])]
    return [
        f"topic {name} has {c}={found[c]}, {expected[c]} is expected: {_alter(name, {c: expected[c]})}" for c in wrong
    ]


def _check_compaction(name: str, expected: Mapping[str, str], found: Mapping[str, str]) -> list[str]:
    other = {
        c: expected[c] for c in _SHOULD if c in expected and c in found and not _is_as_good(c, found[c], expected[c])
    }
    if not other:
        return []
    has = ", ".join(f"{config}={found[config]}" for config in other)
    return [f"topic {name} is compacted too late, or too soon, with {has}: {_alter(name, other)}"]


def _alter(name: str, configs: Mapping[str, str]) -> str:
    """The command that mends it; who is to have it knows the broker's address and how to be let in."""
    return f"kafka-configs --alter --topic {name} --add-config {','.join(f'{c}={v}' for c, v in configs.items())}"


def _untold(untold: Mapping[str, int]) -> list[str]:
    """Of topics whose configuration the broker does not tell, by topic the error's code."""
    names = {code: sorted(name for name in untold if untold[name] == code) for code in sorted({*untold.values()})}
    return [
        (
            f"the configuration of {len(of)} topics, {of[0]} for one, is not told and not checked "
            f"({for_code(code).__name__}): allow DescribeConfigs on them, or check as somebody who may"
        )
        for code, of in names.items()
    ]


def _is_as_good(config: str, found: str, expected: str) -> bool:
    if config == "cleanup.policy":
        return set(found.split(",")) == {expected}
    if config in _AT_LEAST:
        return not found.isdigit() or int(found) >= int(expected)
    if config in _AT_MOST:
        return not found.isdigit() or int(found) <= int(expected)
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
    if topic.role == "changelog":
        configs["min.compaction.lag.ms"] = str(STATE_COMPACTED_AFTER)
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


async def _configs(admin: AIOKafkaAdminClient, names: list[str]) -> tuple[dict[str, dict[str, str]], dict[str, int]]:
    """By topic what is configured, and the error's code where the broker does not tell."""
    if not names:
        return {}, {}
    responses = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name) for name in names])
    resources = [resource for response in responses for resource in response.resources]
    told = {name: {entry[0]: entry[1] for entry in entries} for code, _, _, name, entries in resources if code == 0}
    return told, {name: code for code, _, _, name, _ in resources if code != 0}


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
