"""The time of a worker's partitions: never backwards, never past what waits, and on without what stands still."""

from dataclasses import dataclass, field

from agents.worker.moments import Moment, moment_of
from agents.worker.tracking import Facts, PartitionFacts, Tracker
from agents.worker.watermark import BEHIND_FOR_S, LOUD_AFTER_S, PartitionTime, WorkerTime
from tests.shell.fakes import SteppedClock
from topics.table import INBOXES

STALL_S = 60


@dataclass
class Scene:
    """Two partitions under a policy that lets time wait for a minute."""

    clock: SteppedClock = field(default_factory=lambda: SteppedClock(0))
    seconds: float = 0.0

    def __post_init__(self) -> None:
        self.tracker = Tracker(2, INBOXES, 0.0)
        self.shared = WorkerTime(self.tracker, self.clock, lambda: self.seconds, lambda at: STALL_S * 1000)
        self.time = PartitionTime(self.shared, self.clock)

    def at(self, seconds: float, *lows: int | None) -> Moment | None:
        """The time, this many real seconds after the beginning; the clock shows the same, in ms."""
        self.seconds, self.clock.at = seconds, int(seconds * 1000)
        parts = {n: PartitionFacts(low, 0, {}) for n, low in enumerate(lows) if low is not None}
        self.tracker.take(Facts(parts, {}), seconds)
        self.shared.look()
        return self.time.now()


def test_time_is_the_slowest_partitions():
    """Time is as far as the partition that is farthest behind, and never runs backwards."""
    scene = Scene()
    assert scene.at(1) is None
    assert scene.at(2, 900, 1900) == Moment(900)
    assert scene.at(3, 2900, 2800) == Moment(2800)
    scene.clock.at = 100
    assert scene.at(3, 100, 100) == Moment(2800)
    assert scene.time.age() == 200


def test_a_stalled_input_is_loud_and_then_left_out():
    """Time waits for a partition that has fallen silent; after `max_stall` it goes on, provisionally, until it is back."""
    scene = Scene()
    assert scene.at(1, 1000, 1000) == Moment(1000)
    assert scene.at(LOUD_AFTER_S, 10_000, None) == Moment(1000)
    assert not scene.shared.held
    assert scene.at(LOUD_AFTER_S + 2, 12_000, None) == Moment(1000)
    assert scene.shared.held == {1}
    assert not scene.shared.left_out
    assert scene.at(STALL_S, 59_000, None) == Moment(1000)
    assert scene.at(STALL_S + 2, 61_000, None) == Moment(61_000, provisional=True)
    assert scene.shared.left_out == {1}
    assert scene.at(STALL_S + 3, 63_000, 30_000) == Moment(61_000, provisional=True), "it has not caught up"
    assert not scene.shared.left_out
    assert scene.at(STALL_S + 4, 64_000, 64_000) == Moment(64_000)
    assert not scene.shared.held


def test_an_unknown_partition_at_the_first_start():
    """A partition that nobody has spoken of holds time like one that has fallen silent."""
    scene = Scene()
    assert scene.at(STALL_S - 1, 58_000, None) is None
    assert scene.at(STALL_S + 1, 60_500, None) == Moment(60_500, provisional=True)


def test_a_backlog_is_told_for_a_while():
    """Old input makes a worker count as behind, for some seconds after the last of it; recent input does not."""
    scene = Scene()
    scene.at(100, 99_000, 99_000)
    scene.time.took(100_000 - 2_000)
    assert not scene.shared.behind
    scene.time.took(100_000 - 4_000)
    assert scene.shared.behind
    scene.at(100 + BEHIND_FOR_S - 1, 99_000, 99_000)
    assert scene.shared.behind
    scene.at(100 + BEHIND_FOR_S, 99_000, 99_000)
    assert not scene.shared.behind


def test_what_others_knew():
    """Time is not before that of whoever wrote what is read, and a provisional time stays provisional."""
    scene = Scene()
    scene.time.heard(Moment(500))
    assert scene.time.now() == Moment(500)
    scene.time.heard(Moment(900, provisional=True))
    assert scene.time.now() == Moment(900, provisional=True)
    assert PartitionTime(scene.shared, scene.clock).now() == Moment(500), "another partition of the worker"
    scene.time.heard(Moment(1000))
    assert scene.time.now() == Moment(1000)


def test_before_anything_is_known():
    """A batch does not wait for the time to be known; a provisional floor is not taken for more than it is."""
    scene = Scene()
    assert scene.time.in_hand() == Moment(0)
    scene.time.heard(Moment(700, provisional=True))
    assert scene.time.in_hand() == Moment(700, provisional=True)
    assert scene.time.now() is None


def test_moments_in_headers():
    """A moment goes through a header unchanged; other headers, and nonsense, are none."""
    for moment in (Moment(0), Moment(1_781_000_000_000), Moment(5, provisional=True)):
        assert moment_of([("term", b"3"), moment.header]) == moment
    for headers in (None, (), [("now", None)], [("now", b"")], [("now", b"?")], [("now", b"x")], [("then", b"5")]):
        assert moment_of(headers) is None
