"""State before outputs, all confirmed, and nothing past the fence."""

import asyncio
from types import SimpleNamespace

import pytest
from aiokafka.errors import KafkaTimeoutError, MessageSizeTooLargeError

from agents.worker import publisher as publisher_module
from agents.worker.fence import Fenced
from agents.worker.moments import Moment
from agents.worker.publisher import StateRefused
from tests.shell.counter import Did, Out
from tests.shell.fakes import Bench

NOW = Moment(1_000)


@pytest.fixture(autouse=True)
def _fast(monkeypatch):
    monkeypatch.setattr(publisher_module, "_BACKOFF_FIRST_S", 0.001)


def effects() -> Did:
    return Did(
        writes=[("customers", b"a", b"1"), ("identities", b"i", b"2")],
        sends=[Out("escalations", b"a", b"out")],
    )


async def test_state_goes_first():
    """State is confirmed and applied before an output is sent."""
    bench = Bench()
    await bench.publisher.publish(effects(), NOW)
    assert [topic for topic, *_ in bench.producer.sent] == [
        "changelog.identities",
        "changelog.customers",
        "escalations",
    ]
    assert bench.stores == {"customers": {b"a": b"1"}, "identities": {b"i": b"2"}, "aggregates": {}}
    assert bench.producer.sent[0][3] == 1


async def test_a_tombstone_deletes():
    """A write of None deletes, in the changelog and here."""
    bench = Bench()
    bench.stores["customers"][b"a"] = b"1"
    await bench.publisher.publish(Did(writes=[("customers", b"a", None)]), NOW)
    assert bench.stores["customers"] == {}
    assert bench.producer.sent == [("changelog.customers", b"a", None, 1)]


@pytest.mark.parametrize("where", ["at_call", "at_confirmation"])
async def test_broker_errors_are_retried(where):
    """What the broker does not confirm is sent again, and only that; no output goes out before its state."""
    bench = Bench()
    getattr(bench.producer, where).extend([KafkaTimeoutError(), None, KafkaTimeoutError(), None, KafkaTimeoutError()])
    await bench.publisher.publish(effects(), NOW)
    assert [topic for topic, *_ in bench.producer.sent] == [
        "changelog.identities",
        "changelog.customers",
        "escalations",
    ]
    assert bench.publisher.retrying_since is None


async def test_state_that_no_broker_takes():
    """Refused state is an error of the batch: what was taken is applied, the rest is not, and no output is sent."""
    bench = Bench()
    bench.producer.at_confirmation = [None, MessageSizeTooLargeError()]
    both = Did(writes=[*effects().writes, ("customers", b"b", b"3")], sends=effects().sends)
    with pytest.raises(StateRefused):
        await bench.publisher.publish(both, NOW)
    assert bench.stores == {"customers": {b"b": b"3"}, "identities": {b"i": b"2"}, "aggregates": {}}
    assert "escalations" not in [topic for topic, *_ in bench.producer.sent]


async def test_identities_are_confirmed_before_customers_begin():
    """A customer is not sent while the identities that lead to it are on their way."""
    bench = Bench()
    confirmations = []
    enqueue = bench.producer.enqueue

    async def slow(topic, *arguments, **named):
        future = await enqueue(topic, *arguments, **named)
        if topic == "changelog.identities":
            future = asyncio.get_running_loop().create_future()
            confirmations.append(future)
        return future

    bench.producer.enqueue = slow
    publishing = asyncio.create_task(bench.publisher.publish(effects(), NOW))
    await asyncio.sleep(0.05)
    assert [topic for topic, *_ in bench.producer.sent] == ["changelog.identities"]
    confirmations[0].set_result(SimpleNamespace(offset=0))
    await asyncio.wait_for(publishing, 2)
    assert len(bench.producer.sent) == 3


