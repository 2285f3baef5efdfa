"""What a part of the customers contributes to one channel in one window: it adds up with what the others do.

`Partial.union` is associative and commutative, so the parts of any number of partitions can be joined in any order.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any

from streams.gaps.lengths import NONE, Lengths
from streams.gaps.percentile import percentile, percentile_s, ratio

Answered = tuple[int, int]
"""A public first response: (when its wait began, when it was answered), in ms."""
COUNTS = ("contacts", "breached", "queue_jumps", "ended_elsewhere", "public_first", "public_first_returning")
LENGTHS = ("first", "later", "resolution", "per_issue", "public")


@dataclass(frozen=True, slots=True)
class Partial:
    """Counts, lengths (ms; `per_issue` in contacts), and the public first responses that may overtake somebody."""

    contacts: int = 0
    breached: int = 0
    queue_jumps: int = 0
    ended_elsewhere: int = 0
    public_first: int = 0
    public_first_returning: int = 0
    first: Lengths = NONE
    later: Lengths = NONE
    resolution: Lengths = NONE
    per_issue: Lengths = NONE
    """The contacts of each issue that was resolved here."""
    public: Lengths = NONE
    """Those of `first` that were on public threads."""
    answered: tuple[Answered, ...] = ()
    """The public first responses of `frontier`."""

    @staticmethod
    def union(parts: Iterable["Partial"]) -> "Partial":
        """All of them together."""
        parts = [part for part in parts if part != EMPTY]
        if len(parts) <= 1:
            return parts[0] if parts else EMPTY
        joined: dict[str, Any] = {name: sum(getattr(part, name) for part in parts) for name in COUNTS}
        joined |= {name: Lengths.union(getattr(part, name) for part in parts) for name in LENGTHS}
        return Partial(**joined, answered=frontier(pair for part in parts for pair in part.answered))

    def measures(self, public: Lengths, overtaken: int) -> dict[str, Any]:
        """The fields of the record. `public`: all public first responses of the window, over the channels."""
        return {
            "contacts": self.contacts,
            "first_responses": self.first.count,
            "first_response_p50_s": percentile_s(self.first, 50),
            "first_response_p90_s": percentile_s(self.first, 90),
            "next_response_p90_s": percentile_s(self.later, 90),
            "breached": self.breached,
            "resolved": self.resolution.count,
            "median_resolution_s": percentile_s(self.resolution, 50),
            "queue_jumps": self.queue_jumps,
            "ratio_to_public": ratio(self.first, public),
            "overtaken": overtaken,
            "resolved_here": self.per_issue.count,
            "ended_elsewhere": self.ended_elsewhere,
            "contacts_per_issue_p50": percentile(self.per_issue, 50),
            "public_first": self.public_first,
            "public_first_returning": self.public_first_returning,
        }

    def encode(self) -> dict[str, Any]:
        """As a JSON object, without what is nothing."""
        found: dict[str, Any] = {name: getattr(self, name) for name in COUNTS if getattr(self, name)}
        found |= {name: getattr(self, name).encode() for name in LENGTHS if getattr(self, name) != NONE}
        if self.answered:
            found["answered"] = [list(pair) for pair in self.answered]
        return found

    @classmethod
    def decode(cls, stored: dict[str, Any]) -> "Partial":
        """What `encode` made; unknown fields are a newer version's. Raises ValueError, TypeError or KeyError."""
        known: dict[str, Any] = {}
        for name in COUNTS:
            known[name] = stored.get(name, 0)
            if type(known[name]) is not int or known[name] < 0:
                raise ValueError(f"{name}: not a count")
        known |= {name: Lengths.decode(stored.get(name, [])) for name in LENGTHS}
        return cls(**known, answered=frontier((int(start), int(at)) for start, at in stored.get("answered", ())))


EMPTY = Partial()
"""Nothing."""
assert {field.name for field in fields(Partial)} == {*COUNTS, *LENGTHS, "answered"}


def frontier(answered: Iterable[Answered]) -> tuple[Answered, ...]:
    """Of public first responses those that decide who was overtaken, sorted.

    One whose wait began no later than another's and was answered no sooner overtook nobody whom the other did not.
    """
    kept: list[Answered] = []
    for start, at in sorted(answered, key=lambda pair: (-pair[0], pair[1])):
        if not kept or at < kept[-1][1]:
            kept.append((start, at))
    return tuple(reversed(kept))
