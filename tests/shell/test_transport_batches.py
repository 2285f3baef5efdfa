"""The batching consumer's bookkeeping, without a broker."""

import asyncio
from types import SimpleNamespace
from unittest.mock import AsyncMock

import pytest
from aiokafka import ConsumerRecord
from aiokafka.errors import IllegalStateError, KafkaConnectionError
from faust.types import TP
from hypothesis import given
from hypothesis import strategies as st

from agents.clock import WallClock
from agents.settings import settings_from
from agents.transport import BatchLimits, Consumer, RecordBatch, split
from agents.worker.app import make_app
from tests.shell.counter import CounterKit

HERE = TP("interactions.chat", 0)


def record(offset: int, size: int = 10, at: int = 0) -> ConsumerRecord:
    return ConsumerRecord(HERE.topic, 0, offset, at, 0, b"", b"x" * size, None, 0, size, ())


@pytest.fixture
async def consumer(tmp_path) -> Consumer:
    app = make_app(settings_from({}, web_enabled=False), WallClock(), CounterKit())
    return app.consumer


def accept(consumer: Consumer, *offsets: int, position: int | None = None, end: int | None = None):
    consumer._thread = SimpleNamespace(
        offsets=lambda tps: {HERE: (position if position is not None else offsets[-1] + 1, end or offsets[-1] + 1)},
        assignment=lambda: {HERE},
    )
    consumer.app.batch_limits = BatchLimits(records_max=1)
    return consumer._accept({HERE: [record(offset, at=offset * 10) for offset in offsets]})


@given(st.lists(st.integers(0, 50), min_size=1, max_size=40), st.integers(1, 7), st.integers(1, 120))
def test_split_keeps_order_and_limits(sizes, records_max, bytes_max):
    """Batches hold every record once, in order, within the limits; only a single record may be larger."""
    records = [record(offset, size) for offset, size in enumerate(sizes)]
    batches = list(split(HERE, records, 1, BatchLimits(records_max, bytes_max)))
    assert [r for batch in batches for r in batch.records] == records
    for batch in batches:
        assert len(batch.records) <= records_max
        assert len(batch.records) == 1 or sum(len(r.value) for r in batch.records) <= bytes_max


async def test_commits_only_what_is_done_in_order(consumer):
    """An offset is committed when every batch before it is done; gaps between offsets do not matter."""
    first, second, third = accept(consumer, 11, 12, 40)
    consumer.mark_done(second)
    assert list(consumer._filter_tps_with_pending_acks()) == []
    assert consumer._new_offset(HERE) is None
    consumer.mark_done(first)
    assert list(consumer._filter_tps_with_pending_acks()) == [HERE]
    assert consumer._new_offset(HERE) == 13
    assert consumer._new_offset(HERE) is None
    consumer.mark_done(third)
    assert consumer._new_offset(HERE) == 41


async def test_acknowledgement_by_faust_commits_nothing(consumer):
    """What Faust itself acknowledges, as it does when an agent raises, is not committed."""
    (batch,) = accept(consumer, 11)
    message = consumer._to_message(HERE, batch.records[-1])
    consumer.app.topics._acking_topics.add(HERE.topic)
    consumer.ack(message)
    assert message.acked
    assert consumer._filter_committable_offsets(consumer._filter_tps_with_pending_acks()) == {}


async def test_batches_from_before_a_seek_count_no_more(consumer):
    """After a seek or a rebalance, a batch delivered before it cannot move the committed offset."""
    (old,) = accept(consumer, 11)
    consumer._forget([HERE])
    (new,) = accept(consumer, 11)
    consumer.mark_done(old)
    assert consumer._new_offset(HERE) is None
    consumer.mark_done(new)
    assert consumer._new_offset(HERE) == 12


async def test_a_commit_that_fails_is_tried_again(consumer):
    """What the broker did not take is committed with the next attempt, also when nothing new has come."""
    answers = [False, True]
    asked = []

    async def commit(offsets):
        asked.append(dict(offsets))
        return answers.pop(0)

    (batch,) = accept(consumer, 11)
    consumer._thread.commit = commit
    consumer.mark_done(batch)
    for _ in range(3):
        offsets = consumer._filter_committable_offsets(consumer._filter_tps_with_pending_acks())
        if offsets:
            await consumer._commit(offsets)
            consumer._committed_offset.update(offsets)  # as Faust does, whatever the answer
    assert asked == [{HERE: 12}, {HERE: 12}]


