"""The follower: Kafka into the read model, on a real broker."""

import asyncio
import contextlib
from collections.abc import Iterator

import fakeredis
import pytest

from agents.brokers import embedded_broker
from agents.produce import Record, produce
from agents.read_model.follower import Follower
from agents.read_model.model import ReadModel
from agents.settings import Settings, settings_from
from agents.topic_admin import create_topics
from schemas.codec import dumps
from tests.read_model.test_model import revision

LIMIT_S = 30


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A broker with the topics."""
    with embedded_broker(log_dir=tmp_path_factory.mktemp("broker")) as url:
        found = settings_from({}, broker=url, broker_kind="embedded", partitions=2)
        asyncio.run(create_topics(found))
        yield found


def current(id_: str, number: int, **fields: object) -> Record:
    """A revision on its compacted topic."""
    change = revision(id_, number, **fields)
    return Record("escalations.current", change.key.encode(), change.value or b"")


def identity(name: str, customer_id: str) -> Record:
    """What a worker writes of an identity."""
    return Record("changelog.identities", name.encode(), dumps({"v": 1, "c": customer_id}))


async def until(check, what: str) -> None:
    """Wait until `check()` is true."""
    try:
        async with asyncio.timeout(LIMIT_S):
            while not await check():  # noqa: ASYNC110 - Redis tells nobody when it changes
                await asyncio.sleep(0.05)
    except TimeoutError:
        pytest.fail(f"not within {LIMIT_S} s: {what}")


@contextlib.asynccontextmanager
async def following(settings: Settings, model: ReadModel):
    """The follower at work for the length of the block."""
    task = asyncio.create_task(Follower(settings, model).follow())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def test_the_model_follows_goes_on_where_it_was_and_is_rebuilt_after_a_loss(settings: Settings) -> None:
    """Redis is no source: what it loses is read again, and a second follower repeats nothing."""

    async def scenario() -> None:
        redis = fakeredis.FakeAsyncRedis()
        model = ReadModel(redis)
        batch = [current(f"e{number}", 1) for number in range(40)]
        await produce(settings, [*batch, identity("email:kim@example.com", "cus_1.0")])
        async with following(settings, model):

            async def all_there() -> bool:
                return len(await model.open_escalations(limit=100)) == 40

            await until(all_there, "all forty are open")

            async def known() -> bool:
                return await model.customer("email:kim@example.com") == "cus_1.0"

            await until(known, "the customer of an identity")
        offsets = await model.offsets()
        await produce(settings, [current("e0", 2, status="resolved"), identity("email:kim@example.com", "cus_0.0")])
        async with following(settings, model):

            async def moved() -> bool:
                return (
                    await model.customer("email:kim@example.com") == "cus_0.0"
                    and len(await model.open_escalations(limit=100)) == 39
                )

            await until(moved, "what came while nobody followed")
            assert sum((await model.offsets()).values()) == sum(offsets.values()) + 2
            await redis.flushall()
            await until(moved, "the model after Redis was wiped")
            await redis.flushall()
            await produce(settings, [current("e1", 2)])
            await until(moved, "the model after Redis was wiped and more came at once")
        await redis.flushall()
        assert await Follower(settings, model).rebuild() == 44
        assert len(await model.open_escalations(limit=100)) == 39
        assert len(await model.feed()) == 42

    asyncio.run(scenario())
