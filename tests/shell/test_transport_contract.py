"""What the shell relies on in the private parts of Faust 0.15.3, aiokafka 0.14.0 and mode 0.7.1.

One test per method that is overridden or called. A failure after an upgrade says what to read again.
"""

import inspect
from importlib.metadata import version

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.client import AIOKafkaClient
from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.consumer.subscription_state import Assignment, SubscriptionState, TopicPartitionState
from faust.app.base import App
from faust.stores import STORES, memory
from faust.tables.base import Collection
from faust.tables.recovery import Recovery
from faust.transport import consumer as base
from faust.transport.drivers import TRANSPORTS
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from agents.transport import Consumer


def parameters(function) -> list[str]:
    return list(inspect.signature(function).parameters)


def source(function) -> str:
    return inspect.getsource(function)


def test_versions():
    """The versions are the ones whose source was read."""
    assert version("faust-streaming") == "0.15.3"
    assert version("aiokafka") == "0.14.0"
    assert version("mode-streaming") == "0.7.1"


def test_registries_take_a_name():
    """Transports and stores are found by the URL's scheme, from a mapping of aliases."""
    assert TRANSPORTS.aliases["aiokafka"] == "faust.transport.drivers.aiokafka:Transport"
    assert STORES.aliases["memory"] == "faust.stores.memory:Store"


def test_drain_messages():
    """The fetcher calls `_drain_messages(fetcher)` on the consumer, once, and expects it to loop."""
    assert parameters(base.Consumer._drain_messages) == ["self", "fetcher"]
    assert inspect.iscoroutinefunction(base.Consumer._drain_messages)
    assert "consumer._drain_messages(self)" in source(base.Fetcher._fetcher.fun)
    assert "self.wait_first(\n" in source(base.Consumer._drain_messages)


def test_new_offset():
    """Commits ask `_new_offset(tp)` for each partition that `_filter_tps_with_pending_acks` names."""
    assert parameters(base.Consumer._new_offset) == ["self", "tp"]
    assert parameters(base.Consumer._filter_tps_with_pending_acks) == ["self", "topics"]
    assert "self._filter_tps_with_pending_acks(topics)" in source(base.Consumer.force_commit)
    assert "self._new_offset(tp)" in source(base.Consumer._filter_committable_offsets)


def test_commit():
    """The thread's `_commit(offsets)` talks to the broker; the consumer's gets its answer."""
    assert parameters(driver.AIOKafkaConsumerThread._commit) == ["self", "offsets"]
    assert parameters(driver.Consumer._commit) == ["self", "offsets"]
    assert parameters(base.Consumer._should_commit) == ["self", "tp", "offset"]
    assert "did_commit = await self._commit(committable_offsets)" in source(base.Consumer._commit_offsets)
    assert "self.call_thread(self._commit, offsets)" in source(driver.AIOKafkaConsumerThread.commit)


def test_perform_seek():
    """`perform_seek` runs after every pause of the flow, and sets the read offsets."""
    assert parameters(base.Consumer.perform_seek) == ["self"]
    assert "consumer.perform_seek()" in source(Recovery.on_recovery_completed)
    assert "consumer.perform_seek()" in source(Recovery._resume_streams)
    assert "_read_offset" in source(base.Consumer.perform_seek)


def test_on_partitions_revoked():
    """Revocation reaches the consumer with the set of partitions, before the app."""
    assert parameters(base.Consumer.on_partitions_revoked) == ["self", "revoked"]


def test_on_partitions_assigned():
    """An assignment reaches the consumer before the app, and the coordinator goes on only when that is done.

    A rebalance is counted when it begins, and called over when a recovery ends, whichever rebalance that came from.
    """
    assert parameters(base.Consumer.on_partitions_assigned) == ["self", "assigned", "generation_id"]
    assert "await promise" in source(base.ThreadDelegateConsumer.threadsafe_partitions_assigned)
    assert "rebalancing_count += 1" in source(App.on_rebalance_start)
    assert "self.app.on_rebalance_end()" in source(Recovery.on_recovery_completed)


def test_verify_event_path():
    """Faust looks for slow streams every few seconds; its look asserts a position, which a seek leaves unknown.

    It returns nothing, and nothing hangs on it but lines in the log.
    """
    assert parameters(base.Consumer.verify_event_path) == ["self", "now", "tp"]
    assert "self.verify_event_path(now, tp)" in source(base.Consumer.verify_all_partitions_active)
    assert "committed_offset = tp_state.position" in source(driver.AIOKafkaConsumerThread.verify_event_path)
    assert "assert self._position is not None" in source(TopicPartitionState.position.fget)
    assert Consumer.verify_event_path is not driver.Consumer.verify_event_path
    consumer = object.__new__(Consumer)
    consumer.verify_event_path(0.0, TP("interactions.chat", 0))  # of a partition that nobody knows


def test_getmany():
    """`_getmany(active_partitions, timeout)` gives raw records by partition."""
    assert parameters(driver.Consumer._getmany) == ["self", "active_partitions", "timeout"]
    assert parameters(driver.Consumer._to_message) == ["self", "tp", "record"]


