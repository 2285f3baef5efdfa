"""The embedded broker, and creating and checking topics on it."""

import asyncio
import os
import socket
import subprocess
import sys
from types import SimpleNamespace

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import TopicAuthorizationFailedError

from agents.brokers import BrokerError, embedded_broker
from agents.settings import Settings, settings_from
from agents.topic_admin import TopicError, check_topics, create_topics
from schemas.times import DAY
from topics.table import SEGMENT_BYTES, STATE_COMPACTED_AFTER, TOPICS, physical


def test_broker_ends_with_its_block():
    """The broker answers inside the block, on loopback only, and is gone after it."""
    with embedded_broker({}) as address:
        host, port = address.split(":")
        assert host == "127.0.0.1"
        socket.create_connection((host, int(port)), timeout=5).close()
    with pytest.raises(OSError):
        socket.create_connection((host, int(port)), timeout=5)


def test_broker_is_not_for_production():
    """It refuses when the environment says production, in any case of letters."""
    with pytest.raises(BrokerError, match="MINDGAP_BROKER"), embedded_broker({"MINDGAP_ENV": "Production"}):
        pass


def test_broker_says_why_it_does_not_start():
    """On a port that is taken it fails with a message, and leaves no process behind."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(BrokerError, match="embedded broker"), embedded_broker({}, port=port):
            pass


async def test_create_then_check(settings):
    """Creating twice is creating once; then the check finds nothing."""
    created = await create_topics(settings)
    assert len(created) == len(TOPICS)
    assert await create_topics(settings) == []
    assert await check_topics(settings) == ([], [])


async def test_check_says_what_to_do(settings):
    """Missing topics and wrong partition counts are told with what to do; asking creates nothing."""
    problems, _ = await check_topics(settings)
    assert len(problems) == len(TOPICS)
    assert all("mindgap topics create" in problem for problem in problems)
    assert await check_topics(settings) == (problems, [])
    await create_topics(settings)
    wrong = settings.model_copy(update={"partitions": 5})
    problems, _ = await check_topics(wrong)
    assert "has 2 partitions, 5 are expected" in problems[0]
    assert len(problems) == sum(not topic.single for topic in TOPICS.values())


async def test_wrong_cleanup_is_found(settings):
    """A compacted topic that deletes would lose state: the check names it."""
    await make(settings, "changelog.customers", {"cleanup.policy": "delete"})
    await create_topics(settings)
    found = await check_topics(settings)
    assert [problem for problem in found.problems if "cleanup.policy=delete" in problem]


async def make(settings: Settings, topic: str, configs: dict[str, str]) -> None:
    """Create a topic as somebody else would."""
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.broker)
    await admin.start()
    await admin.create_topics([NewTopic(physical(settings.topic_prefix, topic), 2, 1, topic_configs=configs)])
    await admin.close()


SOUND = {
    "cleanup.policy": "compact",
    "message.timestamp.type": "LogAppendTime",
    "max.message.bytes": str(2 * 1024 * 1024),
    "max.compaction.lag.ms": str(7 * DAY),
    "segment.ms": str(DAY),
    "segment.bytes": str(SEGMENT_BYTES),
    "min.compaction.lag.ms": str(STATE_COMPACTED_AFTER),
}
KAFKAS_OWN = {"max.compaction.lag.ms": str(2**63 - 1), "segment.bytes": str(2**30)}


async def test_segments_too_large_to_be_compacted_soon_are_remarked_on(settings):
    """One sentence for the topic, with the command; smaller ones are as good."""
    await make(settings, "changelog.customers", SOUND | KAFKAS_OWN)
    await make(settings, "changelog.identities", SOUND | {"segment.bytes": "1048576"})
    await make(settings, "changelog.aggregates", SOUND | {"min.compaction.lag.ms": "0"})
    await create_topics(settings)
    problems, (remark, too_soon) = await check_topics(settings)
    assert problems == []
    assert too_soon.endswith(f"changelog.aggregates --add-config min.compaction.lag.ms={STATE_COMPACTED_AFTER}")
    name = physical(settings.topic_prefix, "changelog.customers")
    assert remark.startswith(
        f"topic {name} is compacted too late, or too soon, with max.compaction.lag.ms={2**63 - 1}, segment.bytes={2**30}: "
    )
    changes = f"max.compaction.lag.ms={7 * DAY},segment.bytes={SEGMENT_BYTES}"
    assert remark.endswith(f"kafka-configs --alter --topic {name} --add-config {changes}")


async def test_a_configuration_that_may_not_be_seen_is_not_a_wrong_one(settings, monkeypatch):
    """DescribeConfigs that is denied: one remark for all of them, and the rest is checked."""
    await create_topics(settings)
    refused = TopicAuthorizationFailedError.errno

    async def describe(self, resources):
        return [SimpleNamespace(resources=[(refused, "denied", 2, resource.name, []) for resource in resources])]

    monkeypatch.setattr(AIOKafkaAdminClient, "describe_configs", describe)
    problems, (remark,) = await check_topics(settings)
    assert problems == []
    assert f"the configuration of {len(TOPICS)} topics" in remark
    assert "TopicAuthorizationFailedError" in remark
    assert "allow DescribeConfigs" in remark


def test_a_worker_says_so_and_starts(settings, start_worker):
    """What only costs something stops no worker: it is in its log."""
    asyncio.run(make(settings, "changelog.customers", SOUND | KAFKAS_OWN))
    asyncio.run(create_topics(settings))
    (line,) = start_worker().wait_until_ready().events("topic_remark")
    assert "segment.bytes=1073741824" in line["what"]


async def test_no_broker():
    """Where nothing answers, the message names the address and the variable."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{unused.getsockname()[1]}"
        with pytest.raises(TopicError, match=f"{address}.*MINDGAP_BROKER"):
            await check_topics(settings_from({}, broker=address))


def test_commands(settings):
    """`mindgap topics check` fails with 1 until `mindgap topics create` has run; a warning is no failure."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "agents.cli", "topics", *arguments],
            env=os.environ | settings.environment(),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    asyncio.run(make(settings, "changelog.customers", SOUND | KAFKAS_OWN))
    before = run("check")
    assert before.returncode == 1
    assert "is missing" in before.stderr
    assert run("create").returncode == 0
    after = run("check")
    assert (after.returncode, after.stdout) == (0, "workers can start on these topics\n")
    assert after.stderr.startswith("warning: topic ")
    assert run("check", "--partitions", "none").returncode == 2


def test_a_worker_does_not_start_without_its_topics(settings, start_worker):
    """Where topics are missing the worker ends at once and says what to do."""
    worker = start_worker()
    assert worker.process.wait(30) != 0
    assert "run `mindgap topics create`" in worker.log.read_text()
