"""What happens to records, to topics and to time."""

import asyncio

from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from agents.connection import client_options
from agents.read_all import read_all
from agents.topic_admin import _configs_of, create_topics
from schemas.times import HOUR
from tests.faults.on_workers import SHARE, Fault
from tests.faults.trial import Trial
from topics.table import TOPICS, physical

EMAIL = "interactions.email"
LARGE = 10 * 1024 * 1024
POISON: tuple[tuple[bytes | None, bytes | None], ...] = (
    (b"email:a@example.com", b"\x00\xff not json"),
    (b"email:a@example.com", b"[" * 200_000),
    (b"email:a@example.com", b'{"id": 1e999}'),
    (b"email:a@example.com", b'"\\ud800"'),
    (None, b"{}"),
    (b"email:a@example.com", None),
    (b"\xff\xfe", b"null"),
)
"""Keys and values that no producer should send."""


async def poison(trial: Trial, times: int) -> None:
    """Records that are no events, a 10 MB one, null keys and null values among the others: all are dead letters."""
    await _allow(trial, EMAIL, LARGE * 2)
    trial.pool.start()
    await trial.pool.ready()
    for number in range(times):
        await trial.feed(SHARE // 2)
        await _put(trial, [*POISON, (b"email:a@example.com", b'{"text": "' + b"x" * LARGE + b'"}')])
        trial.dead += len(POISON) + 1
        await trial.feed(SHARE // 2)
        if number % 2:
            trial.pool.kill_all()  # what was set aside is not set aside twice without need, and never lost
            trial.pool.start()


async def clock_steps(trial: Trial, times: int) -> None:
    """The workers' clock leaps forwards and backwards by up to an hour, in the end as far ahead as it ever was."""
    path = trial.folder / "clock"
    path.write_text("0")
    trial.pool.start(CLOCK_FILE=str(path))
    trial.pool.start(CLOCK_FILE=str(path))
    await trial.pool.ready()
    for _ in range(times):
        await trial.feed(SHARE)
        ahead = trial.chance.randint(-HOUR, HOUR)
        path.write_text(str(ahead))
        trial.ahead = max(trial.ahead, ahead)
        await trial.moment(3)
    path.write_text(str(trial.ahead))


async def topic_made_anew(trial: Trial, times: int) -> None:
    """An input topic is deleted under the workers and made anew; what is sent from then on counts, from offset 0 on."""
    trial.pool.start()
    trial.pool.start()
    await trial.pool.ready()
    name = physical(trial.settings.topic_prefix, EMAIL)
    for _ in range(times):
        await trial.feed(SHARE)
        await trial.settle()
        trial.kept += [record async for record in read_all(trial.settings, EMAIL)]
        admin = AIOKafkaAdminClient(**client_options(trial.settings))
        await admin.start()
        try:
            await admin.delete_topics([name])
            await asyncio.sleep(1)
        finally:
            await admin.close()
        await create_topics(trial.settings)
        await trial.feed(SHARE)


async def _put(trial: Trial, records: list[tuple[bytes | None, bytes | None]]) -> None:
    producer = AIOKafkaProducer(max_request_size=LARGE * 2, **client_options(trial.settings))
    await producer.start()
    try:
        for key, value in records:
            await producer.send_and_wait(physical(trial.settings.topic_prefix, EMAIL), value, key=key)
    finally:
        await producer.stop()


async def _allow(trial: Trial, topic: str, bytes_max: int) -> None:
    admin = AIOKafkaAdminClient(**client_options(trial.settings))
    await admin.start()
    try:
        name = physical(trial.settings.topic_prefix, topic)
        limit = {**_configs_of(TOPICS[topic], trial.settings), "max.message.bytes": str(bytes_max)}
        await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, name, configs=limit)])
    finally:
        await admin.close()


RECORD_FAULTS: dict[str, Fault] = {"poison": poison, "clock-steps": clock_steps, "topic-made-anew": topic_made_anew}
