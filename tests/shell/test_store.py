"""State by partition: changelog batches applied in order, lost partitions gone whole."""

from types import SimpleNamespace

import pytest
from aiokafka import ConsumerRecord
from faust.types import TP

from agents.clock import WallClock
from agents.settings import settings_from
from agents.transport import RecordBatch
from agents.worker.app import make_app
from agents.worker.store import Store
from tests.shell.counter import CounterKit


@pytest.fixture
async def store() -> Store:
    app = make_app(settings_from({}, web_enabled=False), WallClock(), CounterKit())
    return app.tables["customers"].data


def changes(partition: int, *pairs: tuple[bytes, bytes | None]):
    """A changelog event as the transport delivers it."""
    records = [
        ConsumerRecord("changelog.customers", partition, n, 0, 0, key, value, None, 1, 1, ())
        for n, (key, value) in enumerate(pairs)
    ]
    return SimpleNamespace(message=SimpleNamespace(value=RecordBatch(TP("changelog.customers", partition), records, 1)))


def apply(store: Store, *events) -> None:
    store.apply_changelog_batch(events, lambda key: key, lambda value: value)


async def test_the_last_write_wins(store):
    """Writes and tombstones take effect in the order of the changelog, also within one batch."""
    apply(store, changes(0, (b"a", b"1"), (b"b", b"1"), (b"a", None), (b"b", None), (b"b", b"2"), (b"gone", None)))
    assert store.partition(0) == {b"b": b"2"}


async def test_partitions_are_apart(store):
    """One key in two partitions is two states."""
    apply(store, changes(0, (b"a", b"1")), changes(1, (b"a", b"2")))
    assert (store.partition(0), store.partition(1)) == ({b"a": b"1"}, {b"a": b"2"})


async def test_a_lost_partition_is_dropped(store):
    """After recovery only the partitions that are ours have state; one that comes back begins empty."""
    apply(store, changes(0, (b"a", b"1")), changes(1, (b"b", b"1")))
    await store.on_recovery_completed({TP("changelog.customers", 1)}, set())
    assert set(store.partitions) == {1}
    assert store.partition(0) == {}
