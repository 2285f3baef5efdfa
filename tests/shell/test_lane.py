"""A lane: batches and timers in turn, failures record by record, time that waits for the backlog."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from agents.worker.fence import Overtaken
from agents.worker.lane import Lane
from agents.worker.moments import Moment, moment_of
from agents.worker.terms import CLAIM_KEY, Reading, stamp
from schemas.codec import dumps
from tests.shell.counter import CounterNode, Did, Out
from tests.shell.fakes import Bench, batch
from topics.partitioner import partition_of

KEY = next(f"c{n}" for n in range(50) if partition_of(f"c{n}".encode(), 2) == 1)


def event(id_: str, **more) -> bytes:
    return dumps({"id": id_, "customer": KEY, **more})


class Kit:
    def records(self, incoming):
        return list(incoming)

    def policy_changed(self, node, now):
        return Did(sends=[Out("notifications", b"n", b"{}")])


@asynccontextmanager
async def running(bench: Bench, make_node, *, known=True, **options):
    done = []
    if known:
        bench.tracker.confirm(bench.clock.now())
    lane = Lane(
        1,
        prefix="",
        kit=Kit(),
        make_node=make_node,
        publisher=bench.publisher,
        fence=bench.fence,
        clock=bench.clock,
        partition_time=bench.time,
        mark_done=done.append,
        metrics=bench.metrics,
        batches_max=options.get("batches_max", 4),
        records_max=lambda: 100,
        timers_max=options.get("timers_max", lambda: 500),
        first_start=options.get("first_start"),
        backlog_end=options.get("backlog_end"),
    )
    lane.done = done
    lane.task = task = asyncio.create_task(lane.run())
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


async def test_a_lane_in_quiet_mends_its_changelog():
    """Told that the changelog reaches further than it wrote, a lane without work overwrites what another has written."""
    bench = Bench()
    topic = "changelog.customers"
    async with running(bench, counter(bench)) as lane:
        await lane.put(batch("interactions.chat", [event("1")]))
        await until(lambda: len(lane.done) == 1)
        mine = bench.stores["customers"][KEY.encode()]
        bench.producer.append(topic, KEY.encode(), b"late", [stamp(0)])
        lane.ends_seen({topic: len(bench.producer.logs[topic])})
        await until(lambda: bench.producer.logs[topic][-1].value == mine)
        await until(lambda: lane.publisher.ends()[topic] == len(bench.producer.logs[topic]))


async def test_a_higher_term_in_a_partition_that_stays_ours_is_an_error():
    """Nobody would open the lane again before the next rebalance, so the worker is to end."""

    async def overtaken():
        bench = Bench()
        bench.lease.timeout_s = 0.1
        async with running(bench, counter(bench)) as lane:
            await _meets_a_higher_term(bench, lane)
            await until(lane.task.done)

    with pytest.raises(Overtaken):
        await overtaken()


@pytest.mark.parametrize("overslept", [False, True])
async def test_a_higher_term_before_the_news_of_a_rebalance(overslept):
    """The group may be late to tell, and who has overslept is told when it takes part again: then all is well."""
    bench = Bench()
    bench.lease.timeout_s = 0.1 if overslept else 60.0
    async with running(bench, counter(bench)) as lane:

        async def fetch(*where):
            bench.seconds += 10
            return await bench.producer.fetch(*where)

        bench.publisher._changelogs["customers"]._fetch = fetch
        await _meets_a_higher_term(bench, lane)
        await until(lambda: bench.seconds)
        await asyncio.sleep(0.5)
        for number in range(9):  # others are not to wait behind it
            await asyncio.wait_for(lane.put(batch("interactions.chat", [event(f"2{number}")])), 1)
        assert not lane.task.done()
        bench.app.rebalancing_count += 1
        await until(lane.task.done)


async def _meets_a_higher_term(bench: Bench, lane: Lane) -> None:
    await until(lambda: lane.has_begun)
    bench.producer.append("changelog.customers", CLAIM_KEY, None, [stamp(9)])
    await lane.put(batch("interactions.chat", [event("1")]))


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
        def wake(self, now, *, provisional=False, most=500):
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


async def test_a_turn_of_the_timers_is_as_large_as_it_may_be_just_now():
    """The bound is asked for at each turn: work that did not end within the session has made it smaller."""
    bench, bounds, turns = Bench(), [500, 250], []

    class Counting(CounterNode):
        def wake(self, now, *, provisional=False, most=500):
            turns.append(most)
            self.next_wake = 0 if bounds else None
            return Did()

    def make():
        node = Counting(1, bench.stores["customers"], lambda key: 1)
        node.next_wake = 0
        return node

    async with running(bench, make, timers_max=lambda: bounds.pop(0)):
        await until(lambda: not bounds)
    assert turns == [500, 250]


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
    node = counter(bench)()
    node.next_wake, node.unconfirmed = 0, []
    async with running(bench, lambda: node, known=False):
        await asyncio.sleep(0.4)
        assert node.next_wake == 0
        bench.tracker.confirm(1)
        await until(lambda: node.next_wake is None)


async def test_a_policy_settles_every_customer():
    """News of a policy are taken in the lane, between batches."""
    bench = Bench()
    async with running(bench, counter(bench)) as lane:
        lane.policy_changed()
        await until(lambda: [topic for topic, *_ in bench.producer.sent] == ["notifications"])


@pytest.mark.timeout(20)
async def test_a_policy_that_comes_before_the_time_is_known():
    """News of a policy wait until it is known how late it is; meanwhile the worker does everything else."""
    bench = Bench()
    async with running(bench, counter(bench), known=False) as lane:
        lane.policy_changed()
        await lane.put(batch("interactions.chat", [event("1")]))
        await until(lambda: len(lane.done) == 1)
        assert "notifications" not in [topic for topic, *_ in bench.producer.sent]
        bench.tracker.confirm(1)
        await until(lambda: "notifications" in [topic for topic, *_ in bench.producer.sent])


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


class Watching(CounterNode):
    """Notes with which time it was called."""

    def handle(self, records, now, *, provisional=False):
        self.told = (now, provisional)
        return super().handle(records, now)


async def test_a_batch_is_handled_at_the_partitions_time():
    """The node is told the time that is confirmed, not the clock's; a batch does not wait for it to be known."""
    bench = Bench()
    node = Watching(1, bench.stores["customers"], lambda key: 1)
    async with running(bench, lambda: node, known=False) as lane:
        await lane.put(batch("interactions.chat", [event("1")]))
        await until(lambda: len(lane.done) == 1)
        assert node.told == (0, False)
        bench.tracker.confirm(500)
        await lane.put(batch("interactions.chat", [event("2")], offset=1))
        await until(lambda: len(lane.done) == 2)
        assert node.told == (500, False)


