"""Three brokers, three copies: what a worker does while brokers go and come back."""

import asyncio
import time
from collections.abc import Iterator

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from agents.connection import client_options
from agents.settings import Settings
from agents.topic_admin import check_topics, create_topics
from tests.kafka.conftest import settings_on
from tests.shell.conftest import eventually
from tests.shell.traffic import assert_exact, event, outputs, state
from topics.partitioner import partition_of
from topics.table import physical

pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.timeout(300)]
CUSTOMERS = 60
ATTEMPT_MS = 8_000
SEND_TIMEOUT_S = 90
STALL_TIMEOUT_S = 90
"""A client that waits for the answer of a broker that stalls does not look elsewhere before its own time is over."""


@pytest.fixture
def settings(kafka_cluster) -> Iterator[Settings]:
    """Settings on the cluster, with topics; whatever a test did to the brokers, all of them run afterwards."""
    found = settings_on(kafka_cluster)
    asyncio.run(create_topics(found))
    yield found
    for broker in kafka_cluster.brokers:
        if not broker.is_running:
            broker.start()


async def deliver(settings: Settings, topic: str, numbers: range) -> None:
    """Send the events until each is confirmed, as a source system that goes on trying; one may then stand there twice."""
    name = physical(settings.topic_prefix, topic)
    left = set(numbers)
    limit = time.monotonic() + SEND_TIMEOUT_S
    while left:
        assert time.monotonic() < limit, f"{len(left)} events were not taken in {SEND_TIMEOUT_S} s"
        producer = AIOKafkaProducer(acks="all", request_timeout_ms=ATTEMPT_MS, **client_options(settings))
        try:
            await producer.start()
            sent = {}
            for number in sorted(left):
                key, value = event(number, CUSTOMERS)
                partition = partition_of(key, settings.partitions)
                sent[number] = await producer.send(name, value, key=key, partition=partition)
            await asyncio.wait(sent.values())
            left -= {number for number, future in sent.items() if future.exception() is None}
        except KafkaError:
            await asyncio.sleep(0.2)
        finally:
            await producer.stop()


def send(settings: Settings, topic: str, numbers: range) -> None:
    """`deliver`, for tests that are no coroutines."""
    asyncio.run(deliver(settings, topic, numbers))


def counted(settings: Settings) -> int:
    return sum(len(ids) for ids in state(settings).values())


def settled(settings: Settings, number: int, timeout_s: float = 60) -> None:
    eventually(lambda: counted(settings) == number, timeout_s, f"{number} events counted")
    eventually(lambda: len(outputs(settings)) == number, timeout_s, "all outputs sent")
    assert_exact(settings, range(number), CUSTOMERS)


async def test_topics_have_three_copies(settings, kafka_cluster):
    """Every topic is on three brokers, and a write needs two of them; every broker says so."""
    assert settings.replication == 3
    for broker in kafka_cluster.brokers:
        assert await check_topics(settings.model_copy(update={"broker": broker.address})) == ([], [])


@pytest.mark.parametrize("victim", [0, 1, 2])
def test_a_broker_that_is_killed_loses_nothing(settings, kafka_cluster, start_worker, victim):
    """Kill -9 of each broker in turn under load, one of them the group's coordinator: every event counts once."""
    worker = start_worker().wait_until_ready()
    send(settings, "interactions.email", range(500))
    kafka_cluster.brokers[victim].kill()
    send(settings, "interactions.email", range(500, 1000))
    settled(settings, 1000)
    kafka_cluster.brokers[victim].start()
    send(settings, "interactions.chat", range(1000, 1200))
    settled(settings, 1200)
    assert worker.process.poll() is None, "the worker outlives the broker"
    assert worker.terminate() == 0


def test_brokers_restarted_one_after_the_other(settings, kafka_cluster, start_worker):
    """A rolling restart of all three while events come in: every event counts once."""
    worker = start_worker().wait_until_ready()
    done = 0
    for broker in kafka_cluster.brokers:
        send(settings, "interactions.email", range(done, done + 300))
        done += 300
        broker.stop()
        broker.start()
    settled(settings, done)
    assert worker.terminate() == 0


def test_a_broker_that_stalls_is_waited_for_or_left(settings, kafka_cluster, start_worker):
    """SIGSTOP of a broker for longer than its session: the others take over, and when it wakes nothing is twice."""
    worker = start_worker().wait_until_ready()
    send(settings, "interactions.email", range(300))
    broker, *others = kafka_cluster.brokers
    awake = settings.model_copy(update={"broker": ",".join(other.address for other in others)})
    broker.pause()
    try:
        send(awake, "interactions.email", range(300, 600))
        settled(awake, 600, timeout_s=STALL_TIMEOUT_S)
    finally:
        broker.resume()
    send(settings, "interactions.chat", range(600, 700))
    settled(settings, 700)
    assert worker.terminate() == 0
