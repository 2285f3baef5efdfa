"""Channel gaps: the service level of each channel in tumbling windows of event time (contract, section 8).

    facts(derived)               -> what one customer's history contributes, each fact with its instant
    GapBook.replace(id, facts)   -> keeps it, in place of what that customer contributed before
    GapBook.close(now)           -> the windows that have ended, and corrections of earlier ones
    summary(facts)               -> the same figures over a whole run

Lengths of time are wall time, as the customer lived it, whatever calendar the clock counts in. Percentiles are
exact and interpolated between neighbours. Both suit a replay and one process: a sketch that can be merged, a limit
on how long contributions are kept, and a stored state are not here.
"""

from streams.gaps.book import GapBook
from streams.gaps.facts import Fact, facts
from streams.gaps.summary import summary

__all__ = ["Fact", "GapBook", "facts", "summary"]
