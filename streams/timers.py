"""The timers of many customers: one each, the earliest first."""

from heapq import heappop, heappush


class Timers:
    """Which customer is due when (ms). A customer's new appointment replaces the old one."""

    def __init__(self) -> None:
        self._due: dict[str, int] = {}
        self._heap: list[tuple[int, str]] = []

    def __len__(self) -> int:
        return len(self._due)

    def set(self, id_: str, at: int | None) -> None:
        """Appoint, or with None dismiss."""
        if at is None:
            self._due.pop(id_, None)
        elif self._due.get(id_) != at:
            self._due[id_] = at
            heappush(self._heap, (at, id_))

    @property
    def next(self) -> int | None:
        """The earliest appointment."""
        while self._heap and self._due.get(self._heap[0][1]) != self._heap[0][0]:
            heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def due(self, now: int, most: int) -> list[str]:
        """Take the customers due at `now`, the earliest first, at most so many."""
        found: list[str] = []
        while len(found) < most and (at := self.next) is not None and at <= now:
            _, id_ = heappop(self._heap)
            del self._due[id_]
            found.append(id_)
        return found
