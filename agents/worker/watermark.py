"""The time of a partition: when may a deadline be called missed?

Wall time holds only where everything that has arrived has been worked off. While an input lags, its time is the
append time of its oldest unprocessed record, so that a worker that was down for half an hour does not declare
breaches whose replies are waiting in the backlog. Time never runs backwards.

This looks at the partition's own inputs only. Events that still travel through another partition's inbox are not
seen; a watermark across partitions takes this class's place later.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from faust.types import TP

from agents.clock import Clock
from agents.transport import Progress, RecordBatch


class PartitionTime:
    """The time of one partition, in ms since the epoch."""

    def __init__(self, tps: Sequence[TP], progress: Callable[[TP, int], Progress], clock: Clock) -> None:
        self.tps = tps
        self._progress = progress
        self._clock = clock
        self._newest: dict[TP, int] = {}
        self._now: int | None = None

    def now(self) -> int | None:
        """The partition's time; None as long as it is not known how far one of its inputs reaches."""
        held = self._held({})
        if held is not None:
            self._now = held if self._now is None else max(held, self._now)
        return self._now

    def after(self, batches: Sequence[RecordBatch]) -> int:
        """The partition's time once these batches, the oldest that were not done, are worked off."""
        taken = Counter(batch.tp for batch in batches)
        for batch in batches:
            newest = max(record.timestamp for record in batch.records)
            self._newest[batch.tp] = max(newest, self._newest.get(batch.tp, newest))
        held = self._held(taken)
        if held is None:  # an input that has not been looked into yet may hold older records
            held = min(record.timestamp for batch in batches for record in batch.records)
        self._now = held if self._now is None else max(held, self._now)
        return self._now

    def age(self) -> int:
        """How far (ms) the partition's time lies behind the clock; 0 where nothing is known yet."""
        return 0 if self._now is None else max(0, self._clock.now() - self._now)

    def _held(self, taken: Mapping[TP, int]) -> int | None:
        held = self._clock.now()
        for tp in self.tps:
            progress = self._progress(tp, taken.get(tp, 0))
            if progress.drained:
                continue
            oldest = progress.oldest if progress.oldest is not None else self._newest.get(tp)
            if oldest is None:
                return None
            held = min(held, oldest)
        return held
