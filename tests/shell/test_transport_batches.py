"""The batching consumer's bookkeeping, without a broker."""

from types import SimpleNamespace

import pytest
from aiokafka import ConsumerRecord
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
