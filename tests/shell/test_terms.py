"""Records that an owner which overslept still writes: recovery leaves them out, and the owner of the day mends them."""

import pytest
from aiokafka.errors import KafkaConnectionError
from hypothesis import given
from hypothesis import strategies as st

from agents.worker.changelog import Changelog
from agents.worker.fence import Fenced
from agents.worker.moments import Moment
from agents.worker.publisher import Publisher
from agents.worker.store import Store
from agents.worker.terms import CLAIM_KEY, Reading, stamp, term_of
from tests.shell.counter import Did
from tests.shell.fakes import Bench, FakeProducer
from topics.table import CHANGELOGS

TOPIC = "changelog.customers"
NOW = Moment(1_000)


def recovered(producer: FakeProducer) -> dict[bytes, bytes]:
    """What a later owner reads."""
    state: dict[bytes, bytes] = {}
    read_into(state, producer, TOPIC)
    return state


def read_into(state: dict[bytes, bytes], producer: FakeProducer, topic: str) -> Reading:
    reading = Reading()
    for record in producer.logs.get(topic, []):
        if reading.counts(record):
            state[record.key] = record.value
            if record.value is None:
                del state[record.key]
    return reading


def compacted(producer: FakeProducer) -> dict[bytes, bytes]:
    """What is left where only the last record of each key is."""
    last = {record.key: record for record in producer.logs[TOPIC]}
    producer.logs[TOPIC] = sorted(last.values(), key=lambda record: record.offset)
    return recovered(producer)


def change(key: bytes, value: bytes | None) -> Did:
    return Did(writes=[("customers", key, value)])


def test_the_term_of_a_record():
    """The header names it; records without one, or with nonsense, are of term 0."""
    producer = FakeProducer()
    headers = [[], [("term", b"7")], [("term", b"x")], [("term", None)], [("other", b"1"), stamp(12)]]
    assert [term_of(producer.append(TOPIC, b"k", b"", each)) for each in headers] == [0, 7, 0, 0, 12]


async def test_a_late_record_is_not_recovered():
    """The state record of an owner that overslept, behind its successor's newer one, is left out."""
    producer = FakeProducer()
    old, new = Bench(producer=producer), Bench(producer=producer)
    await old.publisher.begin()
    await old.publisher.publish(change(b"a", b"first"), NOW)
    successor = _successor(producer, new)
    await successor.begin()
    await successor.publish(change(b"a", b"second"), NOW)
    producer.append(TOPIC, b"a", b"late", [stamp(1)])
    assert recovered(producer) == {b"a": b"second"}


async def test_a_late_record_is_overwritten_before_it_is_the_last():
    """The owner sees by the offsets of its next records that another wrote, and writes its own state again."""
    producer, bench, publisher = await _owner()
    producer.append(TOPIC, b"a", b"late", [stamp(0)])
    producer.append(TOPIC, b"gone", b"late", [stamp(0)])
    await publisher.publish(change(b"b", b"mine too"), NOW)
    assert compacted(producer) == {b"a": b"mine", b"b": b"mine too"}
    assert bench.metrics.registry.get_sample_value("mindgap_foreign_state_total") == 2


async def test_a_late_record_is_overwritten_where_nothing_more_is_written():
    """An owner in quiet is told how far its changelog reaches, and writes its own state of a late record's key again."""
    producer, bench, publisher = await _owner()
    producer.append(TOPIC, b"a", b"late", [stamp(0)])
    producer.append(TOPIC, b"gone", b"late", [stamp(0)])
    await publisher.mend({TOPIC: len(producer.logs[TOPIC])})
    assert compacted(producer) == {b"a": b"mine"}
    assert publisher.ends()[TOPIC] == 6
    assert bench.metrics.registry.get_sample_value("mindgap_foreign_state_total") == 2


async def test_an_end_that_is_known_asks_for_nothing():
    """An end that was asked for before our last writes, or just after them, is no reason to read."""
    producer, _, publisher = await _owner()
    publisher._changelogs["customers"]._fetch = None
    for end in range(3):
        await publisher.mend({TOPIC: end})
    assert [record.value for record in producer.logs[TOPIC]] == [None, b"mine"]


async def test_an_equal_claim_behind_late_state_takes_nothing_away():
    """Late state, and behind it a claim to the owner's own term: what compaction leaves up to it is what the owner said.

    It is what happened in seed 4508 of the simulation: a worker that was given its partition once more lost it while
    its state and its new claim were under way, and they arrived when the next owner had claimed and written.
    """
    producer = FakeProducer()
    before, again, owner = Bench(), Bench(), Bench()
    await _successor(producer, before).begin()
    await before.publisher.publish(change(b"a", b"first"), NOW)
    _successor(producer, again)
    await _successor(producer, owner).begin()
    await owner.publisher.publish(change(b"a", b"second"), NOW)
    producer.append(TOPIC, b"a", b"late", [before.publisher._changelogs["customers"].stamp])
    producer.append(TOPIC, CLAIM_KEY, None, [again.publisher._changelogs["customers"].stamp])
    assert term_of(producer.logs[TOPIC][-1]) == owner.publisher._changelogs["customers"].term
    await owner.publisher.mend({TOPIC: len(producer.logs[TOPIC])})
    assert compacted(producer) == {b"a": b"second"} == owner.stores["customers"]


