"""Table storage in memory, one dictionary per partition.

Faust's own memory store keeps all partitions in one dictionary, and a lost partition's keys stay in it. Here a
partition is dropped whole, and a node sees no other's customers. Recovery takes only the records that count: not those
that an owner which overslept has written behind its successor's back.
"""

from collections.abc import Callable, Iterable
from typing import Any, cast

from faust.stores import STORES, memory
from faust.types import TP, EventT

from agents.transport import RecordBatch
from agents.worker.ports import State
from agents.worker.terms import Reading

SCHEME = "partitions"


class Store(memory.Store[bytes, bytes]):
    """State by partition: bytes to bytes. Registered as `partitions://`."""

    def __post_init__(self) -> None:
        """As Faust's memory store, and the partitions."""
        super().__post_init__()
        self.partitions: dict[int, State] = {}
        self.readings: dict[int, Reading] = {}

    def partition(self, number: int) -> State:
        """The state of one partition, empty where there is none."""
        return self.partitions.setdefault(number, {})

    def reading(self, number: int) -> Reading:
        """How far recovery has read a partition's changelog."""
        return self.readings.setdefault(number, Reading())

    def persisted_offset(self, tp: TP) -> int | None:
        """Where recovery goes on: after what is here, and from the beginning where nothing is."""
        return self.reading(tp.partition).end - 1

    def keep_only(self, numbers: Iterable[int]) -> None:
        """Drop every other partition: its keys are somebody else's now."""
        kept = set(numbers)
        for number in [number for number in self.partitions if number not in kept]:
            del self.partitions[number]
        for number in [number for number in self.readings if number not in kept]:
            del self.readings[number]

    def apply_changelog_batch(
        self,
        batch: Iterable[EventT[Any]],
        to_key: Callable[[Any], Any],  # noqa: ARG002 - Faust's signature; keys and values are bytes here
        to_value: Callable[[Any], Any],  # noqa: ARG002
    ) -> None:
        """Apply changelog records; an event's value is a batch of them, tombstones delete."""
        for event in batch:
            records = cast("RecordBatch", event.message.value)
            state, reading = self.partition(records.tp.partition), self.reading(records.tp.partition)
            for record in records.records:
                if not reading.counts(record):
                    continue
                if record.value is None:
                    state.pop(record.key, None)
                else:
                    state[record.key] = record.value

    async def on_recovery_completed(self, active_tps: set[TP], standby_tps: set[TP]) -> None:  # noqa: ARG002
        """Forget the partitions that are no longer ours."""
        self.keep_only(tp.partition for tp in active_tps)


def register() -> None:
    """Make `partitions://` a store that Faust understands."""
    STORES.aliases[SCHEME] = f"{__name__}:{Store.__name__}"
