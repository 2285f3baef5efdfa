"""A lane: batches and timers in turn, failures record by record, time that waits for the backlog."""

import asyncio
from contextlib import asynccontextmanager

import pytest
from faust.types import TP

from agents.transport import Progress
from agents.worker.lane import Lane
from agents.worker.terms import CLAIM_KEY
from agents.worker.watermark import PartitionTime
from tests.shell.counter import CounterNode, Did, Out
from tests.shell.fakes import DRAINED, Bench, SteppedClock, batch
from topics.partitioner import partition_of

KEY = next(f"c{n}" for n in range(50) if partition_of(f"c{n}".encode(), 2) == 1)


def event(id_: str, **more) -> bytes:
    from schemas.codec import dumps

    return dumps({"id": id_, "customer": KEY, **more})


class Kit:
    def records(self, incoming):
        return list(incoming)

    def policy_changed(self, node, now):
        return Did(sends=[Out("notifications", b"n", b"{}")])


@asynccontextmanager
async def running(bench: Bench, make_node, progress=lambda tp, taken=0: DRAINED, **options):
    done = []
    lane = Lane(
        1,
        prefix="",
        kit=Kit(),
        make_node=make_node,
        publisher=bench.publisher,
        fence=bench.fence,
        clock=bench.clock,
        partition_time=PartitionTime([TP("interactions.chat", 1)], progress, bench.clock),
        mark_done=done.append,
        metrics=bench.metrics,
        batches_max=options.get("batches_max", 4),
        records_max=100,
    )
    lane.done = done
    task = asyncio.create_task(lane.run())
    try:
        yield lane
    finally:
        lane.end()
        await asyncio.wait_for(task, 5)


async def until(check):
    async with asyncio.timeout(5):
        while not check():  # noqa: ASYNC110 - what it waits for has no event
            await asyncio.sleep(0.005)


def counter(bench: Bench):
    return lambda: CounterNode(1, bench.stores["customers"], lambda key: partition_of(key.encode(), 2))


async def test_done_after_everything_is_confirmed():
    """A batch is done when its state and its outputs are confirmed, not before."""
    bench = Bench()
    bench.app.rebalancing = True
    async with running(bench, counter(bench)) as lane:
        await lane.put(batch("interactions.chat", [event("1"), event("2")]))
        await asyncio.sleep(0.1)
        assert lane.done == []
        bench.app.rebalancing = False
        await until(lambda: len(lane.done) == 1)
        assert [topic for topic, *_ in bench.producer.sent] == ["changelog.customers", "escalations", "escalations"]


async def test_one_bad_record_in_a_batch():
    """When the core raises, the others of the batch count, the one is dead-lettered, and the batch is done."""
    bench = Bench()
    async with running(bench, counter(bench)) as lane:
        await lane.put(batch("interactions.chat", [event("1"), event("2", poison=True), event("3")]))
        await until(lambda: len(lane.done) == 1)
    assert b'"ids":["1","3"]' in bench.stores["customers"][KEY.encode()]
    assert [topic for topic, *_ in bench.producer.sent].count("interactions.dead") == 1


async def test_a_node_that_raised_is_made_anew():
    """After an exception the core starts from the stores again: it may have stopped half way."""
    bench = Bench()
    made = []

    def make():
        made.append(counter(bench)())
        return made[-1]

    async with running(bench, make) as lane:
        await lane.put(batch("interactions.chat", [event("2", poison=True)]))
        await until(lambda: len(lane.done) == 1)
    assert len(made) == 3  # the first, after the batch, after the record


async def test_timers_that_raise_do_not_stop_the_batches():
    """An exception in a timer is logged and tried again later; batches go on."""
    bench = Bench()

    class Faulty(CounterNode):
        def wake(self, now):
            raise RuntimeError

    def make():
        node = Faulty(1, bench.stores["customers"], lambda key: 1)
        node.next_wake = 0
        return node

    async with running(bench, make) as lane:
        await until(
            lambda: bench.metrics.registry.get_sample_value("mindgap_internal_errors_total", {"where": "timers_failed"})
        )
        await lane.put(batch("interactions.chat", [event("1")]))
        await until(lambda: len(lane.done) == 1)