async def test_what_came_between_recovery_and_claim_is_taken():
    """Records that reached the log after recovery had read it, and before the claim, are in the state."""
    producer, bench = FakeProducer(), Bench()
    bench.producer = producer
    publisher = _successor(producer, bench)
    producer.append(TOPIC, b"a", b"in time", [stamp(0)])
    assert await publisher.begin()
    assert bench.stores["customers"] == {b"a": b"in time"} == recovered(producer)
    assert [record.key for record in producer.logs[TOPIC]] == [b"a", CLAIM_KEY]


async def test_a_claim_in_quiet_changes_nothing():
    """Where nobody else wrote, the claim asks for nothing to be read."""
    bench = Bench()
    assert not await bench.publisher.begin()


async def test_a_higher_term_ends_the_lane():
    """Who meets a claim above its own writes no more."""
    producer, bench = FakeProducer(), Bench()
    bench.producer = producer
    publisher = _successor(producer, bench)
    await publisher.begin()
    producer.append(TOPIC, CLAIM_KEY, None, [stamp(9)])
    with pytest.raises(Fenced):
        await publisher.publish(change(b"a", b"mine"), NOW)


async def test_a_changelog_that_cannot_be_read_is_looked_at_again():
    """Where the gap cannot be read now, work goes on, and the next write mends it."""
    producer, _, publisher = await _owner()
    producer.append(TOPIC, b"a", b"late", [stamp(0)])
    fetch = producer.fetch

    async def unreadable(*_):
        raise KafkaConnectionError

    log = publisher._changelogs["customers"]
    log._fetch = unreadable
    await publisher.publish(change(b"b", b"1"), NOW)
    log._fetch = fetch
    await publisher.publish(change(b"b", b"2"), NOW)
    assert compacted(producer) == {b"a": b"mine", b"b": b"2"}


def test_recovery_goes_on_where_it_stopped():
    """A kept partition is read on from its end, one that was dropped from its beginning."""
    from types import SimpleNamespace

    from faust.types import TP

    from agents.transport import RecordBatch

    producer = FakeProducer()
    for n in range(3):
        producer.append(TOPIC, b"a", b"%d" % n, [stamp(5 - n)])
    store = Store.__new__(Store)
    store.partitions, store.readings = {}, {}
    tp = TP(TOPIC, 1)
    assert store.persisted_offset(tp) == -1
    event = SimpleNamespace(message=SimpleNamespace(value=RecordBatch(tp, producer.logs[TOPIC], 1)))
    store.apply_changelog_batch([event], bytes, bytes)
    assert store.partition(1) == {b"a": b"0"}
    assert store.persisted_offset(tp) == 2
    store.keep_only({0})
    assert store.persisted_offset(tp) == -1


Step = tuple[str, int]
STEPS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["write", "sleep with"]), st.integers(0, 2)),
        st.tuples(st.sampled_from(["take over", "wake"]), st.integers(0, 3)),
    ),
    max_size=25,
)


@given(STEPS)
async def test_any_order_of_owners(steps):
    """However owners follow one another and whenever those that overslept wake: recovery reads what the owner holds.

    Once the owner has looked where the log ends, that is also what compaction leaves.
    """
    producer = FakeProducer()
    owner = Bench(producer=producer)
    await owner.publisher.begin()
    buffered: list[tuple[bytes, bytes, tuple[str, bytes]]] = []
    for number, (what, which) in enumerate(steps):
        key, value = b"k%d" % which, b"v%d" % number
        log = owner.publisher._changelogs["customers"]
        if what == "write":
            await owner.publisher.publish(change(key, value), NOW)
        elif what == "wake" and buffered:
            key, value, term = buffered.pop(which % len(buffered))
            producer.append(TOPIC, key, value, [term])
        elif what in {"sleep with", "take over"}:
            if what == "sleep with":
                buffered.append((key, value, log.stamp))
            owner = Bench(producer=producer)
            owner.publisher = _successor(producer, owner)
            await owner.publisher.begin()
        assert recovered(producer) == owner.stores["customers"]
    await owner.publisher.mend({TOPIC: len(producer.logs[TOPIC])})
    assert recovered(producer) == owner.stores["customers"]
    assert compacted(producer) == owner.stores["customers"]


async def _owner() -> tuple[FakeProducer, Bench, Publisher]:
    """An owner that has claimed its term and written one key."""
    producer, bench = FakeProducer(), Bench()
    bench.producer = producer
    publisher = _successor(producer, bench)
    await publisher.begin()
    await publisher.publish(change(b"a", b"mine"), NOW)
    return producer, bench, publisher


def _successor(producer: FakeProducer, bench: Bench):
    """The publisher of `bench` as of an owner that has recovered what `producer` holds now."""
    bench.publisher._producer = producer
    bench.publisher._changelogs = {
        name: Changelog(topic, 1, bench.stores[name], read_into(bench.stores[name], producer, topic), producer.fetch)
        for name, topic in CHANGELOGS.items()
    }
    return bench.publisher
