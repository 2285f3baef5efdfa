"""What a seed makes happen: how large everything is, how bad the network, and which faults come when."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

from tests.shellsim.broker import Network
from tests.shellsim.producer import Mishaps

TRAFFIC_S = 12.0
FAULTS_FROM_S, FAULTS_UNTIL_S = 0.5, 14.0


@dataclass(frozen=True)
class Fault:
    """`what` happens to worker number `worker` at `at_s`, or `steps` of that worker later; it lasts `for_s`."""

    at_s: float
    what: str
    worker: int
    for_s: float
    steps: int = 0


WHAT = (
    ("kill", 6),  # the process is gone; another takes its place
    ("stop", 4),  # it stands still, and goes on as if nothing had happened
    ("cut", 2),  # nothing goes from it or to it
    ("terminate", 2),
    ("add", 1),
    ("stall", 2),  # the broker takes requests and answers none
    ("mishaps", 3),  # sends go wrong
    ("compact", 2),
    ("policy", 1),
)


@dataclass(frozen=True)
class Plan:
    """One run. `speed`: ms of the clock in a second of the loop."""

    partitions: int
    workers: int
    disorder: float
    network: Network
    batch_records: int
    max_stall: str
    session_s: float
    moments: tuple[float, ...]
    """When much happens at once, on both sides (seconds)."""
    mishaps: Mishaps = field(default_factory=Mishaps)
    faults: tuple[Fault, ...] = ()


def plan_of(random: Random) -> Plan:
    """The plan of a seed."""
    slow = random.random() < 0.5
    network = Network(
        latency_s=random.choice((0.002, 0.02, 0.1)),
        slow_share=random.choice((0.01, 0.05)) if slow else 0.0,
        slow_s=random.choice((0.5, 4.0)),
    )
    workers = random.randint(1, 3)
    moments = tuple(random.uniform(FAULTS_FROM_S, TRAFFIC_S) for _ in range(random.randint(1, 4)))
    return Plan(
        partitions=random.randint(1, 4),
        workers=workers,
        disorder=random.choice((0.0, 0.2, 0.7)),
        network=network,
        batch_records=random.choice((1, 3, 50)),
        max_stall=random.choice(("60s", "60s", "60s", "4s")),
        session_s=random.choice((2.0, 3.0)),
        moments=moments,
        mishaps=_mishaps(random),
        faults=tuple(sorted(_faults(random, workers, moments), key=lambda fault: fault.at_s)),
    )


def _mishaps(random: Random) -> Mishaps:
    """What goes wrong while it is the time for it."""
    return Mishaps(*(random.choice((0.0, 0.1, 0.4)) for _ in range(4)))


def _faults(random: Random, workers: int, moments: Sequence[float]) -> list[Fault]:
    kinds, weights = zip(*WHAT, strict=True)
    return [
        Fault(
            near(random, moments, FAULTS_UNTIL_S, 0.6),
            random.choices(kinds, weights)[0],
            random.randrange(workers),
            random.choice((0.3, 1.0, 3.0, 6.0)) * random.uniform(0.5, 1.5),
            random.choice((0, random.randint(1, 30), random.randint(1, 400))),
        )
        for _ in range(random.randint(0, 6))
    ]


def near(random: Random, moments: Sequence[float], until_s: float, spread_s: float) -> float:
    """A time soon after one of the moments, or now and then any time."""
    if random.random() < 0.3:
        return random.uniform(FAULTS_FROM_S, until_s)
    return min(until_s, random.choice(moments) + random.expovariate(1 / spread_s))
