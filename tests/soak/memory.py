"""How much memory the workers take, and how much of that the state that they hold explains."""

import asyncio
import contextlib
from collections import defaultdict
from pathlib import Path
from typing import Self

from aiokafka import AIOKafkaConsumer, TopicPartition

from agents.connection import client_options
from agents.ends import end_offsets
from agents.settings import Settings
from topics.table import CHANGELOGS, physical

CATCH_UP_S = 120.0
_POLL_MS = 500


def resident_bytes(pid: int | str) -> int:
    """The resident memory of a process of ours (`self` is this one); 0 where it has ended."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS:")), 0)


class Changelogs:
    """The changelogs, read while they are written: a broker that compacts them does not hold in the end what was there.

    For the length of a block. `written`: bytes of keys and values, so far; `state`: of those, bytes that still stand.
    """

    def __init__(self, settings: Settings) -> None:
        self._options = client_options(settings)
        self._partitions = {
            TopicPartition(physical(settings.topic_prefix, topic), number): table
            for table, topic in CHANGELOGS.items()
            for number in range(settings.partitions)
        }
        self._sizes: defaultdict[str, dict[bytes, int]] = defaultdict(dict)
        self.written = 0
        self.state = 0

    async def __aenter__(self) -> Self:
        self._consumer = AIOKafkaConsumer(enable_auto_commit=False, auto_offset_reset="earliest", **self._options)
        await self._consumer.start()
        self._consumer.assign(list(self._partitions))
        await self._consumer.seek_to_beginning()
        self._following = asyncio.create_task(self._follow())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._following.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._following
        await self._consumer.stop()

    async def to_the_end(self) -> None:
        """Return when all that stands there now has been read. Raises TimeoutError, and what ended the reading."""
        ends = await end_offsets(self._options, self._partitions)
        async with asyncio.timeout(CATCH_UP_S):
            for partition, end in ends.items():
                while await self._consumer.position(partition) < end:
                    if self._following.done():
                        self._following.result()
                    await asyncio.sleep(_POLL_MS / 1000)

    @property
    def customers(self) -> int:
        """How many keys the table of customers has."""
        return len(self._sizes["customers"])

    async def _follow(self) -> None:
        while True:
            for partition, records in (await self._consumer.getmany(timeout_ms=_POLL_MS)).items():
                sizes = self._sizes[self._partitions[partition]]
                for record in records:
                    key = record.key or b""
                    self.state -= sizes.pop(key, 0)
                    size = len(key) + len(record.value or b"")
                    self.written += size
                    if record.value is not None:
                        sizes[key] = size
                        self.state += size
