"""`mindgap readmodel`: keep the read model in Redis, rebuild it from Kafka, look into it."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from typing import Any

import click
from aiokafka.errors import KafkaError
from redis.asyncio import Redis
from redis.exceptions import RedisError

from agents import log
from agents.cli import BadInput
from agents.read_model.follower import Follower
from agents.read_model.model import ReadModel
from agents.settings import Settings, SettingsError, settings_from
from schemas.codec import dumps
from schemas.identity import parse_identity

TIMEOUT_S = 10


@click.group()
def readmodel() -> None:
    """Customer by identity, open escalations and the console's feed, in Redis (MINDGAP_REDIS).

    Redis holds nothing that Kafka does not: lose it, and `rebuild` fills it again.
    """


@readmodel.command()
def follow() -> None:
    """Keep the model up to date, until told to end."""

    async def work(settings: Settings, model: ReadModel) -> None:
        await Follower(settings, model).follow()

    _run(work)


@readmodel.command()
def rebuild() -> None:
    """Empty the model and fill it from the compacted topics."""

    async def work(settings: Settings, model: ReadModel) -> None:
        records = await Follower(settings, model).rebuild()
        click.echo(f"rebuilt from {records} records")

    _run(work)


@readmodel.command("open")
@click.option("--customer", help="Only this customer's.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=100, show_default=True)
def open_(customer: str | None, limit: int) -> None:
    """Open escalations as JSON lines: the most severe first, and of those the oldest."""

    async def work(_: Settings, model: ReadModel) -> None:
        _print(await model.open_escalations(customer, limit))

    _run(work)


@readmodel.command()
@click.option("--limit", type=click.IntRange(1, 1_000), default=50, show_default=True)
def feed(limit: int) -> None:
    """The last revisions as JSON lines, newest first."""

    async def work(_: Settings, model: ReadModel) -> None:
        _print(await model.feed(limit))

    _run(work)


@readmodel.command()
@click.argument("identity", metavar="TYPE:VALUE")
def customer(identity: str) -> None:
    """The customer of an identity, and its open escalations."""
    try:
        known = parse_identity(identity)
    except ValueError as problem:
        raise click.BadParameter(str(problem)) from problem

    async def work(_: Settings, model: ReadModel) -> None:
        id_ = await model.customer(str(known))
        if id_ is None:
            raise BadInput(f"no customer has the identity {identity}")
        found = await model.open_escalations(id_)
        _print([{"customer_id": id_, "open_escalations": [record["escalation_id"] for record in found]}])

    _run(work)


def _print(records: list[dict[str, Any]]) -> None:
    for record in records:
        click.echo(dumps(record))


def _run(work: Callable[[Settings, ReadModel], Awaitable[None]]) -> None:
    try:
        settings = settings_from(os.environ)
    except SettingsError as problem:
        raise BadInput(str(problem)) from problem
    if settings.redis is None:
        raise BadInput("MINDGAP_REDIS is not set: the URL of the Redis, such as redis://127.0.0.1:6379/0")
    log.set_up(settings)

    async def session() -> None:
        assert settings.redis is not None
        redis = Redis.from_url(settings.redis.get_secret_value(), socket_timeout=TIMEOUT_S)
        try:
            await work(settings, ReadModel(redis))
        finally:
            await redis.aclose()

    try:
        asyncio.run(session())
    except (RedisError, ValueError) as problem:
        raise BadInput(f"Redis: {problem}") from problem
    except KafkaError as problem:
        raise BadInput(f"Kafka at {settings.broker}: {problem}") from problem
