"""Terms: which of two owners of a partition wrote a changelog record, and which records count.

Whoever opens a partition claims a term above every term that it has read, by a record of its own in the changelog, and
writes only once the claim is confirmed. Every changelog record names the term of its writer in a header. In the order
of the log a record counts unless a higher term stands before it: then it is the late record of an owner that overslept.

Compaction keeps the last record of a key, also a late one; so an owner writes again what a late record has come after.

A record that counts also tells at which moment of its partition's time it was written (`agents.worker.moments`).

A claim has an empty key and no value, so that who reads the newest value of each key need not know of it.
"""

from dataclasses import dataclass, field

from aiokafka import ConsumerRecord

from agents.worker.moments import Moment, moment_of

CLAIM_KEY = b""
_HEADER = "term"


def stamp(term: int) -> tuple[str, bytes]:
    """The header of a changelog record."""
    return _HEADER, b"%d" % term


def term_of(record: ConsumerRecord) -> int:
    """The term in which a record was written; 0 where it does not say."""
    for name, value in record.headers or ():
        if name == _HEADER and value is not None and value.isdigit():
            return int(value)
    return 0


@dataclass(slots=True)
class Reading:
    """How far one partition of a changelog has been read, in its order."""

    term: int = 0
    """The highest term met."""
    end: int = 0
    """The offset after the last record that was looked at."""
    overtaken: set[bytes] = field(default_factory=set)
    """Keys whose last record does not count."""
    moments: dict[bool, Moment] = field(default_factory=dict)
    """The latest moment, and the latest provisional one (True), at which a record that counts was written."""

    def counts(self, record: ConsumerRecord) -> bool:
        """Look at the next record: does it count?"""
        self.end = max(self.end, record.offset + 1)
        term = term_of(record)
        if term < self.term:
            self.overtaken.add(record.key)
            return False
        self.term = term
        self.overtaken.discard(record.key)
        if record.key == CLAIM_KEY:
            return False
        # without a moment, from before they were written: not later than it was sent
        moment = moment_of(record.headers) or Moment(max(0, record.timestamp), provisional=True)
        known = self.moments.get(moment.provisional)
        if known is None or known.at < moment.at:
            self.moments[moment.provisional] = moment
        return True

    def copy(self) -> "Reading":
        """The same, to be continued by somebody else."""
        return Reading(self.term, self.end, set(self.overtaken), dict(self.moments))