async def test_an_offset_that_was_looked_up_before_a_rebalance_is_not_committed(consumer):
    """While it waited to be sent the partition may have been another's, who is further by now."""
    (batch,) = accept(consumer, 11)
    consumer.mark_done(batch)
    offsets = consumer._filter_committable_offsets(consumer._filter_tps_with_pending_acks())
    assert offsets == {HERE: 12}
    consumer._forget([HERE])
    consumer._thread = SimpleNamespace(commit=AsyncMock(return_value=True))
    assert not await consumer._commit(offsets)
    consumer._thread.commit.assert_not_called()


async def test_the_thread_survives_a_failed_commit(consumer):
    """A broker that cannot be reached makes a commit false, and does not end the process."""

    async def commit(offsets):
        raise KafkaConnectionError

    thread = consumer._new_consumer_thread()
    thread.__post_init__()
    thread._consumer = SimpleNamespace(commit=commit, assignment=lambda: {HERE})
    assert await thread._commit({HERE: 12}) is False
    assert not thread.crashed


async def test_progress(consumer):
    """A partition is drained when nothing delivered is undone and nothing more is known to be there."""
    assert not consumer.progress(HERE).drained
    first, second = accept(consumer, 5, 6, end=9)
    progress = consumer.progress(HERE)
    assert (progress.drained, progress.oldest, progress.lag) == (False, 50, 4)
    assert consumer.progress(HERE, 1).oldest == 60
    assert consumer.progress(HERE, 2) == (False, None, 2)
    consumer.mark_done(first)
    consumer.mark_done(second)
    assert consumer.progress(HERE) == (False, None, 2)
    (third,) = accept(consumer, 7, position=9, end=9)  # 8 was a marker of a transaction: there is no such record
    assert consumer.progress(HERE, 1).drained
    consumer.mark_done(third)
    assert consumer.progress(HERE).drained


async def test_nothing_is_handed_over_after_a_rebalance(consumer):
    """Batches that were fetched in another generation are not delivered."""
    batches = accept(consumer, 1, 2)
    delivered: list[RecordBatch] = []

    async def callback(message):
        delivered.append(message.value)
        consumer.app.consumer_generation_id += 1

    consumer.callback = callback
    consumer.flow_active = True
    await consumer._deliver(batches)
    assert delivered == batches[:1]


async def test_sources_wait_for_the_rebalance_to_end(consumer):
    """While the group rebalances only changelogs are fetched: Faust clears the queues of agents at its end."""
    changelog = TP("changelog.customers", 0)
    asked: list[set[TP]] = []

    async def getmany(active_partitions, timeout):  # noqa: ASYNC109
        asked.append(active_partitions)
        return {}

    consumer._getmany = getmany
    consumer.flow_active = True
    consumer._active_partitions = {HERE, changelog}
    consumer.app.tables._changelogs = {changelog.topic: None}
    consumer.app.rebalancing = True
    assert await consumer._fetch() == {}
    consumer.app.rebalancing = False
    assert await consumer._fetch() == {}
    assert asked == [{changelog}, {HERE, changelog}]


async def test_what_is_fetched_during_a_seek_is_fetched_again(consumer):
    """Records from before a seek would be counted as done without those before them: the seek is made once more."""
    committed, position = 11, 12  # 11 was delivered, and is forgotten by the seek
    sought = 0
    began, go_on = asyncio.Event(), asyncio.Event()

    async def seek_to_committed():
        nonlocal sought, position
        sought += 1
        began.set()
        if sought == 1:
            await go_on.wait()
        position = committed
        return {HERE: committed}

    async def getmany(active_partitions, timeout):  # noqa: ASYNC109
        nonlocal position
        if sought == 0:
            await began.wait()
        found, position = [record(offset) for offset in range(position, 14)], 14
        return {HERE: found}

    consumer.seek_to_committed, consumer._getmany = seek_to_committed, getmany
    consumer.flow_active = True
    consumer._active_partitions = {HERE}
    fetch = asyncio.create_task(consumer._fetch())
    await asyncio.sleep(0)
    seek = asyncio.create_task(consumer.perform_seek())
    assert await fetch == {}
    assert await consumer._fetch() is None, "a seek is under way"
    go_on.set()
    await seek
    fetched = await consumer._fetch()
    assert [r.offset for r in fetched[HERE]] == [11, 12, 13]


