"""Bugs, planted one at a time: each stands for a line that somebody might get wrong. A simulation worth its time finds them."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any
from unittest.mock import patch

from agents.worker.changelog import Changelog
from agents.worker.changelog_watch import ChangelogWatch
from agents.worker.fence import Fence
from agents.worker.lane import Lane
from agents.worker.partitions import Partitions
from agents.worker.publisher import Publisher, _Out, _Outcome
from agents.worker.store import Store
from agents.worker.terms import Reading
from streams.node import Node
from tests.shellsim.consumer import SimConsumer


def ack_before_confirm() -> AbstractContextManager[Any]:
    """A batch is done before what it led to is confirmed."""
    take = Lane._take

    async def early(self: Lane, batches: Any) -> None:
        for batch in batches:
            self._mark_done(batch)
        await take(self, batches)

    return patch.object(Lane, "_take", early)


def lost_outbox() -> AbstractContextManager[Any]:
    """What may not have been sent is not sent again after a recovery."""
    rebuild = Node.rebuild

    def forgetful(self: Node) -> None:
        rebuild(self)
        self._place.unsent.clear()

    return patch.object(Node, "rebuild", forgetful)


def stale_timer() -> AbstractContextManager[Any]:
    """The timers of a partition that was taken away go on, on the state of before, and nothing asks whose it is now."""
    close = Partitions.close

    async def forgotten(self: Partitions) -> None:
        self._lanes = {}
        await close(self)

    @contextmanager
    def both() -> Iterator[None]:
        with patch.object(Partitions, "close", forgotten), fence_ignored():
            yield

    return both()


def timers_not_made_anew() -> AbstractContextManager[Any]:
    """Timers are not made anew from the store: a recovered customer's appointment is never kept."""
    rebuild = Node.rebuild

    def idle(self: Node) -> None:
        rebuild(self)
        for id_ in list(self._place.timers._due):
            self._place.timers.set(id_, None)

    return patch.object(Node, "rebuild", idle)


def term_not_claimed() -> AbstractContextManager[Any]:
    """A partition is written without a claim, in the term that recovery has read."""

    async def begin(self: Publisher) -> bool:
        for log in self._changelogs.values():
            log.term -= 1
        return False

    return patch.object(Publisher, "begin", begin)


def fence_ignored() -> AbstractContextManager[Any]:
    """A worker writes whether or not its partitions are still its own."""
    return patch.object(Fence, "is_open", lambda self: True)


def every_record_counts() -> AbstractContextManager[Any]:
    """Recovery takes the late records of an owner that overslept."""
    counts = Reading.counts

    def careless(self: Reading, record: Any) -> bool:
        counts(self, record)
        return bool(record.key != b"")

    return patch.object(Reading, "counts", careless)


def late_state_not_mended() -> AbstractContextManager[Any]:
    """What another has written among our records is left to be the last of its key."""

    async def none(self: Publisher, log: Any, offsets: Any, end: int = 0) -> None:
        """Nothing."""

    async def nothing(self: Publisher, log: Any, keys: Any) -> list[int]:
        return []

    @contextmanager
    def both() -> Iterator[None]:
        with patch.object(Publisher, "_mend", none), patch.object(Publisher, "_rewrite", nothing):
            yield

    return both()


def quiet_changelogs_not_looked_at() -> AbstractContextManager[Any]:
    """An owner that has nothing to write does not look whether somebody else has written."""
    return patch.object(ChangelogWatch, "opened", lambda self, lanes: None)


def late_state_not_taken() -> AbstractContextManager[Any]:
    """What stands between the end of recovery and the claim is passed over."""

    async def claimed(self: Changelog, offset: int) -> int:
        self._reading.end = offset + 1
        return 0

    return patch.object(Changelog, "claimed", claimed)


def outputs_before_state() -> AbstractContextManager[Any]:
    """What follows from a state is sent before the state is confirmed."""
    publish = Publisher.publish

    async def reversed_(self: Publisher, effects: Any, now: Any) -> None:
        self._now = now
        outs = [
            _Out(self._names[send.topic], send.key, send.value, send.partition, self._headers(send))
            for send in effects.sends
        ]
        await self._confirm(outs)
        await publish(self, effects, now)

    return patch.object(Publisher, "publish", reversed_)


def applied_before_confirmed() -> AbstractContextManager[Any]:
    """State is changed in memory before the changelog has confirmed it."""
    write = Publisher._write

    async def hasty(self: Publisher, table: str, values: Any) -> None:
        for key, value in values.items():
            self._changelogs[table].apply(key, value)
        await write(self, table, values)

    return patch.object(Publisher, "_write", hasty)


def failed_sends_forgotten() -> AbstractContextManager[Any]:
    """A send that failed is not tried again."""
    attempt = Publisher._attempt

    async def once(self: Publisher, outs: Any) -> _Outcome:
        await self._fence.opened()
        answers = await attempt(self, outs)
        return _Outcome([], [int(answer.offset) for answer in answers if not isinstance(answer, BaseException)])

    return patch.object(Publisher, "_confirm", once)


def batches_survive_a_rebalance() -> AbstractContextManager[Any]:
    """What was delivered before a rebalance still counts after it."""
    return patch.object(SimConsumer, "_forget", lambda self, tps: None)


def reading_survives_its_state() -> AbstractContextManager[Any]:
    """Recovery goes on where it had ended, though the state that it had read was dropped with the partition."""

    def forgetful(self: Store, numbers: Iterable[int]) -> None:
        for number in set(self.partitions) - set(numbers):
            del self.partitions[number]

    return patch.object(Store, "keep_only", forgetful)


REQUIRED: dict[str, Callable[[], AbstractContextManager[Any]]] = {
    plant.__name__: plant for plant in (ack_before_confirm, lost_outbox, stale_timer)
}
OTHERS: dict[str, Callable[[], AbstractContextManager[Any]]] = {
    plant.__name__: plant
    for plant in (
        timers_not_made_anew,
        term_not_claimed,
        fence_ignored,
        every_record_counts,
        late_state_not_mended,
        quiet_changelogs_not_looked_at,
        late_state_not_taken,
        applied_before_confirmed,
        failed_sends_forgotten,
        batches_survive_a_rebalance,
        reading_survives_its_state,
        outputs_before_state,
    )
}
PLANTS = REQUIRED | OTHERS
