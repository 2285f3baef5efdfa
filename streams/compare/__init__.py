"""compare(a, b): do two runs over the same input agree, and where they do not, what differs (contract, section 11)?

Everything streams: of each record a digest is kept, and whole records only of what differs.
"""

from streams.compare.facts import compare_clocks, compare_customers, compare_episodes
from streams.compare.on_record import check_escalations
from streams.compare.report import Comparison, Difference, Run, Section

__all__ = ["Comparison", "Difference", "Run", "Section", "compare"]


def compare(a: Run, b: Run, *, limit: int = 10, strict: bool = False) -> Comparison:
    """What differs between two runs, with the first `limit` differences of each section.

    With `strict`, an escalation that was resolved and for which the final history has no episode is a difference
    too: without late events there is none. Each source is read two or three times. Raises ValueError for a
    record that is not one.
    """
    sections = [*compare_customers(a.customers, b.customers, limit)]
    sections.append(compare_clocks(a.clocks, b.clocks, limit))
    sections.append(compare_episodes(a.episodes, b.episodes, limit))
    sections.append(check_escalations({"A": a, "B": b}, limit, strict=strict))
    return Comparison(sections)
