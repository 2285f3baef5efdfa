"""How much is done in one go: less after work that did not end within the session, more again while all goes well.

The group takes partitions away from a worker that is too slow to answer, and whoever gets them begins the batch anew.
A batch that takes longer than that would be begun for ever, and so would a turn of the timers.
"""

import time
from collections.abc import Callable

from agents.transport import BatchLimits

BYTES_MIN = 1024
"""No batch is bounded below that many bytes: it is one record by then."""
TIMERS_MAX = 500
"""How many timers of a partition run in one turn, where all goes well."""
GROW_AFTER_S = 60.0
"""How long a size has to do well before it is doubled."""


class BatchSize:
    """The limits in force, between one record and what is configured. `seconds`: a clock that does not go back."""

    def __init__(self, most: BatchLimits, session_s: float, seconds: Callable[[], float] = time.monotonic) -> None:
        self.limits = most
        self.timers_max = TIMERS_MAX
        self._most = most
        self._session_s = session_s
        self._seconds = seconds
        self._changed_at = seconds()

    def cut_short(self, after_s: float) -> bool:
        """Work was given up after so long; True where the limits are lower now.

        What had not taken half of the session was not given up because it took long.
        """
        if after_s < self._session_s / 2:
            return False
        self._changed_at = self._seconds()
        before = self.limits, self.timers_max
        records, bytes_ = self.limits
        self.limits = BatchLimits(max(1, records // 2), max(BYTES_MIN, bytes_ // 2))
        self.timers_max = max(1, self.timers_max // 2)
        return (self.limits, self.timers_max) != before

    def grow(self) -> bool:
        """To be called now and then; True where the limits are higher now."""
        is_most = (self.limits, self.timers_max) == (self._most, TIMERS_MAX)
        if is_most or self._seconds() - self._changed_at < GROW_AFTER_S:
            return False
        self._changed_at = self._seconds()
        records, bytes_ = (min(2 * now, most) for now, most in zip(self.limits, self._most, strict=True))
        self.limits = BatchLimits(records, bytes_)
        self.timers_max = min(2 * self.timers_max, TIMERS_MAX)
        return True
