"""How much memory the workers take, and how much of that the state that they hold explains."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from aiokafka import TopicPartition

from agents.reader import Poll, Reader, partitions_of
from agents.settings import Settings
from topics.table import CHANGELOGS

CATCH_UP_S = 120.0
_POLL_S = 0.5


def resident_bytes(pid: int | str) -> int:
    """The resident memory of a process of ours (`self` is this one); 0 where it has ended."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS:")), 0)


class Changelogs:
    """The changelogs, read while they are written: a broker that compacts them does not hold in the end what was there.

    `written`: bytes of keys and values, so far; `state`: of those, bytes that still stand.
    """

    def __init__(self, settings: Settings) -> None:
        self._reader = Reader(settings)
        self._tables = {tp: table for table, topic in CHANGELOGS.items() for tp in partitions_of(settings, topic)}
        self._places = dict.fromkeys(self._tables, 0)
        self._sizes: defaultdict[str, dict[bytes, int]] = defaultdict(dict)
        self.written = 0
        self.state = 0

    @asynccontextmanager
    async def followed(self) -> AsyncIterator[None]:
        """Read for the length of the block."""
        async with self._reader.follow(self._places) as poll:
            following = asyncio.create_task(self._follow(poll))
            try:
                yield
            finally:
                following.cancel()
                with suppress(asyncio.CancelledError):
                    await following

    async def to_the_end(self) -> None:
        """Return when all that stands there now has been read. Raises TimeoutError."""
        ends = await self._reader.ends(self._tables)
        async with asyncio.timeout(CATCH_UP_S):
            while any(self._places[partition] < end for partition, end in ends.items()):  # noqa: ASYNC110 - no event
                await asyncio.sleep(_POLL_S)

    @property
    def customers(self) -> int:
        """How many keys the table of customers has."""
        return len(self._sizes["customers"])

    async def _follow(self, poll: Poll) -> None:
        while True:
            for record in await poll():
                partition = TopicPartition(record.topic, record.partition)
                self._places[partition] = record.offset + 1
                sizes, key = self._sizes[self._tables[partition]], record.key or b""
                self.state -= sizes.pop(key, 0)
                size = len(key) + len(record.value or b"")
                self.written += size
                if record.value is not None:
                    sizes[key] = size
                    self.state += size
