"""Brokers that are started, killed, paused and started again, and that are gone at the end."""

import os
import socket
import time
from pathlib import Path

import pytest

from agents.brokers import BrokerError, apache_kafka
from agents.brokers.process import answers
from agents.settings import settings_from
from agents.topic_admin import create_topics
from tests.shell.conftest import eventually
from tests.shell.traffic import everything, produce

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(150)]
RECORDS = [(b"k%d" % number, b"v") for number in range(50)]


@pytest.fixture(scope="module")
def cluster():
    """A broker of this module's own, which its tests stop and kill."""
    with apache_kafka() as cluster:
        yield cluster


def ports(cluster) -> set[int]:
    return {int(broker.address.rpartition(":")[2]) for broker in cluster.brokers}


def test_it_is_on_the_loopback_and_ends_with_its_block(tmp_path):
    """It answers inside the block, on 127.0.0.1 alone; after it there is no process, and its log stays where asked."""
    with apache_kafka(folder=tmp_path) as cluster:
        (port,) = ports(cluster)
        pid = cluster.brokers[0].pid
        assert answers(port)
        listening = Path("/proc/net/tcp").read_text() if Path("/proc/net/tcp").exists() else ""
        assert f"00000000:{port:04X}" not in listening
    assert not answers(port)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert list(tmp_path.glob("*/broker.log"))


async def test_what_was_confirmed_is_there_after_kill_9(cluster):
    """A broker that is killed and started again serves at the same address what it had confirmed."""
    settings = settings_from(cluster.environment(), topic_prefix="killed.", partitions=2)
    await create_topics(settings)
    await produce(settings, "escalations", RECORDS)
    (broker,) = cluster.brokers
    before = broker.pid, broker.address
    broker.kill()
    assert not broker.is_running
    broker.start()
    assert broker.pid != before[0]
    assert broker.address == before[1]


def test_and_is_read_by_whoever_comes_then(cluster):
    """The records of the test before, from the broker that was killed."""
    settings = settings_from(cluster.environment(), topic_prefix="killed.", partitions=2)
    assert {record.key for record in everything(settings, "escalations")} == {key for key, _ in RECORDS}


def test_a_clean_stop_is_one(cluster):
    """SIGTERM ends it by itself and in time; it starts again."""
    (broker,) = cluster.brokers
    began = time.monotonic()
    broker.stop()
    assert not broker.is_running
    assert time.monotonic() - began < 20
    broker.start()


def test_a_paused_broker_keeps_its_connections_and_answers_nothing(cluster):
    """After SIGSTOP a connection is accepted by the system and nothing is answered; after SIGCONT all is as before."""
    (broker,) = cluster.brokers
    (port,) = ports(cluster)
    broker.pause()
    try:
        assert broker.is_running
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
        assert not answers(port)
    finally:
        broker.resume()
    eventually(lambda: answers(port), 20, "an answer after SIGCONT")


def test_a_wanted_port_is_used_where_it_is_free():
    """A port that is taken is not waited for: another one is found."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with apache_kafka(ports=(port,)) as cluster:
            assert ports(cluster).isdisjoint({port})


def test_why_it_does_not_start_is_said():
    """A setting that Kafka refuses ends the start at once, with Kafka's own word for it."""
    began = time.monotonic()
    with pytest.raises(BrokerError, match="Not a number"), apache_kafka(properties={"node.id": "none"}):
        pass
    assert time.monotonic() - began < 30
