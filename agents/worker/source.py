"""The worker's transport: the batching one, whose consumer also tells how its partitions stand."""

from typing import ClassVar

from aiokafka import TopicPartition
from faust.transport.drivers import TRANSPORTS
from faust.types import TP

from agents import transport
from agents.worker.inputs import UNKNOWN, Standing


class Consumer(transport.Consumer):
    """The batching consumer; `standing` tells what `agents.worker.inputs` asks."""

    def standing(self, tp: TP) -> Standing:
        """How a partition stands right now; another thread fetches meanwhile."""
        partition = self._progress.get(tp)
        if partition is None:
            return UNKNOWN
        answer, highwater = self._newest_answer(tp)
        if partition.delivered:
            first = partition.delivered[0].records[0]
            return Standing(int(first.offset), clear=False, oldest=first.timestamp, answer=answer)
        accepted = (
            partition.fetched_to
        )  # not the position: between the two lies what was fetched and not yet taken over
        clear = accepted is not None and highwater is not None and highwater <= accepted
        return Standing(accepted, clear, None, answer)

    def _newest_answer(self, tp: TP) -> tuple[int | None, int | None]:
        """What names the broker's newest answer, and the end that it told.

        The fetcher sets the end first. Read in the other order, so that the end is at least as new as the answer.
        """
        consumer = self._thread._consumer  # noqa: SLF001 - as in the transport, and watched by tests/watermark
        subscription = consumer._subscription.subscription if consumer else None  # noqa: SLF001
        assignment = subscription.assignment if subscription else None
        key = TopicPartition(tp.topic, tp.partition)
        if assignment is None or key not in assignment.tps:
            return None, None
        state = assignment.state_value(key)
        answer = state.timestamp
        return answer, state.highwater


class Transport(transport.Transport):
    """The batching transport with that consumer."""

    Consumer: ClassVar[type[Consumer]] = Consumer


def register() -> None:
    """Make `mindgap://host:port` a broker address that Faust understands."""
    TRANSPORTS.aliases[transport.SCHEME] = f"{__name__}:{Transport.__name__}"
