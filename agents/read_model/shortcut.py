"""The read model asked for a fast answer. It is never the source: where it does not answer, Kafka is read."""

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple, Self, TypeVar

import click
from redis.asyncio import Redis
from redis.exceptions import RedisError

from agents.cli import BadInput
from agents.read_model.model import ReadModel
from agents.settings import Settings

TIMEOUT_S = 5
T = TypeVar("T")


class Found(NamedTuple):
    """An escalation's revision, and the offset up to which the model has read the partition where it stands."""

    record: dict[str, Any]
    read_up_to: int | None


class Shortcut:
    """The read model at MINDGAP_REDIS, or nothing: every answer may be None. Used as `async with`."""

    def __init__(self, settings: Settings) -> None:
        self._url = settings.redis.get_secret_value() if settings.redis is not None else None

    async def __aenter__(self) -> Self:
        self._redis: Redis | None = None
        if self._url is not None:
            try:
                self._redis = Redis.from_url(self._url, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S)
            except ValueError as problem:
                raise BadInput("MINDGAP_REDIS is no URL such as redis://127.0.0.1:6379/0") from problem
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._redis is not None:
            await self._redis.aclose()

    async def escalation(self, id_: str, partition: str) -> Found | None:
        """The newest revision that the model knows; `partition` is `{topic}:{partition}` where its records stand."""

        async def ask(model: ReadModel) -> Found | None:
            offsets = await model.offsets()  # first: what is read later is not older than it
            record = await model.escalation(id_)
            return Found(record, offsets.get(partition)) if record is not None else None

        return await self._ask(ask)

    async def customer(self, identity: str) -> str | None:
        """The customer id of an identity in its normal form."""
        return await self._ask(lambda model: model.customer(identity))

    async def open_escalations(self, customer_id: str) -> list[dict[str, Any]] | None:
        """The newest revisions of the customer's open escalations, the most severe first."""
        return await self._ask(lambda model: model.open_escalations(customer_id))

    async def _ask(self, question: Callable[[ReadModel], Awaitable[T | None]]) -> T | None:
        if self._redis is None:
            return None
        try:
            return await question(ReadModel(self._redis))
        except RedisError as problem:
            click.echo(f"the read model does not answer ({type(problem).__name__})", err=True)
            await self._redis.aclose()
            self._redis = None
            return None
