"""Partitions, workers and a topic of reports, simulated: records with causes, hops, delays, crashes, moves.

Every record has an id. What follows from it is fixed by the id, so that whoever handles it again sends the same again.
"""

from dataclasses import dataclass, field
from functools import cache
from random import Random

from agents.worker.tracking import Facts, PartitionFacts, Tracker

INBOXES = ("identity-inbox", "customer-inbox")
Id = tuple[int, ...]
"""The number of the input record, then which of its parent's outputs it is, hop by hop."""


@cache
def outputs(id_: Id, hops: int, partitions: int) -> tuple[tuple[str, int, Id], ...]:
    """What a record leads to: inbox, partition and id of each."""
    random = Random(repr(id_))
    number = 0 if len(id_) > hops else random.choice((0, 1, 1, 2))
    return tuple((random.choice(INBOXES), random.randrange(partitions), (*id_, n)) for n in range(number))


@cache
def closure(id_: Id, hops: int, partitions: int) -> frozenset[Id]:
    """A record and all that follows from it."""
    children = (child for _, _, child in outputs(id_, hops, partitions))
    return frozenset({id_}).union(*(closure(child, hops, partitions) for child in children))


@dataclass
class Log:
    """One partition of a topic: ids with their append times."""

    records: list[tuple[int, Id]] = field(default_factory=list)
    done: int = 0
    committed: int = 0
    fetched: int = 0
    as_of: int | None = None


class Worker:
    """What one process knows."""

    def __init__(self, partitions: int, hops: int) -> None:
        self.tracker = Tracker(partitions, INBOXES, 0.0, hops, hops)
        self.sent = {inbox: [0] * partitions for inbox in INBOXES}
        self.heard: list[Facts] = []


class World:
    """Everything. Each method is one step; `check` is the promise."""

    def __init__(self, random: Random, *, partitions: int = 3, workers: int = 2, hops: int = 4) -> None:
        self.random, self.partitions, self.hops = random, partitions, hops
        self.clock = 0
        self.inputs = [Log() for _ in range(partitions)]
        self.inboxes = {(inbox, number): Log() for inbox in INBOXES for number in range(partitions)}
        self.workers = [Worker(partitions, hops) for _ in range(workers)]
        self.owner = [random.randrange(workers) for _ in range(partitions)]
        self.handled: set[Id] = set()
        self.appended = 0
        self.waiting: list[tuple[int, Id]] = []

    def logs(self, number: int) -> list[Log]:
        return [self.inputs[number], *(self.inboxes[inbox, number] for inbox in INBOXES)]

    def tick(self) -> None:
        self.clock += self.random.randint(1, 5)

    def arrive(self) -> None:
        record = (self.clock, (self.appended,))
        self.appended += 1
        self.waiting.append(record)
        self.random.choice(self.inputs).records.append(record)

    def fetch(self) -> None:
        log = self.random.choice([*self.inputs, *self.inboxes.values()])
        log.fetched, log.as_of = len(log.records), self.clock

    def work(self, *, crash: bool = False) -> None:
        """A partition handles a batch; with `crash` it sends some of what follows, and is done with none of it."""
        number = self.random.randrange(self.partitions)
        worker = self.workers[self.owner[number]]
        taken = [(log, self.random.randint(0, log.fetched - log.done)) for log in self.logs(number)]
        ids = [id_ for log, count in taken for _, id_ in log.records[log.done : log.done + count]]
        sends = [send for id_ in ids for send in outputs(id_, self.hops, self.partitions)]
        if crash:
            for inbox, place, id_ in sends[: self.random.randint(0, len(sends))]:
                self.inboxes[inbox, place].records.append((self.clock, id_))
            self.move(number)
            return
        for inbox, place, id_ in sends:
            log = self.inboxes[inbox, place]
            log.records.append((self.clock, id_))
            worker.sent[inbox][place] = max(worker.sent[inbox][place], len(log.records))
        for log, count in taken:
            log.done += count
        self.handled.update(ids)

    def commit(self) -> None:
        log = self.random.choice([*self.inputs, *self.inboxes.values()])
        log.committed = self.random.randint(log.committed, log.done)

    def move(self, number: int | None = None) -> None:
        """A partition gets another owner, which goes back to what is committed and asks where the inboxes end."""
        if number is None:
            number = self.random.randrange(self.partitions)
        for log in self.logs(number):
            log.done = log.fetched = log.committed
            log.as_of = None
        self.owner[number] = self.random.randrange(len(self.workers))
        sent = self.workers[self.owner[number]].sent
        for (inbox, place), log in self.inboxes.items():
            sent[inbox][place] = max(sent[inbox][place], len(log.records))

    def facts(self, worker: Worker) -> Facts:
        mine = [number for number, owner in enumerate(self.owner) if self.workers[owner] is worker]
        return Facts(
            {number: self._partition(number) for number in mine},
            {inbox: tuple(ends) for inbox, ends in worker.sent.items()},
            worker.tracker.confirmed,
        )

    def _partition(self, number: int) -> PartitionFacts:
        log = self.inputs[number]
        low = log.records[log.done][0] if log.done < log.fetched else log.as_of
        return PartitionFacts(low, log.done, {inbox: self.inboxes[inbox, number].done for inbox in INBOXES})

    def tell(self) -> None:
        worker = self.random.choice(self.workers)
        facts = self.facts(worker)
        for other in self.workers:
            if other is not worker and self.random.random() < 0.9:  # else it never hears of it
                other.heard.append(facts)

    def hear(self) -> None:
        """In any order, and now and then twice."""
        worker = self.random.choice(self.workers)
        if worker.heard:
            facts = self.random.choice(worker.heard)
            if self.random.random() < 0.8:
                worker.heard.remove(facts)
            worker.tracker.take(facts, float(self.clock))

    def look(self) -> None:
        worker = self.random.choice(self.workers)
        worker.tracker.take(self.facts(worker), float(self.clock))
        worker.tracker.advance()

    def check(self) -> None:
        """No worker's time has passed a record that is not worked off with all that follows from it."""
        while self.waiting and closure(self.waiting[0][1], self.hops, self.partitions) <= self.handled:
            del self.waiting[0]
        oldest = self.waiting[0][0] if self.waiting else None
        for worker in self.workers:
            confirmed = worker.tracker.confirmed
            assert oldest is None or confirmed is None or confirmed <= oldest, (confirmed, oldest, self.clock)

    def settle(self) -> None:
        """Everything is fetched, handled and told, until nothing changes any more."""
        for _ in range(4 * self.hops + 10):
            for log in [*self.inputs, *self.inboxes.values()]:
                log.fetched, log.as_of = len(log.records), self.clock
            for _ in range(20 * self.partitions):
                self.work()
            for worker in self.workers:
                for other in self.workers:
                    other.tracker.take(self.facts(worker), float(self.clock))
            for worker in self.workers:
                worker.tracker.advance()
            self.check()
