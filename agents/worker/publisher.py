"""Effects to the broker, in the one order that loses nothing: state confirmed, then outputs confirmed."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from aiokafka.errors import (
    InvalidTopicError,
    KafkaError,
    MessageSizeTooLargeError,
    RecordListTooLargeError,
    TopicAuthorizationFailedError,
)

from agents import log
from agents.clock import Clock
from agents.transport import Producer
from agents.worker.fence import Fence
from agents.worker.letters import dead_letter
from agents.worker.metrics import Metrics
from agents.worker.ports import Dead, Effects, State
from topics.table import CHANGELOGS, DEAD, TOPICS, physical

_BACKOFF_FIRST_S = 0.1
_BACKOFF_MAX_S = 5.0
_REFUSED_FOR_GOOD = (
    MessageSizeTooLargeError,
    RecordListTooLargeError,
    InvalidTopicError,
    TopicAuthorizationFailedError,
)
_log = log.get("mindgap.publisher")


class StateRefused(Exception):  # noqa: N818 - says what happened
    """The broker will never take this state (it is too large, say): the record that led to it is the problem."""


class _Out(NamedTuple):
    topic: str
    key: bytes | None
    value: bytes | None
    partition: int | None
    headers: Sequence[tuple[str, bytes]] = ()


class Publisher:
    """Publishes the effects of one partition."""

    def __init__(
        self,
        partition: int,
        *,
        prefix: str,
        producer: Producer,
        stores: Mapping[str, State],
        fence: Fence,
        clock: Clock,
        metrics: Metrics,
    ) -> None:
        self._partition = partition
        self._prefix = prefix
        self._names = {name: physical(prefix, name) for name in TOPICS}
        self._producer = producer
        self._stores = stores
        self._fence = fence
        self._clock = clock
        self._metrics = metrics
        self.retrying_since: float | None = None
        """Loop time since which the broker has refused, None while all is well."""

    async def publish(self, effects: Effects) -> None:
        """Confirm state and apply it, table after table, then confirm outputs.

        Raises Fenced; raises StateRefused where the broker will never take some of the state: what it took is applied,
        and no output has been sent.
        """
        for table in CHANGELOGS:
            await self._write(table, {key: value for name, key, value in effects.writes if name == table})
        sends = [
            _Out(self._names[send.topic], send.key, send.value, send.partition, tuple(send.headers or ()))
            for send in effects.sends
        ]
        sends += [self._dead(dead) for dead in effects.dead]
        for out in await self._confirm(sends):
            self._metrics.outputs_refused.inc()
            _log.error("output_refused", topic=out.topic, bytes=len(out.value or b""))
        self._metrics.sent(effects.sends)

    async def _write(self, table: str, values: Mapping[bytes, bytes | None]) -> None:
        topic, store = self._names[CHANGELOGS[table]], self._stores[table]
        refused = await self._confirm([_Out(topic, key, value, self._partition) for key, value in values.items()])
        given_up = {out.key for out in refused}
        for key, value in values.items():
            if key in given_up:
                continue
            if value is None:
                store.pop(key, None)
            else:
                store[key] = value
        self._metrics.state_bytes.inc(sum(len(value) for value in values.values() if value is not None))
        if refused:
            raise StateRefused(f"{len(refused)} of {len(values)} records of {table}")

    async def bury(self, letters: Sequence[Dead]) -> None:
        """Confirm dead letters."""
        for out in await self._confirm([self._dead(dead) for dead in letters]):
            _log.error("dead_letter_refused", bytes=len(out.value or b""))

    def _dead(self, dead: Dead) -> _Out:
        self._metrics.dead_lettered(dead.reason, dead.record.topic)
        value = dead_letter(dead, self._prefix, self._clock.now())
        return _Out(self._names[DEAD], dead.record.key, value, self._partition)

    async def _confirm(self, outs: Sequence[_Out]) -> list[_Out]:
        """Send all, until each is confirmed; gives those that the broker will never take."""
        refused: list[_Out] = []
        backoff = _BACKOFF_FIRST_S
        while outs:
            await self._fence.opened()
            outcomes = await self._attempt(outs)
            failed = [(out, problem) for out, problem in zip(outs, outcomes, strict=True) if problem is not None]
            refused += [out for out, problem in failed if isinstance(problem, _REFUSED_FOR_GOOD)]
            outs = [out for out, problem in failed if not isinstance(problem, _REFUSED_FOR_GOOD)]
            if outs:
                names = sorted({type(problem).__name__ for _, problem in failed})
                _log.warning("send_retried", partition=self._partition, records=len(outs), errors=names)
                self._metrics.send_retries.inc(len(outs))
                self.retrying_since = self.retrying_since or asyncio.get_running_loop().time()
                await asyncio.sleep(backoff)
                backoff = min(backoff * 2, _BACKOFF_MAX_S)
        self.retrying_since = None
        return refused

    async def _attempt(self, outs: Sequence[_Out]) -> list[BaseException | None]:
        """One try for each; None for a record that is confirmed, else what went wrong."""
        now = self._clock.now()
        pending: list[Any] = []
        for out in outs:
            try:
                if not self._fence.is_open():
                    pending.append(_Closed())
                    continue
                pending.append(
                    await self._producer.enqueue(
                        out.topic,
                        out.key,
                        out.value,
                        partition=out.partition,
                        timestamp_ms=now,
                        headers=out.headers,
                    )
                )
            except (KafkaError, OSError, AssertionError) as problem:  # AssertionError: a partition unknown as yet
                pending.append(problem)
        futures = [entry for entry in pending if not isinstance(entry, BaseException)]
        if futures:
            await asyncio.wait(futures)
        return [entry if isinstance(entry, BaseException) else entry.exception() for entry in pending]


class _Closed(Exception):  # noqa: N818
    """The fence closed between two records."""
