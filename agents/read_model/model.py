"""What is kept in Redis, under which keys, and how it is asked.

    mindgap:identity:{type:value}   customer id of an identity
    mindgap:escalation:{id}         newest revision, JSON; gone when resolved for long (a tombstone)
    mindgap:open                    ids of open escalations, sorted by severity, then by age
    mindgap:open:{customer id}      ids of the customer's open escalations
    mindgap:feed                    the last revisions, newest first; none of an escalation that is gone
    mindgap:offsets                 {topic}:{partition} -> next offset, written with what was read up to it

Redis is never a source: `clear` and a read from the beginning give the same model.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from redis.asyncio import Redis
from redis.exceptions import RedisError

from schemas.codec import dumps, loads
from schemas.terms import SEVERITIES
from schemas.times import parse_time

PREFIX = "mindgap"
FEED_MAX = 1_000
"""Revisions that the feed keeps."""
_SCAN = 1_000
_MS_MAX = 1 << 43
"""More milliseconds since the epoch than any date needs: the weight of one severity in the order of open ones."""


class Change(NamedTuple):
    """A record of a compacted topic: `value` None is a tombstone."""

    key: str
    value: bytes | None


class ReadModel:
    """The read model over one Redis. Every write is one transaction, and may be repeated."""

    def __init__(self, redis: Redis, prefix: str = PREFIX) -> None:
        self._redis = redis
        self._prefix = prefix

    # -- written by the follower ------------------------------------------------------------------------

    async def take(
        self, escalations: Sequence[Change], identities: Sequence[Change], offsets: Mapping[str, int], standing: int = 0
    ) -> None:
        """Apply what was read, and remember up to where, in one transaction.

        `standing`: of how many partitions the model remembers that. Raises RedisError, and applies nothing, where it
        remembers fewer: it was wiped, and what was read before is in it no more.
        """
        newest = {change.key: change.value for change in escalations}
        async with self._redis.pipeline(transaction=True) as pipe:
            await pipe.watch(self._key("offsets"))
            if await pipe.hlen(self._key("offsets")) < standing:
                raise RedisError("the read model was wiped")
            known = await self._known(list(newest))
            told = await self._told_of({change.key for change in escalations if change.value is None})
            pipe.multi()  # type: ignore[no-untyped-call]
            for id_, value in newest.items():
                self._escalation(pipe, id_, known.get(id_), loads(value) if value is not None else None)
            for raw in told:
                pipe.lrem(self._key("feed"), 0, raw)
            for value in _since_gone(escalations):
                pipe.lpush(self._key("feed"), value)
            if escalations:
                pipe.ltrim(self._key("feed"), 0, FEED_MAX - 1)
            for change in identities:
                key = self._key("identity", change.key)
                if change.value is None:
                    pipe.delete(key)
                else:
                    pipe.set(key, change.value)
            if offsets:
                pairs = [part for pair in offsets.items() for part in pair]
                pipe.hset(self._key("offsets"), items=pairs)
            await pipe.execute()

    async def offsets(self) -> dict[str, int]:
        """Where to go on: `{topic}:{partition}` -> next offset."""
        stored = await self._redis.hgetall(self._key("offsets"))
        return {_text(name): int(offset) for name, offset in stored.items()}

    async def clear(self) -> int:
        """Remove all keys of the model, and no other; how many they were."""
        removed = 0
        batch: list[bytes] = []
        async for key in self._redis.scan_iter(match=f"{self._prefix}:*", count=_SCAN):
            batch.append(key)
            if len(batch) >= _SCAN:
                removed += await self._redis.unlink(*batch)
                batch = []
        if batch:
            removed += await self._redis.unlink(*batch)
        return removed

    # -- read by consoles and commands ------------------------------------------------------------------

    async def customer(self, identity: str) -> str | None:
        """The customer id of an identity `type:value` in its normal form."""
        found = await self._redis.get(self._key("identity", identity))
        return None if found is None else _text(found)

    async def escalation(self, id_: str) -> dict[str, Any] | None:
        """The newest revision of an escalation."""
        found = await self._redis.get(self._key("escalation", id_))
        return None if found is None else loads(found)

    async def open_escalations(self, customer_id: str | None = None, limit: int = 100) -> list[dict[str, Any]]:
        """Open escalations, of one customer or of all: the most severe first, and of those the oldest."""
        if customer_id is not None:
            ids = sorted(_text(id_) for id_ in await self._redis.smembers(self._key("open", customer_id)))
        else:
            ids = [_text(id_) for id_ in await self._redis.zrange(self._key("open"), 0, limit - 1)]
        if not ids:
            return []
        raws = await self._redis.mget([self._key("escalation", id_) for id_ in ids])
        found = [loads(raw) for raw in raws if raw is not None]
        return sorted(found, key=_rank)[:limit]

    async def feed(self, limit: int = 50) -> list[dict[str, Any]]:
        """The last revisions, newest first."""
        raws = await self._redis.lrange(self._key("feed"), 0, limit - 1)
        return [loads(raw) for raw in raws]

    # -- inside -----------------------------------------------------------------------------------------

    def _key(self, *parts: str) -> str:
        return ":".join((self._prefix, *parts))

    async def _known(self, ids: list[str]) -> dict[str, dict[str, Any]]:
        if not ids:
            return {}
        raws = await self._redis.mget([self._key("escalation", id_) for id_ in ids])
        return {id_: loads(raw) for id_, raw in zip(ids, raws, strict=True) if raw is not None}

    async def _told_of(self, ids: Collection[str]) -> list[Any]:
        """The entries of the feed about these escalations."""
        raws = await self._redis.lrange(self._key("feed"), 0, -1) if ids else []
        return [raw for raw in raws if loads(raw)["escalation_id"] in ids]

    def _escalation(self, pipe: Any, id_: str, known: dict[str, Any] | None, record: dict[str, Any] | None) -> None:
        if known and record and known["revision"] > record["revision"]:
            return  # an older one that came again
        if known and known.get("customer_id"):
            pipe.srem(self._key("open", known["customer_id"]), id_)
        if record is None:
            pipe.delete(self._key("escalation", id_))
            pipe.zrem(self._key("open"), id_)
            return
        pipe.set(self._key("escalation", id_), dumps(record))
        if record["status"] == "resolved":
            pipe.zrem(self._key("open"), id_)
            return
        pipe.zadd(self._key("open"), {id_: _rank(record)})
        if record.get("customer_id"):
            pipe.sadd(self._key("open", record["customer_id"]), id_)


def _rank(record: dict[str, Any]) -> int:
    """Order of open escalations: the most severe first, and of those the one that has lasted longest."""
    severity = len(SEVERITIES) - 1 - SEVERITIES.index(record["severity"])
    return severity * _MS_MAX + parse_time(record.get("first_contact_at") or record["detected_at"])


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def _since_gone(changes: Iterable[Change]) -> list[bytes]:
    """The revisions in order, without those that a tombstone came after."""
    kept: list[tuple[str, bytes]] = []
    for change in changes:
        if change.value is None:
            kept = [each for each in kept if each[0] != change.key]
        else:
            kept.append((change.key, change.value))
    return [value for _, value in kept]


def identity_changes(records: Iterable[tuple[bytes, bytes | None]]) -> list[Change]:
    """The pointers to customers in records of the identities' changelog."""
    changes = []
    for key, value in records:
        customer_id = loads(value).get("c") if value is not None else None
        changes.append(Change(key.decode(), customer_id.encode() if customer_id else None))
    return changes
