"""Channel gaps: the service level of each channel in tumbling windows of event time (contract, section 8).

    facts(derived)                   -> what one customer's history contributes, each fact with its instant
    GapShare.replace(id, facts)      -> keeps it, in place of what that customer contributed before
    GapShare.take(sequence, now)     -> what has changed in this partition, as messages
    GapTotals.take(message)          -> adds up the partitions, whatever the order
    GapTotals.close(now)             -> the windows that have ended, and corrections of earlier ones

    GapBook                          -> both in one process, for a replay
    summary(facts), suggest(facts)   -> the same figures over a whole run; where an issue is solved fastest

Lengths of time are wall time, as the customer lived it, whatever calendar the clock counts in. Percentiles are
interpolated between neighbours: exact over at most `EXACT_MAX` lengths, beyond that of a sketch (`lengths`).
"""

from streams.gaps.book import GapBook
from streams.gaps.facts import Fact, facts
from streams.gaps.lengths import ACCURACY, EXACT_MAX
from streams.gaps.messages import DIMENSIONS, Cell, Message, Sweep, WaitBlock, decode, encode, key
from streams.gaps.share import RETENTION, GapShare
from streams.gaps.suggest import SOLVED_MIN, Solving, Suggestion, suggest
from streams.gaps.summary import summary
from streams.gaps.totals import GapTotals

__all__ = [
    "ACCURACY",
    "DIMENSIONS",
    "EXACT_MAX",
    "RETENTION",
    "SOLVED_MIN",
    "Cell",
    "Fact",
    "GapBook",
    "GapShare",
    "GapTotals",
    "Message",
    "Solving",
    "Suggestion",
    "Sweep",
    "WaitBlock",
    "decode",
    "encode",
    "facts",
    "key",
    "suggest",
    "summary",
]
