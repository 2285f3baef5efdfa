"""A record of the topic `watermarks`: what one worker says of its partitions, at least once a second."""

from typing import Any, NamedTuple

from agents.worker.tracking import Facts, PartitionFacts
from schemas.codec import JSONDecodeError, dumps, loads

VERSION = 1


class Report(NamedTuple):
    """`worker`: a name that no other process has. `due` (ms): the earliest timer that waits there, None without any."""

    worker: str
    facts: Facts
    due: int | None


def encode(report: Report) -> bytes:
    """The record's value."""
    facts = report.facts
    inboxes = list(facts.sent)
    return dumps(
        {
            "v": VERSION,
            "w": report.worker,
            "g": facts.confirmed,
            "b": facts.behind,
            "d": report.due,
            "i": inboxes,
            "s": [list(facts.sent[inbox]) for inbox in inboxes],
            "p": {
                str(number): [part.low, part.mark, *(part.done.get(inbox, 0) for inbox in inboxes)]
                for number, part in facts.partitions.items()
            },
        }
    )


def decode(value: bytes) -> Report:
    """What `encode` wrote; raises ValueError for anything else, and for a version that is not known here."""
    try:
        found = loads(value)
        if found["v"] != VERSION:
            raise ValueError(f"a report of version {found['v']}")
        inboxes = [str(name) for name in found["i"]]
        sent = {inbox: tuple(map(int, ends)) for inbox, ends in zip(inboxes, found["s"], strict=True)}
        partitions = {int(number): _partition(inboxes, *fields) for number, fields in found["p"].items()}
        return Report(
            str(found["w"]), Facts(partitions, sent, _time(found["g"]), found.get("b") is True), _time(found["d"])
        )
    except (JSONDecodeError, KeyError, TypeError, AttributeError) as problem:
        raise ValueError("not a report of a worker") from problem


def _partition(inboxes: list[str], low: Any, mark: Any, *done: Any) -> PartitionFacts:
    return PartitionFacts(_time(low), int(mark), dict(zip(inboxes, map(int, done), strict=True)))


def _time(value: Any) -> int | None:
    return None if value is None else int(value)
