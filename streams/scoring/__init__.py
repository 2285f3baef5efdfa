"""How well the core recognises each pattern: what it says of simulated customers, held against their truth."""

from streams.scoring.evidence import Evidence, gather
from streams.scoring.judge import Miss, PatternScore, Score, judge
from streams.simulate import Simulation

__all__ = ["Evidence", "Miss", "PatternScore", "Score", "gather", "judge", "score"]


def score(simulation: Simulation) -> Score:
    """Run a simulation through the core, and judge what it said. The simulation is used up."""
    lines = list(simulation)
    return judge(list(simulation.truth()), gather(lines, simulation.end))
