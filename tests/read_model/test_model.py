"""What the read model promises, on the fake and on the real Redis."""

import asyncio
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.exceptions import RedisError

from agents.read_model.model import FEED_MAX, Change, ReadModel
from schemas.codec import dumps


def revision(id_: str, number: int, **fields: Any) -> Change:
    """A revision as it stands on the compacted topic."""
    record = {
        "escalation_id": id_,
        "revision": number,
        "customer_id": "cus_1",
        "status": "open",
        "severity": "error",
        "detected_at": "2026-06-08T13:00:00.000Z",
        **fields,
    }
    return Change(id_, dumps(record))


def test_an_open_escalation_is_found_by_its_customer_until_it_is_resolved(redis: Redis) -> None:
    """Open ones are listed by customer and over all; a resolved one is listed no more, and still readable."""

    async def scenario() -> None:
        model = ReadModel(redis)
        await model.take([revision("e1", 1), revision("e2", 1, customer_id="cus_2")], [], {"t:0": 2})
        assert [r["escalation_id"] for r in await model.open_escalations("cus_1")] == ["e1"]
        assert {r["escalation_id"] for r in await model.open_escalations()} == {"e1", "e2"}
        await model.take([revision("e1", 2, status="resolved")], [], {"t:0": 3})
        assert await model.open_escalations("cus_1") == []
        found = await model.escalation("e1")
        assert found is not None
        assert found["revision"] == 2
        assert await model.offsets() == {"t:0": 3}

    asyncio.run(scenario())


def test_a_model_that_was_wiped_takes_nothing_that_goes_on_from_before(redis: Redis) -> None:
    """What is read next would hide that everything before it is missing."""

    async def scenario() -> None:
        model = ReadModel(redis)
        await model.take([revision("e1", 1)], [], {"t:0": 1, "t:1": 1})
        await model.take([revision("e2", 1)], [], {"t:1": 2}, standing=2)
        await redis.flushall()
        with pytest.raises(RedisError, match="wiped"):
            await model.take([revision("e3", 1)], [], {"t:0": 2}, standing=2)
        assert await model.open_escalations() == []
        assert await model.offsets() == {}

    asyncio.run(scenario())


def test_the_most_severe_and_then_the_oldest_come_first(redis: Redis) -> None:
    """A supervisor reads from the top."""

    async def scenario() -> None:
        model = ReadModel(redis)
        later = "2026-06-08T14:00:00.000Z"
        changes = [
            revision("young", 1, first_contact_at=later),
            revision("old", 1, first_contact_at="2026-06-01T00:00:00.000Z"),
            revision("critical", 1, severity="critical", first_contact_at=later),
        ]
        await model.take(changes, [], {})
        assert [r["escalation_id"] for r in await model.open_escalations()] == ["critical", "old", "young"]
        assert [r["escalation_id"] for r in await model.open_escalations(limit=1)] == ["critical"]

    asyncio.run(scenario())


def test_taking_the_same_records_again_changes_nothing_that_is_asked_for(redis: Redis) -> None:
    """After a crash between the read and the memory of it the same records come again, older ones after newer."""

    async def scenario() -> None:
        model = ReadModel(redis)
        await model.take([revision("e1", 1), revision("e1", 2, severity="critical")], [], {"t:0": 2})
        await model.take([revision("e1", 1)], [], {"t:0": 2})
        found = await model.open_escalations()
        assert [(r["revision"], r["severity"]) for r in found] == [(2, "critical")]

    asyncio.run(scenario())


def test_a_customer_that_was_merged_takes_its_escalations_along(redis: Redis) -> None:
    """A later revision may name another customer: the escalation is open there, and no longer here."""

    async def scenario() -> None:
        model = ReadModel(redis)
        await model.take([revision("e1", 1)], [], {})
        await model.take([revision("e1", 2, customer_id="cus_9")], [], {})
        assert await model.open_escalations("cus_1") == []
        assert [r["escalation_id"] for r in await model.open_escalations("cus_9")] == ["e1"]

    asyncio.run(scenario())


def test_a_tombstone_removes_an_escalation_and_an_identity(redis: Redis) -> None:
    """What compaction dropped is gone here too."""

    async def scenario() -> None:
        model = ReadModel(redis)
        await model.take([revision("e1", 1)], [Change("email:kim@example.com", b"cus_1")], {})
        assert await model.customer("email:kim@example.com") == "cus_1"
        await model.take([Change("e1", None)], [Change("email:kim@example.com", None)], {})
        assert await model.escalation("e1") is None
        assert await model.open_escalations() == []
        assert await model.customer("email:kim@example.com") is None

    asyncio.run(scenario())


def test_the_feed_is_bounded_and_newest_first(redis: Redis) -> None:
    """The console shows what happened last; older revisions fall out."""

    async def scenario() -> None:
        model = ReadModel(redis)
        for start in range(0, FEED_MAX + 50, 50):
            await model.take([revision(f"e{n}", 1) for n in range(start, start + 50)], [], {})
        feed = await model.feed(limit=FEED_MAX + 10)
        assert len(feed) == FEED_MAX
        assert feed[0]["escalation_id"] == f"e{FEED_MAX + 49}"

    asyncio.run(scenario())


def test_clearing_removes_the_model_and_nothing_else(redis: Redis) -> None:
    """Another program's keys in the same Redis stay."""

    async def scenario() -> None:
        await redis.set("someone-elses", "1")
        model = ReadModel(redis)
        await model.take([revision("e1", 1)], [Change("email:a@b.example", b"cus_1")], {"t:0": 1})
        assert await model.clear() > 0
        assert await model.open_escalations() == []
        assert await model.offsets() == {}
        assert await redis.get("someone-elses") == b"1"

    asyncio.run(scenario())