def test_consumer_thread():
    """The driver's consumer makes its thread in `_new_consumer_thread`, and the thread starts the real consumer."""
    assert "AIOKafkaConsumerThread(self, loop=self.loop, beacon=self.beacon)" in source(
        driver.Consumer._new_consumer_thread
    )
    assert "await self._consumer.start()" in source(driver.AIOKafkaConsumerThread.on_start)


def test_heartbeat():
    """A heartbeat is `coordinator._do_heartbeat()`, looked up at each beat, true when the broker agrees."""
    assert parameters(GroupCoordinator._do_heartbeat) == ["self"]
    assert "await self._do_heartbeat()" in source(GroupCoordinator._heartbeat_routine)
    assert "self._coordinator = GroupCoordinator(" in source(AIOKafkaConsumer.start)


def test_positions_and_ends():
    """Position and highwater of a partition are kept in its subscription state."""
    assert isinstance(TopicPartitionState.position, property)
    assert isinstance(TopicPartitionState.has_valid_position, property)
    assert "self.highwater = None" in source(TopicPartitionState.__init__)
    assert parameters(Assignment.state_value) == ["self", "tp"]
    assert isinstance(SubscriptionState.subscription, property)


def test_producer():
    """Extra settings reach aiokafka's producer, whose `send` gives a future."""
    assert "self._settings_extra()" in source(driver.Producer._new_producer)
    assert parameters(driver.Producer._ensure_producer) == ["self"]
    names = parameters(AIOKafkaProducer.send)
    assert names == ["self", "topic", "value", "key", "partition", "timestamp_ms", "headers"]


def test_store():
    """Recovery gives changelog events to the store, and tells it when it is over."""
    assert parameters(memory.Store.apply_changelog_batch) == ["self", "batch", "to_key", "to_value"]
    assert parameters(memory.Store.on_recovery_completed) == ["self", "active_tps", "standby_tps"]
    assert "self.data.on_recovery_completed" in source(Collection.on_recovery_completed)


def test_recovery_calls_back_before_streams_resume():
    """`on_recover` callbacks end before source partitions are resumed; flow resumes, queues cleared, before the end."""
    text = source(Recovery.on_recovery_completed)
    order = ["table.on_recovery_completed", "resume_partitions", "flow_control.resume()", "on_rebalance_end()"]
    places = [text.index(part) for part in order]
    assert places == sorted(places)


def test_rebalancing_spans_recovery():
    """`app.rebalancing` is set at revocation and cleared only after recovery."""
    assert "self.rebalancing = True" in source(App.on_rebalance_start)
    assert "self.rebalancing = False" in source(App.on_rebalance_end)
    assert "app.on_rebalance_start()" in source(driver.ConsumerRebalanceListener.on_partitions_revoked)
    assert "consumer_generation_id = generation" in source(driver.ConsumerRebalanceListener.on_partitions_assigned)


def test_highwaters():
    """Recovery learns from the thread's `_highwaters` alone where changelogs end."""
    assert parameters(driver.AIOKafkaConsumerThread._highwaters) == ["self", "partitions"]
    assert "await consumer.highwaters(*tps)" in source(Recovery._build_highwaters)
    assert "self._thread.highwaters(*partitions)" in source(driver.Consumer.highwaters)
    assert "self._highwaters" in source(driver.AIOKafkaConsumerThread.highwaters)


def test_persisted_offset():
    """Recovery goes on after the offset that the store names, for each partition anew at every assignment."""
    assert parameters(memory.Store.persisted_offset) == ["self", "tp"]
    assert "table.persisted_offset(tp)" in source(Recovery._add)
    assert "offset > seen_offset" in source(Recovery._slurp_changelogs.fun)


def test_waits_for_an_answer():
    """A consumer that is not started yet keeps its waits in itself and its client, and hands them on."""
    text = source(AIOKafkaConsumer.__init__)
    assert "self._request_timeout_ms = request_timeout_ms" in text
    assert "self._rebalance_timeout_ms = rebalance_timeout_ms" in text
    assert "rebalance_timeout_ms=self._rebalance_timeout_ms" in source(AIOKafkaConsumer.start)
    assert "request_timeout_ms=self._request_timeout_ms" in source(AIOKafkaClient._get_conn)
    assert "self._settings_extra()" in source(driver.Producer._new_producer)


def test_fetch_wait():
    """A consumer that is not started yet keeps the wait of a fetch in `_fetch_max_wait_ms`, and hands it on."""
    assert parameters(driver.AIOKafkaConsumerThread._create_worker_consumer) == ["self", "transport"]
    assert "self._create_worker_consumer(transport)" in source(driver.AIOKafkaConsumerThread._create_consumer)
    assert "self._fetch_max_wait_ms = fetch_max_wait_ms" in source(AIOKafkaConsumer.__init__)
    assert "fetch_max_wait_ms=self._fetch_max_wait_ms" in source(AIOKafkaConsumer.start)


def test_seek_to_committed():
    """Where nothing is committed aiokafka does not seek; Faust's `perform_seek` asks the thread and leaves it at that."""
    assert parameters(driver.AIOKafkaConsumerThread.seek_to_committed) == ["self"]
    assert "self._thread.seek_to_committed()" in source(base.ThreadDelegateConsumer.seek_to_committed)
    assert "if offset and offset > 0:" in source(AIOKafkaConsumer.seek_to_committed)
    assert "await self.seek_to_committed()" in source(base.Consumer.perform_seek)
