"""May this process write for its partitions right now?"""

import asyncio
from typing import Any

from agents.lease import Lease

_LOOK_AGAIN_S = 0.05


class Fenced(Exception):  # noqa: N818 - not an error: the partition has another owner now
    """The partitions of this generation are no longer ours; nothing may be written for them."""


class Overtaken(Exception):  # noqa: N818 - says what has happened
    """Somebody has claimed a higher term while the partition was ours: what we know of it may be old."""


class Fence:
    """Open while the group's generation is the one that the partitions were given in, and the lease holds.

    The broker does not refuse the writes of a process that overslept, so the process asks itself before each one. A
    generation ends with the rebalance that follows, before the next one is known: others may have theirs by then. That
    is counted, because Faust calls a rebalance over when the recovery from the one before it ends.
    """

    def __init__(self, app: Any, generation: int, lease: Lease) -> None:
        self._app = app
        self._generation = generation
        self._rebalance = app.consumer.assigned_in
        self._lease = lease
        self._shut = False

    @property
    def lease_s(self) -> float:
        """Seconds for which a lease holds that is not renewed."""
        return self._lease.timeout_s

    def shut(self) -> None:
        """Let nothing through any more."""
        self._shut = True

    def is_open(self) -> bool:
        """True where a write may go out now. Raises Fenced where none may ever again."""
        app = self._app
        if self._shut or app.consumer_generation_id != self._generation or app.rebalancing_count != self._rebalance:
            raise Fenced
        return not app.rebalancing and self._lease.is_valid()

    async def opened(self) -> None:
        """Wait until a write may go out. Raises Fenced where none may ever again."""
        while not self.is_open():  # noqa: ASYNC110 - no event: another thread changes it
            await asyncio.sleep(_LOOK_AGAIN_S)
