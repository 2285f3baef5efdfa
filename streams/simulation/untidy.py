"""How untidy the records are: what source systems, their networks and their users get wrong."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Untidy:
    """Shares between 0 and 1: of events, unless said otherwise."""

    duplicates: float = 0.008
    """Sent twice, with the same id."""
    late: float = 0.012
    """Arriving minutes or hours after it happened."""
    early: float = 0.003
    """Stamped by a clock that runs ahead, so that it arrives before its own time."""
    kiosks: float = 0.03
    """Of calls: from a telephone in a shop, which many people use, each with a customer number of their own."""
    mistaken: float = 0.04
    """Of handles that staff ask for: linked to somebody else's customer number, and unlinked some hours later."""
    withheld: float = 0.05
    """Of customers: who never send their number, or what systems write in its place."""
    shared: float = 0.015
    """Of customers: who share a telephone with a neighbour."""
    merged: float = 0.5
    """Of tickets answered while the same customer has another one open about the same thing: that one is merged."""
    lost: float = 0.02
    """Of written questions: never seen by anybody."""
    unmarked: float = 0.3
    """Of template answers: not marked as one by the source."""


USUAL = Untidy()
"""As records usually are."""
TIDY = Untidy(0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
"""Everything arrives once, in order and at its time; nobody shares a telephone; no ticket is lost or merged."""
