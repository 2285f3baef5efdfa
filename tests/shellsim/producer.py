"""The producer of a process: a buffer for each partition, one request under way at a time, answers that may be lost."""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, NamedTuple

from aiokafka import ConsumerRecord
from aiokafka.errors import KafkaTimeoutError, RequestTimedOutError
from faust.types import TP

from tests.shellsim.broker import Broker, Header
from tests.shellsim.loop import Owner
from topics.partitioner import partition_of


@dataclass
class Mishaps:
    """How often a send goes wrong (shares of 1). `repeated`: what had arrived is sent again by the client itself."""

    refused_at_call: float = 0.0
    request_lost: float = 0.0
    answer_lost: float = 0.0
    repeated: float = 0.0


class _Waiting(NamedTuple):
    key: bytes | None
    value: bytes | None
    headers: tuple[Header, ...]
    confirmed: "asyncio.Future[ConsumerRecord]"


@dataclass
class _Queue:
    waiting: deque[_Waiting] = field(default_factory=deque)
    busy: bool = False


class SimProducer:
    """What the shell asks of `agents.transport.Producer`."""

    def __init__(self, owner: Owner, broker: Broker, random: Random, partitions: int, mishaps: Mishaps) -> None:
        self._owner = owner
        self._broker = broker
        self._random = random
        self._partitions = partitions
        self._mishaps = mishaps
        self._queues: dict[TP, _Queue] = {}

    async def enqueue(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        *,
        partition: int | None,
        timestamp_ms: int,
        headers: Sequence[Header] = (),
    ) -> "asyncio.Future[ConsumerRecord]":
        """Put a record into the buffer; the future is done once it is confirmed, or seems to have failed."""
        if partition is not None:
            self._broker.on_send(self._owner, TP(topic, partition))
        draw = self._random.random()
        if draw < self._mishaps.refused_at_call:
            raise KafkaTimeoutError
        if draw > 0.9:
            await asyncio.sleep(self._broker.delay())
        if partition is None:
            partition = partition_of(key or b"", self._partitions)
        tp = TP(topic, partition)
        queue = self._queues.setdefault(tp, _Queue())
        confirmed: asyncio.Future[ConsumerRecord] = self._broker.loop.create_future()
        queue.waiting.append(_Waiting(key, value, tuple(headers), confirmed))
        if not queue.busy:
            queue.busy = True
            self._broker.loop.call_later(self._random.random() * 0.002, self._send, tp, queue)
        return confirmed

    def _send(self, tp: TP, queue: _Queue) -> None:
        number = self._random.randint(1, len(queue.waiting))
        batch = [queue.waiting.popleft() for _ in range(number)]
        mishaps, draw = self._mishaps, self._random.random()
        if draw < mishaps.request_lost:
            self._broker.loop.call_later(0.5, self._failed, tp, queue, batch)
        elif draw < mishaps.request_lost + mishaps.answer_lost:
            self._request(tp, batch)
            self._broker.loop.call_later(0.5, self._failed, tp, queue, batch)
        elif draw < mishaps.request_lost + mishaps.answer_lost + mishaps.repeated:
            first = self._request(tp, batch)
            first.add_done_callback(lambda _: self._request_answered(tp, queue, batch))
        else:
            self._request_answered(tp, queue, batch)

    def _request(self, tp: TP, batch: Sequence[_Waiting]) -> "asyncio.Future[list[ConsumerRecord]]":
        return self._broker.call(
            self._owner,
            lambda: [self._broker.append(tp, one.key, one.value, one.headers, self._owner) for one in batch],
        )

    def _request_answered(self, tp: TP, queue: _Queue, batch: Sequence[_Waiting]) -> None:
        def answered(answer: "asyncio.Future[list[ConsumerRecord]]") -> None:
            for waiting, record in zip(batch, answer.result(), strict=True):
                if not waiting.confirmed.done():
                    waiting.confirmed.set_result(record)
            self._next(tp, queue)

        self._request(tp, batch).add_done_callback(answered)

    def _failed(self, tp: TP, queue: _Queue, batch: Sequence[_Waiting]) -> None:
        for waiting in batch:
            if not waiting.confirmed.done():
                waiting.confirmed.set_exception(RequestTimedOutError())
                waiting.confirmed.exception()  # nobody may wait for it any more
        self._next(tp, queue)

    def _next(self, tp: TP, queue: _Queue) -> None:
        queue.busy = bool(queue.waiting)
        if queue.waiting:
            self._send(tp, queue)

    def pending(self) -> list[Any]:
        """What has not been confirmed."""
        return [waiting for queue in self._queues.values() for waiting in queue.waiting]