@pytest.mark.parametrize("where", ["at_call", "at_confirmation"])
async def test_a_record_that_is_sent_again_takes_those_behind_it_along(where):
    """The last record of a key is the last that was decided, also where the one before it failed at first."""
    bench = Bench()
    setattr(bench.producer, where, [KafkaTimeoutError()])
    out = [Out("escalations.current", key, value) for key, value in ((b"e", b"1"), (b"f", b"1"), (b"e", b"2"))]
    await bench.publisher.publish(Did(sends=out), NOW)
    current = [(record.key, record.value) for record in bench.producer.logs["escalations.current"]]
    assert current == [(b"f", b"1"), (b"e", b"2"), (b"e", b"1"), (b"e", b"2")]


async def test_output_that_no_broker_takes():
    """A refused output is counted and given up: it must not stop the partition."""
    bench = Bench()
    bench.producer.at_call = [None, None, MessageSizeTooLargeError()]
    await bench.publisher.publish(effects(), NOW)
    assert bench.metrics.registry.get_sample_value("mindgap_outputs_refused_total") == 1


async def test_a_process_that_overslept_writes_nothing():
    """Once the lease has run out nothing is sent; when the generation is another, it never will be."""
    bench = Bench()
    bench.seconds = 6.5
    publishing = asyncio.create_task(bench.publisher.publish(effects(), NOW))
    await asyncio.sleep(0.12)
    assert bench.producer.sent == []
    bench.app.consumer_generation_id = 8
    with pytest.raises(Fenced):
        await asyncio.wait_for(publishing, 2)
    assert bench.producer.sent == []
    assert bench.stores["customers"] == {}


async def test_what_is_confirmed_after_an_oversleep_is_not_taken_for_state():
    """It may stand behind the next owner's claim, where it does not count; if it does, the next recovery reads it."""
    bench = Bench()
    enqueue = bench.producer.enqueue

    async def enqueue_and_oversleep(*arguments, **named):
        bench.seconds = 6.5
        return await enqueue(*arguments, **named)

    bench.producer.enqueue = enqueue_and_oversleep
    publishing = asyncio.create_task(bench.publisher.publish(effects(), NOW))
    await asyncio.sleep(0.12)
    assert len(bench.producer.sent) == 1
    assert not any(bench.stores.values())
    bench.app.consumer_generation_id = 8
    with pytest.raises(Fenced):
        await asyncio.wait_for(publishing, 2)
    assert not any(bench.stores.values())


async def test_the_fence_is_looked_at_before_every_send():
    """A generation that ends between two records lets the second go no more."""
    bench = Bench()
    enqueue = bench.producer.enqueue

    async def enqueue_then_lose(*arguments, **named):
        bench.app.consumer_generation_id = 8
        return await enqueue(*arguments, **named)

    bench.producer.enqueue = enqueue_then_lose
    with pytest.raises(Fenced):
        await bench.publisher.publish(effects(), NOW)
    assert len(bench.producer.sent) == 1
    assert bench.stores["customers"] == {}


async def test_a_generation_ends_with_the_rebalance_that_follows():
    """Whoever asks to join anew writes nothing more, though Faust, whose recovery ends just then, calls that over."""
    bench = Bench()
    bench.app.rebalancing = True
    publishing = asyncio.create_task(bench.publisher.publish(effects(), NOW))
    await asyncio.sleep(0)
    bench.app.rebalancing_count += 1
    bench.app.rebalancing = False
    with pytest.raises(Fenced):
        await asyncio.wait_for(publishing, 2)
    assert bench.producer.sent == []


async def test_waits_until_the_rebalance_is_over_that_gave_the_partitions():
    """Until then writes wait; they go out when it is."""
    bench = Bench()
    bench.app.rebalancing = True
    publishing = asyncio.create_task(bench.publisher.publish(effects(), NOW))
    await asyncio.sleep(0.12)
    assert bench.producer.sent == []
    bench.app.rebalancing = False
    await asyncio.wait_for(publishing, 2)
    assert len(bench.producer.sent) == 3
