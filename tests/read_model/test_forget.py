"""What the read model keeps of a customer who was erased: nothing, on the fake and on the real Redis."""

import asyncio

from redis.asyncio import Redis

from agents.read_model.model import Change, ReadModel
from tests.read_model.test_model import revision


async def everything(redis: Redis) -> dict[bytes, bytes]:
    """Each key with all that it holds."""
    found: dict[bytes, bytes] = {}
    async for key in redis.scan_iter():
        kind = await redis.type(key)
        if kind == b"string":
            found[key] = await redis.get(key)
        elif kind == b"list":
            found[key] = b"|".join(await redis.lrange(key, 0, -1))
        elif kind == b"hash":
            found[key] = b"|".join([*await redis.hkeys(key), *await redis.hvals(key)])
        else:
            members = await (redis.smembers(key) if kind == b"set" else redis.zrange(key, 0, -1))
            found[key] = b"|".join(members)
    return found


KIM = [revision("e1", 1, summary="kim asks"), revision("e2", 1, summary="kim asks again"), revision("e1", 2)]
BOB = revision("e3", 1, customer_id="cus_2", summary="bob asks")
NAMES = [Change("email:kim@example.com", b"cus_1"), Change("thread:chat:kim", b"cus_1")]
OTHER = Change("email:bob@example.com", b"cus_2")
GONE = [Change("e1", None), Change("e2", None)]
UNNAMED = [Change(name.key, None) for name in NAMES]


def check_nothing_of_kim(found: dict[bytes, bytes]) -> None:
    """Neither a key nor what it holds names the one customer; the other's is there."""
    for key, value in found.items():
        assert not any(trace in key + b" " + value for trace in (b"kim", b"cus_1", b"e1", b"e2")), (key, value)
    assert b"bob asks" in found[b"mindgap:feed"]
    assert found[b"mindgap:open:cus_2"] == b"e3"
    assert found[b"mindgap:identity:email:bob@example.com"] == b"cus_2"


def test_tombstones_erase_a_customer_from_every_key(redis: Redis) -> None:
    """Identities, escalations, the lists of open ones and the feed: nothing names the customer, others stay."""

    async def scenario() -> None:
        model = ReadModel(redis)
        await model.take([*KIM[:1], BOB], [*NAMES, OTHER], {"t:0": 2})
        await model.take(KIM[1:], [], {"t:0": 4})
        await model.take(GONE, UNNAMED, {"t:0": 6})
        check_nothing_of_kim(await everything(redis))
        assert [record["escalation_id"] for record in await model.feed()] == ["e3"]
        await model.take(GONE, UNNAMED, {"t:0": 6})
        check_nothing_of_kim(await everything(redis))

    asyncio.run(scenario())


def test_a_rebuild_that_reads_what_was_and_its_end_at_once_keeps_nothing(redis: Redis) -> None:
    """Before compaction the topics hold both; what came before a tombstone does not get into the feed behind it."""

    async def scenario() -> None:
        model = ReadModel(redis)
        await model.take([*KIM, BOB, *GONE], [*NAMES, OTHER, *UNNAMED], {"t:0": 6})
        check_nothing_of_kim(await everything(redis))

    asyncio.run(scenario())


def test_an_escalation_that_comes_after_the_tombstone_is_a_new_one(redis: Redis) -> None:
    """A customer who comes back is shown as anybody is, with what was said since."""

    async def scenario() -> None:
        model = ReadModel(redis)
        await model.take(KIM, NAMES, {})
        await model.take([*GONE, revision("e1", 1, summary="new")], [], {})
        assert [(r["escalation_id"], r.get("summary")) for r in await model.feed()] == [("e1", "new")]
        assert [record["escalation_id"] for record in await model.open_escalations("cus_1")] == ["e1"]

    asyncio.run(scenario())
