"""All customers' contributions in one place, as `mindgap replay` has them: one share, and the totals of it."""

from collections.abc import Iterable, Sequence

from schemas.times import HOUR
from streams.gaps.facts import Fact
from streams.gaps.share import GapShare
from streams.gaps.totals import GapTotals, Record


class GapBook:
    """Windows of `size` ms of event time, `[n * size, (n + 1) * size)`, by channel and by the dimensions `by`.

    `replace` a customer's facts when its history was derived again, `drop` a customer that was merged away, then
    `close` at `next_wake`. How often and in which order facts come changes no window's last revision. No window is
    ever final here: memory grows with the history.
    """

    def __init__(self, size: int = HOUR, by: Sequence[str] = ()) -> None:
        self.size = size
        self._share = GapShare(size=size, by=by)
        self._totals = GapTotals(size=size, by=by)
        self._sequence = 0

    def replace(self, customer_id: str, facts: Iterable[Fact]) -> None:
        """`facts` are what this customer contributes now."""
        self._share.replace(customer_id, facts)

    def drop(self, customer_id: str) -> None:
        """This customer is no more: another has its history."""
        self._share.drop(customer_id)

    @property
    def next_wake(self) -> int | None:
        """The end (ms) of the first window that has something to say; it may lie in the past. None: there is none."""
        wakes = (self._share.next_wake, self._totals.next_wake)
        return min((at for at in wakes if at is not None), default=None)

    def close(self, now: int, *, partial: bool = False) -> list[Record]:
        """The records of windows that have ended by `now` (ms) and say something new, by window and channel.

        With `partial`, also those of the window in which `now` lies, of what has happened in it so far: for the
        end of a recording. It is corrected when it closes.
        """
        self._sequence += 1
        for message in self._share.take(self._sequence, now, partial=partial):
            self._totals.take(message)
        return self._totals.close(now, partial=partial)
