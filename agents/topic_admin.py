"""Create the topics of the table at the broker, and check the ones that exist.

Workers refuse to start on a failed check: Faust itself would ignore a missing topic and notice a wrong number of
partitions at the first table write only.
"""

from collections.abc import Mapping

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from agents.connection import client_options
from agents.settings import Settings
from topics.table import TOPICS, Topic, physical

TIMEOUT_MS = 30_000


class TopicError(RuntimeError):
    """The broker could not be reached, or refused; the message says which topic and why."""


async def create_topics(settings: Settings) -> list[str]:
    """Create every topic that is missing; gives their names, empty where all were there. Raises TopicError."""
    async with _Admin(settings) as admin:
        there = set(await admin.list_topics())
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
        return created


async def check_topics(settings: Settings) -> list[str]:
    """What is wrong with the topics at the broker, one sentence each that says what to do; empty where all is well.

    Raises TopicError where the broker cannot be asked.
    """
    async with _Admin(settings) as admin:
        there = set(await admin.list_topics())
        names = {physical(settings.topic_prefix, topic.name): topic for topic in TOPICS.values()}
        found = [name for name in names if name in there]  # asking for a missing one may create it
        counts = {d["topic"]: len(d["partitions"]) for d in await admin.describe_topics(found)} if found else {}
        configs = await _configs(admin, found)
        problems = []
        for name, topic in names.items():
            if name not in counts:
                problems.append(f"topic {name} is missing: run `mindgap topics create`")
                continue
            problems += _check_partitions(name, counts[name], topic.partitions(settings.partitions))
            problems += _check_config(name, topic, configs.get(name, {}))
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


def _check_config(name: str, topic: Topic, found: Mapping[str, str]) -> list[str]:
    policy = found.get("cleanup.policy")
    if policy is not None and set(policy.split(",")) != {topic.cleanup}:
        return [
            (
                f"topic {name} has cleanup.policy={policy}, {topic.cleanup} is expected: "
                f"kafka-configs --alter --topic {name} --add-config cleanup.policy={topic.cleanup}"
            )
        ]
    return []


def _new(topic: Topic, settings: Settings) -> NewTopic:
    configs = {
        "cleanup.policy": topic.cleanup,
        "max.message.bytes": str(topic.bytes_max),
        "message.timestamp.type": "LogAppendTime",
    }
    if topic.retention_ms is not None:
        configs["retention.ms"] = str(topic.retention_ms)
    if settings.replication >= 3:
        configs["min.insync.replicas"] = "2"
    return NewTopic(
        physical(settings.topic_prefix, topic.name),
        topic.partitions(settings.partitions),
        settings.replication,
        topic_configs=configs,
    )


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
