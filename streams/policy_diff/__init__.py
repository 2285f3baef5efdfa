"""What would change if another policy had been in force: two replays of one history, held against each other.

old, new = Tally(old_policy), Tally(new_policy)      # each fed with the outcomes of a replay of its own
diff = compare(old.finish(...), new.finish(...), zone=...)
"""

from streams.policy_diff.compare import Diff, compare
from streams.policy_diff.side import CLOCK_METRICS, Clocks, Seen, Side
from streams.policy_diff.tally import Tally

__all__ = ["CLOCK_METRICS", "Clocks", "Diff", "Seen", "Side", "Tally", "compare"]
