"""The embedded broker, and creating and checking topics on it."""

import os
import socket
import subprocess
import sys

import pytest

from agents.brokers import BrokerError, embedded_broker
from agents.settings import settings_from
from agents.topic_admin import TopicError, check_topics, create_topics
from topics.table import TOPICS


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
    assert await check_topics(settings) == []


async def test_check_says_what_to_do(settings):
    """Missing topics and wrong partition counts are told with what to do; asking creates nothing."""
    problems = await check_topics(settings)
    assert len(problems) == len(TOPICS)
    assert all("mindgap topics create" in problem for problem in problems)
    assert await check_topics(settings) == problems
    await create_topics(settings)
    wrong = settings.model_copy(update={"partitions": 5})
    problems = await check_topics(wrong)
    assert "has 2 partitions, 5 are expected" in problems[0]
    assert len(problems) == sum(not topic.single for topic in TOPICS.values())


async def test_wrong_cleanup_is_found(settings):
    """A compacted topic that deletes would lose state: the check names it."""
    from aiokafka.admin import AIOKafkaAdminClient, NewTopic

    admin = AIOKafkaAdminClient(bootstrap_servers=settings.broker)
    await admin.start()
    name = f"{settings.topic_prefix}changelog.customers"
    await admin.create_topics([NewTopic(name, 2, 1, topic_configs={"cleanup.policy": "delete"})])
    await admin.close()
    await create_topics(settings)
    assert [problem for problem in await check_topics(settings) if "cleanup.policy=delete" in problem]


async def test_no_broker():
    """Where nothing answers, the message names the address and the variable."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{unused.getsockname()[1]}"
        with pytest.raises(TopicError, match=f"{address}.*MINDGAP_BROKER"):
            await check_topics(settings_from({}, broker=address))


def test_commands(settings):
    """`mindgap topics check` fails with 1 until `mindgap topics create` has run."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "agents.cli", "topics", *arguments],
            env=os.environ | settings.environment(),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    before = run("check")
    assert before.returncode == 1
    assert "is missing" in before.stderr
    assert run("create").returncode == 0
    assert run("check").returncode == 0
    assert run("check", "--partitions", "none").returncode == 2


def test_a_worker_does_not_start_without_its_topics(settings, start_worker):
    """Where topics are missing the worker ends at once and says what to do."""
    worker = start_worker()
    assert worker.process.wait(30) != 0
    assert "run `mindgap topics create`" in worker.log.read_text()