async def test_the_outbox_is_sent_after_recovery():
    """What was decided but perhaps not sent goes out once the lane is open."""
    bench = Bench()
    bench.stores["customers"][KEY.encode()] = b'{"ids":["1"],"outbox":[{"customer":"x","n":1,"id":"1"}]}'

    def make():
        node = counter(bench)()
        node.rebuild()
        return node

    async with running(bench, make):
        await until(lambda: [topic for topic, *_ in bench.producer.sent] == ["escalations"])


async def test_no_timer_before_the_inputs_are_known():
    """As long as it is not known what an input holds, no time has come."""
    bench = Bench()
    unknown = Progress(drained=False, oldest=None, lag=0)
    known = asyncio.Event()
    node = counter(bench)()
    node.next_wake, node.unconfirmed = 0, []
    async with running(bench, lambda: node, lambda tp, taken=0: DRAINED if known.is_set() else unknown):
        await asyncio.sleep(0.4)
        assert node.next_wake == 0
        known.set()
        await until(lambda: node.next_wake is None)


async def test_a_policy_settles_every_customer():
    """News of a policy are taken in the lane, between batches."""
    bench = Bench()
    async with running(bench, counter(bench)) as lane:
        lane.policy_changed()
        await until(lambda: [topic for topic, *_ in bench.producer.sent] == ["notifications"])


async def test_a_full_lane_pushes_back():
    """While too many batches wait, putting waits; the end of the lane lets it go."""
    bench = Bench()
    bench.app.rebalancing = True
    async with running(bench, counter(bench), batches_max=1) as lane:
        await lane.put(batch("interactions.chat", [event("1")]))
        second = asyncio.create_task(lane.put(batch("interactions.chat", [event("2")], offset=1)))
        await asyncio.sleep(0.05)
        assert not second.done()
        lane.abort()
        await asyncio.wait_for(second, 2)


def test_records_are_taken_in_order_of_arrival():
    """Topics are merged by arrival, while each keeps its own order."""
    from agents.worker.lane import _in_order_of_arrival
    from agents.worker.ports import Incoming

    def of(topic, *times):
        return [Incoming(topic, None, None, at, 1, n, ()) for n, at in enumerate(times)]

    merged = _in_order_of_arrival([of("a", 10, 30), of("b", 20, 5), of("a", 40)])
    assert [(r.topic, r.arrived_at) for r in merged] == [("a", 10), ("b", 20), ("b", 5), ("a", 30), ("a", 40)]


@pytest.mark.parametrize(
    ("progress", "expected"),
    [
        (DRAINED, 9_000),
        (Progress(drained=False, oldest=4_000, lag=3), 4_000),
        (Progress(drained=False, oldest=None, lag=3), 1_020),
    ],
)
def test_time_waits_for_the_backlog(progress, expected):
    """Time is the clock's where all is drained, else the oldest waiting record's, else that of the last one known."""
    time = PartitionTime([TP("interactions.chat", 1)], lambda tp, taken: progress, SteppedClock(9_000))
    assert time.after([batch("interactions.chat", [b"1", b"2", b"3"])]) == expected
    assert time.age() == 9_000 - expected


def test_time_never_runs_backwards():
    """An older record that comes later does not move time back, nor does the clock."""
    clock = SteppedClock(9_000)
    found = [DRAINED, Progress(drained=False, oldest=4_000, lag=1), DRAINED, DRAINED]
    time = PartitionTime([TP("interactions.chat", 1)], lambda tp, taken: found.pop(0), clock)
    assert time.now() == 9_000
    assert time.now() == 9_000
    clock.at = 8_000
    assert time.now() == 9_000
    clock.at = 10_000
    assert time.now() == 10_000


async def test_claims_first_and_takes_what_came_late():
    """A lane claims its partition before it writes, and works from what stood before the claim."""
    bench = Bench()
    late = b'{"ids":["0"],"outbox":[]}'
    bench.producer.append("changelog.customers", KEY.encode(), late)
    async with running(bench, counter(bench)) as lane:
        await lane.put(batch("interactions.chat", [event("0"), event("1")]))
        await until(lambda: len(lane.done) == 1)
    keys = [record.key for record in bench.producer.logs["changelog.customers"]]
    assert keys == [KEY.encode(), CLAIM_KEY, KEY.encode()]
    assert b'"ids":["0","1"]' in bench.stores["customers"][KEY.encode()]
