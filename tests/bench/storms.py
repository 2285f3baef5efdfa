"""What a storm costs: a topic with so many open escalations, of which each batch changes a few."""

import time
from collections.abc import Iterator
from statistics import mean, median

from tests.aggregates.partition import Partition, message

BATCHES = 300
CHANGES = 3
"""So many come, and so many go, in each batch."""


def storms() -> Iterator[tuple[str, str, str]]:
    """The work of a batch, and what it writes beside what all of the topic takes, by how many are open."""
    base = 0.0
    for cases in (20, 200, 2_000 - CHANGES):
        storm, taken, written = Partition(), [], []
        storm.take(*(message(number) for number in range(cases)))
        whole = len(max(storm.values.values(), key=len))
        for first in range(0, BATCHES * CHANGES, CHANGES):
            coming, going = range(cases + first, cases + first + CHANGES), range(first, first + CHANGES)
            batch = [*(message(number) for number in coming), *(message(number, 2, gone=True) for number in going)]
            before, started = storm.written, time.perf_counter()
            storm.take(*batch)
            taken.append(time.perf_counter() - started)
            written.append(storm.written - before)
        base = base or median(taken)
        yield (
            f"a batch, {cases} escalations open on its topic",
            f"{median(taken) * 1e3:.2f} ms",
            f"{median(taken) / base:.2f}",
        )
        yield "what it writes", f"{mean(written) / 1024:.1f} KiB", f"{mean(written) / whole:.2f} of the topic"
