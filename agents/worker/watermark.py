"""The time of a partition: when may a deadline be called missed?

Never before everything older that can still reach the partition is worked off, on whichever partition it waits: a
worker that was down for half an hour declares no breaches whose replies are in the backlog, its own or another's. Time
never runs backwards. Where an input stands still for longer than the policy's `watermark.max_stall`, in real time, time
goes on without it and is provisional until the input has caught up.
"""

from collections.abc import Callable

from agents.clock import Clock
from agents.worker.moments import Moment
from agents.worker.tracking import Tracker

BEHIND_S = 3.0
"""How old (real time) a record may be when it is taken, before it is of a backlog."""
BEHIND_FOR_S = 5.0
"""How long (real time) after such a record the worker still counts as behind."""
LOUD_AFTER_S = 10.0
"""How long an input may stand still before it is complained of."""


class WorkerTime:
    """The time that all partitions of a worker share. `seconds`: real time; `max_stall(at)`: ms, by the policy then."""

    def __init__(
        self, tracker: Tracker, clock: Clock, seconds: Callable[[], float], max_stall: Callable[[int], int]
    ) -> None:
        self.tracker = tracker
        self.held: frozenset[int] = frozenset()
        """Partitions that have stood still for so long that it is to be complained of."""
        self.left_out: frozenset[int] = frozenset()
        """Partitions without which time goes on."""
        self.ahead: int | None = None
        """How far time has gone without them (ms)."""
        self._clock = clock
        self._seconds = seconds
        self._max_stall = max_stall
        self._behind_at = -BEHIND_FOR_S

    @property
    def confirmed(self) -> int | None:
        """Nothing older (ms) can come any more; None where that is not known."""
        return self.tracker.confirmed

    def took(self, arrived_at: int) -> None:
        """A record that was appended then (ms), to an input or an inbox, is being worked off."""
        if self._clock.wall_seconds(self._clock.now() - arrived_at) > BEHIND_S:
            self._behind_at = self._seconds()

    @property
    def behind(self) -> bool:
        """A backlog is being worked off, or was just now: it is said more than once, because reports may be lost."""
        return self._seconds() - self._behind_at < BEHIND_FOR_S

    def look(self) -> None:
        """Draw the conclusions from what has become known."""
        tracker, now, seconds = self.tracker, self._clock.now(), self._seconds()
        tracker.advance()
        self.left_out = tracker.held(now, seconds, self._max_stall(now) / 1000)
        self.held = tracker.held(now, seconds, LOUD_AFTER_S) | self.left_out
        reached = tracker.advance_without(self.left_out, now) if self.left_out else None
        if reached is not None:
            self.ahead = reached if self.ahead is None else max(self.ahead, reached)


class PartitionTime:
    """The time of one partition."""

    def __init__(self, shared: WorkerTime, clock: Clock) -> None:
        self._shared = shared
        self._clock = clock
        self._at = 0

    def now(self) -> Moment | None:
        """The partition's time; None as long as it is not known how far the input is worked off."""
        if self._shared.confirmed is None and self._shared.ahead is None:
            return None
        return self.in_hand()

    def in_hand(self) -> Moment:
        """The time for a batch, which does not wait for it to be known: until then nothing new becomes due."""
        confirmed, ahead = self._shared.confirmed or 0, self._shared.ahead or 0
        self._at = max(self._at, confirmed, ahead)
        return Moment(self._at, provisional=self._at > confirmed)

    def heard(self, moment: Moment) -> None:
        """Somebody's time was this, who has written what we read: ours is not before it."""
        self._at = max(self._at, moment.at)
        if not moment.provisional:
            self._shared.tracker.confirm(moment.at)

    def took(self, arrived_at: int) -> None:
        """A record that was appended then (ms), to an input or an inbox, is being worked off."""
        self._shared.took(arrived_at)

    def age(self) -> int:
        """How far (ms) the partition's time lies behind the clock; 0 where nothing is known yet."""
        moment = self.now()
        return 0 if moment is None else max(0, self._clock.now() - moment.at)