async def test_a_second_seek_that_fails_is_owed(consumer):
    """Where going back once more is refused (a rebalance is on its way), nothing is taken until it has been done."""
    refused: list[Exception] = [IllegalStateError("not assigned"), AssertionError("no partitions are assigned")]
    position = 12  # 11 is committed

    async def seek_to_committed():
        nonlocal position
        if refused and consumer._seeks > 1:
            raise refused.pop(0)
        position = 11
        return {HERE: 11}

    async def getmany(active_partitions, timeout):  # noqa: ASYNC109
        nonlocal position
        if consumer._seeks == 0:
            await consumer.perform_seek()
            position = 12
        found, position = [record(offset) for offset in range(position, 14)], 14
        return {HERE: found}

    consumer.seek_to_committed, consumer._getmany = seek_to_committed, getmany
    consumer.flow_active = True
    consumer._active_partitions = {HERE}
    assert await consumer._fetch() is None
    assert await consumer._fetch() is None, "it is still owed"
    fetched = await consumer._fetch()
    assert [r.offset for r in fetched[HERE]] == [11, 12, 13]


async def test_late_changelog_records_are_dropped(consumer):
    """A changelog record that was fetched before recovery ended and is handed over after it would undo newer state."""
    changelog = TP("changelog.customers", 0)
    delivered: list[RecordBatch] = []

    async def callback(message):
        delivered.append(message.value)

    consumer.callback = callback
    consumer.flow_active = True
    consumer.app.tables._changelogs = {changelog.topic: None}
    consumer._active_partitions = {HERE}
    generation = consumer.app.consumer_generation_id
    old, new = (RecordBatch(tp, [record(1)], generation) for tp in (changelog, HERE))
    await consumer._deliver([old, new])
    assert delivered == [new]


async def _recovering(consumer, delivered: list[RecordBatch]) -> tuple[RecordBatch, "asyncio.Task[None]"]:
    """A changelog batch that is being delivered while Faust's queue of them is full."""
    changelog = TP("changelog.customers", 0)
    queue = consumer.app.tables.changelog_queue
    while not queue.full():
        queue.put_nowait(None)

    async def callback(message):
        assert not queue.full()
        delivered.append(message.value)

    consumer.callback = callback
    consumer.flow_active = True
    consumer.app.tables._changelogs = {changelog.topic: None}
    consumer._active_partitions = {changelog}
    batch = RecordBatch(changelog, [record(1)], consumer.app.consumer_generation_id)
    task = asyncio.create_task(consumer._deliver([batch]))
    for _ in range(3):
        await asyncio.sleep(0)
    assert not delivered
    return batch, task


async def test_a_changelog_batch_waits_for_room(consumer):
    """Faust is not given more of a changelog than it takes at once."""
    delivered: list[RecordBatch] = []
    batch, task = await _recovering(consumer, delivered)
    consumer.app.tables.changelog_queue.get_nowait()
    await asyncio.wait_for(task, 5)
    assert delivered == [batch]


async def test_a_changelog_batch_does_not_wait_past_a_rebalance(consumer):
    """Between the first of the next recovery and this one all would count as read: state would be lost."""
    delivered: list[RecordBatch] = []
    _, task = await _recovering(consumer, delivered)
    consumer.app.consumer_generation_id += 1
    consumer.app.flow_control.clear()
    await asyncio.wait_for(task, 5)
    assert delivered == []


async def test_a_seek_goes_back_where_nothing_is_committed(consumer):
    """A partition without a commit is sought to its beginning: what was fetched of it is not passed over."""
    sought = []
    offsets = {
        HERE: None,
        TP("interactions.email", 0): 7,
        TP("customer-inbox", 0): 0,
        TP("changelog.customers", 0): None,
    }

    async def seek_to_committed():
        return offsets

    async def seek_to_beginning(*tps):
        sought.extend(tps)

    thread = consumer._new_consumer_thread()
    thread._consumer = SimpleNamespace(seek_to_committed=seek_to_committed, seek_to_beginning=seek_to_beginning)
    consumer._is_changelog_tp = lambda tp: tp.topic.startswith("changelog")
    assert await thread._seek_to_committed() == offsets
    assert sought == [HERE, TP("customer-inbox", 0)]
