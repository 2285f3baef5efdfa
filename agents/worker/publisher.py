"""Effects to the broker, in the one order that loses nothing: state confirmed, then outputs confirmed.

Before all else the term is claimed in the changelogs (`agents.worker.terms`).
"""

import asyncio
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
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
from agents.worker.changelog import Changelog
from agents.worker.fence import Fence
from agents.worker.letters import dead_letter
from agents.worker.metrics import Metrics
from agents.worker.moments import Moment
from agents.worker.ports import Dead, Effects, Send
from agents.worker.terms import CLAIM_KEY
from topics.table import CHANGELOGS, DEAD, INBOXES, TOPICS, physical

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


class _Outcome(NamedTuple):
    """`refused`: what the broker will never take. `offsets`: where the others stand, so far as it said so."""

    refused: list[_Out]
    offsets: list[int]


class Publisher:
    """Publishes the effects of one partition."""

    def __init__(
        self,
        partition: int,
        *,
        prefix: str,
        producer: Producer,
        changelogs: Mapping[str, Changelog],
        fence: Fence,
        clock: Clock,
        metrics: Metrics,
        on_sent: Callable[[str, int, int], None] = lambda *_: None,
    ) -> None:
        """`on_sent`: told of each record that is confirmed in an inbox: its logical name, partition and offset."""
        self._partition = partition
        self._prefix = prefix
        self._names = {name: physical(prefix, name) for name in TOPICS}
        self._inboxes = {self._names[name]: name for name in INBOXES}
        self._on_sent = on_sent
        self._now = Moment(0)
        self._producer = producer
        self._changelogs = changelogs
        self._fence = fence
        self._clock = clock
        self._metrics = metrics
        self.retrying_since: float | None = None
        """Loop time since which the broker has refused, None while all is well."""

    def moments(self) -> Iterator[Moment]:
        """The moments at which the state was last written, by whoever did."""
        for changelog in self._changelogs.values():
            yield from changelog.moments

    @property
    def is_new(self) -> bool:
        """There is no state: nobody has ever written any, or all of it was deleted."""
        return not any(changelog.state for changelog in self._changelogs.values())

    async def begin(self) -> bool:
        """Claim the term; True where the state has changed since recovery, by what had been on its way before.

        Raises Fenced; StateRefused where the broker will not take the claim.
        """
        changed = 0
        for table in CHANGELOGS:
            log = self._changelogs[table]
            claim = _Out(log.topic, CLAIM_KEY, None, self._partition, (log.stamp,))
            outcome = await self._confirm([claim])
            if outcome.refused:
                raise StateRefused(f"the claim to {table}")
            for offset in outcome.offsets:
                changed += await self._caught_up(log, offset)
            await self._mend(log, await self._rewrite(log, log.overtaken()))
        return changed > 0

    def ends(self) -> dict[str, int]:
        """Where the changelogs end so far as is known, by topic."""
        return {log.topic: log.end for log in self._changelogs.values()}

    async def mend(self, ends: Mapping[str, int]) -> None:
        """The changelogs reach to `ends`, by topic: overwrite what another has written behind our last records.

        Raises Fenced.
        """
        for changelog in self._changelogs.values():
            await self._mend(changelog, (), ends.get(changelog.topic, 0))

    async def _caught_up(self, log: Changelog, offset: int) -> int:
        backoff = _BACKOFF_FIRST_S
        while True:
            await self._fence.opened()
            try:
                late = await log.claimed(offset)
            except (KafkaError, OSError, TimeoutError) as problem:
                _log.warning("changelog_unreadable", partition=self._partition, error=type(problem).__name__)
                await asyncio.sleep(backoff)
                backoff = min(backoff * 2, _BACKOFF_MAX_S)
                continue
            if late:
                _log.warning("late_state_taken", partition=self._partition, topic=log.topic, records=late)
            return late

    async def publish(self, effects: Effects, now: Moment) -> None:
        """Confirm state and apply it, table after table, then confirm outputs. `now`: when this was decided.

        Raises Fenced; raises StateRefused where the broker will never take some of the state: what it took is applied,
        and no output has been sent.
        """
        self._now = now
        for table in CHANGELOGS:
            await self._write(table, {key: value for name, key, value in effects.writes if name == table})
        sends = [
            _Out(self._names[send.topic], send.key, send.value, send.partition, self._headers(send))
            for send in effects.sends
        ]
        sends += [self._dead(dead) for dead in effects.dead]
        for out in (await self._confirm(sends)).refused:
            self._metrics.outputs_refused.inc()
            _log.error("output_refused", topic=out.topic, bytes=len(out.value or b""))
        self._metrics.sent(effects.sends)

    def _headers(self, send: Send) -> Sequence[tuple[str, bytes]]:
        headers = tuple(send.headers or ())
        return (*headers, self._now.header) if send.topic in INBOXES else headers

    async def _write(self, table: str, values: Mapping[bytes, bytes | None]) -> None:
        log = self._changelogs[table]
        outcome = await self._confirm(self._records(log, values))
        await self._fence.opened()  # else it may have come too late to count, and memory says what the log does
        given_up = {out.key for out in outcome.refused}
        for key, value in values.items():
            if key not in given_up:
                log.apply(key, value)
        self._metrics.state_bytes.inc(sum(len(value) for value in values.values() if value is not None))
        await self._mend(log, outcome.offsets)
        if outcome.refused:
            raise StateRefused(f"{len(outcome.refused)} of {len(values)} records of {table}")

    def _records(self, log: Changelog, values: Mapping[bytes, bytes | None]) -> list[_Out]:
        headers = (log.stamp, self._now.header)
        return [_Out(log.topic, key, value, self._partition, headers) for key, value in values.items()]

    async def _mend(self, log: Changelog, offsets: Sequence[int], end: int = 0) -> None:
        """Write again, last, what another has written among our records: compaction keeps the last of each key."""
        try:
            while keys := await log.foreign(offsets, end):
                offsets = await self._rewrite(log, keys)
        except (KafkaError, OSError, TimeoutError) as problem:  # found again with the next write or look
            _log.warning("changelog_unreadable", partition=self._partition, error=type(problem).__name__)

    async def _rewrite(self, log: Changelog, keys: Collection[bytes]) -> list[int]:
        if not keys:
            return []
        _log.warning("foreign_state_overwritten", partition=self._partition, topic=log.topic, records=len(keys))
        self._metrics.foreign_state.inc(len(keys))
        return (await self._confirm(self._records(log, {key: log.state.get(key) for key in keys}))).offsets

    async def bury(self, letters: Sequence[Dead]) -> None:
        """Confirm dead letters."""
        for out in (await self._confirm([self._dead(dead) for dead in letters])).refused:
            _log.error("dead_letter_refused", bytes=len(out.value or b""))

    def _dead(self, dead: Dead) -> _Out:
        self._metrics.dead_lettered(dead.reason, dead.record.topic)
        value = dead_letter(dead, self._prefix, self._clock.now())
        return _Out(self._names[DEAD], dead.record.key, value, self._partition)

    async def _confirm(self, outs: Sequence[_Out]) -> _Outcome:
        """Send all, until each is confirmed or will never be.

        What was confirmed behind a failed record of its topic and key is sent once more behind it: the last one counts.
        """
        done = _Outcome([], [])
        backoff = _BACKOFF_FIRST_S
        while outs:
            await self._fence.opened()
            answers = await self._attempt(outs)
            again: list[_Out] = []
            failed: set[tuple[str, bytes | None]] = set()
            for out, answer in zip(outs, answers, strict=True):
                if isinstance(answer, _REFUSED_FOR_GOOD):
                    done.refused.append(out)
                    continue
                if not isinstance(answer, BaseException):
                    done.offsets.append(int(answer.offset))
                    if (inbox := self._inboxes.get(out.topic)) is not None:
                        self._on_sent(inbox, int(answer.partition), int(answer.offset))
                    if out.key is None or (out.topic, out.key) not in failed:
                        continue
                failed.add((out.topic, out.key))
                again.append(out)
            outs = again
            if outs:
                names = sorted({type(answer).__name__ for answer in answers if isinstance(answer, BaseException)})
                _log.warning("send_retried", partition=self._partition, records=len(outs), errors=names)
                self._metrics.send_retries.inc(len(outs))
                self.retrying_since = self.retrying_since or asyncio.get_running_loop().time()
                await asyncio.sleep(backoff)
                backoff = min(backoff * 2, _BACKOFF_MAX_S)
        self.retrying_since = None
        return done

    async def _attempt(self, outs: Sequence[_Out]) -> list[Any]:
        """One try for each: where a record that is confirmed stands, else the exception that says what went wrong."""
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
        return [entry if isinstance(entry, BaseException) else _answer(entry) for entry in pending]


def _answer(confirmation: "asyncio.Future[Any]") -> Any:
    return confirmation.exception() or confirmation.result()


class _Closed(Exception):  # noqa: N818
    """The fence closed between two records."""
