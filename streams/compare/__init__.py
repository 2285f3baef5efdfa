"""compare(a, b): do two runs over the same input agree, and where they do not, what differs (contract, section 11)?

Everything streams: of each record a digest is kept, and whole records only of what differs.
"""

from collections.abc import Iterator

from streams.compare.facts import compare_clocks, compare_customers, compare_episodes
from streams.compare.gaps import Span, compare_gaps, span_until
from streams.compare.on_record import check_escalations
from streams.compare.own_cases import own_cases
from streams.compare.report import Comparison, Difference, Run, Section
from streams.compare.storms import check_hotspots, check_notifications
from streams.compare.terms import Terms

__all__ = ["Comparison", "Difference", "Run", "Section", "Span", "Terms", "compare", "span_until"]


def compare(a: Run, b: Run, *, limit: int = 10, strict: bool = False, terms: Terms | None = None) -> Comparison:
    """What differs between two runs, with the first `limit` differences of each section.

    With `strict`, an escalation that was resolved and for which the final history has no episode is a difference
    too: without late events there is none. With `terms`, what flaps must end in time, hotspots and notifications are
    held against each side's own escalations, and channel gaps are compared up to that time; gaps where both sides
    wrote them. Each source is read two or three times. Raises ValueError for a record that is not one.
    """
    sections = [*compare_customers(a.customers, b.customers, limit)]
    sections.append(compare_clocks(a.clocks, b.clocks, limit))
    sections.append(compare_episodes(a.episodes, b.episodes, limit))
    sections.append(check_escalations({"A": a, "B": b}, limit, strict=strict, terms=terms))
    if terms is not None:
        sections += _storms(a, b, terms, limit)
    if a.gaps is not None and b.gaps is not None:
        sections.append(compare_gaps(a.gaps, b.gaps, limit, None if terms is None else span_until(terms.until)))
    return Comparison(sections)


def _storms(a: Run, b: Run, terms: Terms, limit: int) -> Iterator[Section]:
    cases_a, cases_b = own_cases(a.escalations(), terms.policy), own_cases(b.escalations(), terms.policy)
    yield check_hotspots({"A": cases_a, "B": cases_b}, terms, limit)
    if a.notifications is not None and b.notifications is not None:
        sides = {"A": (cases_a, a.notifications), "B": (cases_b, b.notifications)}
        yield check_notifications(sides, terms, limit)