async def test_time_is_not_before_the_senders():
    """A record from another partition brings its sender's time; a provisional one stays provisional here."""
    bench = Bench()
    node = Watching(1, bench.stores["customers"], lambda key: 1)
    async with running(bench, lambda: node, known=False) as lane:
        for number, moment in enumerate([Moment(700), Moment(900, provisional=True), Moment(800)]):
            sent = batch("customer-inbox", [event(str(number))], offset=number)
            sent.records[0].headers = (moment.header,)
            await lane.put(sent)
            await until(lambda number=number: len(lane.done) == number + 1)
            assert node.told == [(700, False), (900, True), (900, True)][number]
    assert bench.tracker.confirmed == 800


async def test_the_next_owner_does_not_begin_before():
    """State names the moment at which it was written, and a later owner's time is not before it."""
    bench = Bench()
    async with running(bench, counter(bench)) as lane:
        await lane.put(batch("interactions.chat", [event("1")]))
        await until(lambda: len(lane.done) == 1)
    written = bench.producer.logs["changelog.customers"]
    assert [moment_of(record.headers) for record in written[1:]] == [Moment(bench.clock.at)]
    reading = Reading()
    assert [reading.counts(record) for record in written] == [False, True]
    assert list(reading.moments.values()) == [Moment(bench.clock.at)]


async def test_old_records_between_partitions_are_a_backlog_too():
    """Who takes over a backlog of which only messages between partitions are left is behind; who takes new ones is not."""
    for age, is_behind in ((10_000, True), (1_000, False)):
        bench = Bench()
        async with running(bench, counter(bench)) as lane:
            await lane.put(batch("customer-inbox", [event("1")], at=bench.clock.at - age))
            await until(lambda lane=lane: len(lane.done) == 1)
            assert bench.time._shared.behind is is_behind


async def test_records_to_inboxes_are_counted_and_dated():
    """What goes to another partition is noted with its place, and carries the time of its sender."""
    bench = Bench()
    other = next(f"o{n}" for n in range(50) if partition_of(f"o{n}".encode(), 2) == 0)
    async with running(bench, counter(bench)) as lane:
        await lane.put(batch("interactions.chat", [dumps({"id": "1", "customer": other})]))
        await until(lambda: len(lane.done) == 1)
    assert bench.inbox_records == [("customer-inbox", 1, 0)]  # the fake broker has one partition, number 1
    assert moment_of(bench.producer.logs["customer-inbox"][0].headers) == Moment(bench.clock.at)


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
