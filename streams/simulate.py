"""A seeded simulation of a company that answers in public first, as input for the processor.

A few hundred customers, ten channels, desks with opening hours and queues: the stories are not scripted,
they follow from temper, patience and the length of the queues. The same seed gives the same lines.
"""

from collections.abc import Iterator
from random import Random

from schemas.times import DAY, HOUR, MINUTE
from streams.simulation.customers import Customers
from streams.simulation.line import INTERACTIONS, LINKS, Line, StoryTruth
from streams.simulation.people import Person, make_people
from streams.simulation.truth import tell_all
from streams.simulation.untidy import TIDY, USUAL, Untidy
from streams.simulation.words import OUTAGE, TOPICS
from streams.simulation.world import World

__all__ = ["INTERACTIONS", "LINKS", "TIDY", "USUAL", "Line", "Simulation", "StoryTruth", "Untidy", "simulate"]

_OUTAGE_DAYS = (1, 5)
"""Days with an outage, in every eight."""
_OUTAGE_SHARE = 0.12


class Simulation:
    """One run: iterate over it once for the lines in order of arrival, then ask for the truth.

    `start` and `duration` in ms; `stories_per_day` is how many problems a customer has a day, on the average;
    `utc_offset` (ms) moves the company's and its customers' local day; `untidy` says what goes wrong with records.
    """

    def __init__(  # the knobs of the model
        self,
        seed: int,
        start: int,
        duration: int,
        customers: int,
        *,
        stories_per_day: float = 0.13,
        utc_offset: int = -4 * HOUR,
        untidy: Untidy = USUAL,
    ) -> None:
        if customers < 1 or duration < 1 or not stories_per_day > 0:
            msg = "a simulation needs at least one customer, one millisecond, and problems now and then"
            raise ValueError(msg)
        self._rng = Random(seed)
        self._world = World(self._rng, seed, start, start + duration, untidy)
        self._people = make_people(self._rng, customers, TOPICS, untidy)
        self._customers = Customers(self._world, self._rng, self._people, utc_offset)
        self._rate = stories_per_day
        self._utc_offset = utc_offset

    def __iter__(self) -> Iterator[Line]:
        """The lines in order of arrival, made as they are asked for."""
        for person in self._people:
            self._next_problem(person)
            self._next_praise(person)
        first_day = (self._world.now + self._utc_offset) // DAY
        for day in range((self._world.end - self._world.now) // DAY + 1):
            if day % 8 in _OUTAGE_DAYS:
                noon = (first_day + day) * DAY + 12 * HOUR - self._utc_offset
                at = noon + self._rng.randrange(3 * HOUR)
                self._world.later(at, self._outage)
        yield from self._world.run()

    @property
    def end(self) -> int:
        """The last arrival (ms) so far. Once the lines have been read to the end, no more is heard after it."""
        return self._world.heard_at

    def truth(self) -> Iterator[StoryTruth]:
        """What was true of each problem that was heard of. Complete once the lines have been read to the end."""
        return tell_all(self._customers.stories, self.end)

    def _next_problem(self, person: Person) -> None:
        wait = int(self._rng.expovariate(self._rate) * DAY)
        self._world.later(self._world.now + max(wait, MINUTE), lambda: self._problem(person))

    def _problem(self, person: Person) -> None:
        if not person.topics:  # everything has happened to them once
            person.topics = self._rng.sample(TOPICS, len(TOPICS))
        self._customers.begin(person, person.topics.pop())
        self._next_problem(person)

    def _next_praise(self, person: Person) -> None:
        wait = int(self._rng.expovariate(0.015) * DAY)
        self._world.later(self._world.now + wait, lambda: self._customers.praise(person))

    def _outage(self) -> None:
        rng, now = self._rng, self._world.now
        over = now + int(rng.uniform(3, 6) * HOUR)
        affected = rng.sample(self._people, max(1, int(len(self._people) * _OUTAGE_SHARE)))
        for person in affected:
            at = now + int(min(rng.expovariate(3), 2) * HOUR)
            self._world.later(at, lambda person=person: self._customers.begin(person, OUTAGE, over))  # type: ignore[misc]
        self._world.later(over, lambda: self._end_outage(over))

    def _end_outage(self, over: int) -> None:
        for story in self._customers.stories:
            if story.blocked_until == over:
                delay = self._rng.randrange(MINUTE, HOUR)
                self._world.later(over + delay, lambda story=story: self._customers.company.close(story))  # type: ignore[misc]


def simulate(seed: int, start: int, duration: int, customers: int, *, stories_per_day: float = 0.13) -> Iterator[Line]:
    """The lines of one run, in order of arrival. `start` and `duration` in ms."""
    return iter(Simulation(seed, start, duration, customers, stories_per_day=stories_per_day))
