"""Holes in what a broker has: a later record can be fetched already, an earlier one not yet.

The embedded broker counts a partition's end up before it puts records there. Of two producers' that come at once the
second's may be read first, and whoever goes on after them never sees the first's. Apache Kafka shows nothing of the
kind: there a missing offset has been compacted, and nobody is to wait for it.
"""

import time
from collections.abc import Callable, Sequence

from aiokafka import ConsumerRecord, TopicPartition

from agents import log

PATIENCE_S = 5.0
"""After so long what is missing is taken for deleted."""
_log = log.get("mindgap.holes")


class Holes:
    """One reader's view of its partitions. `seconds`: a clock that does not go back."""

    def __init__(self, patience_s: float = PATIENCE_S, seconds: Callable[[], float] = time.monotonic) -> None:
        self._patience_s = patience_s
        self._seconds = seconds
        self._seen: dict[TopicPartition, tuple[int, float]] = {}
        """By partition the last hole that was waited for, and since when."""

    def before(
        self, tp: TopicPartition, place: int, records: Sequence[ConsumerRecord]
    ) -> tuple[Sequence[ConsumerRecord], int | None]:
        """Of what was fetched from offset `place` on, all up to the first hole that may yet be filled.

        And where that hole begins, which is where to go on fetching; None where there is none.
        """
        if records and records[0].offset <= place and records[-1].offset - records[0].offset == len(records) - 1:
            self._seen.pop(tp, None)
            return records, None
        for number, record in enumerate(records):
            if record.offset > place and self._may_be_filled(tp, place, record.offset):
                return records[:number], place
            place = record.offset + 1
        return records, None

    def _may_be_filled(self, tp: TopicPartition, begin: int, end: int) -> bool:
        seen, now = self._seen.get(tp), self._seconds()
        if seen is None or seen[0] != begin:
            self._seen[tp] = (begin, now)
            return True
        if now - seen[1] < self._patience_s:
            return True
        _log.warning("records_missing", topic=tp.topic, partition=tp.partition, since=begin, until=end)
        return False
