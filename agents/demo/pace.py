"""Which escalations are shown: all of them are counted, but nobody reads a hundred lines a second."""

from collections import Counter
from dataclasses import dataclass, field

from rich.console import RenderableType
from rich.text import Text

from agents.demo.render import INDENT, SEVERITIES, Record, entry
from agents.demo.words import count

RESOLVED = "resolved"


@dataclass(slots=True)
class Pace:
    """Collects the records of a moment, and shows the gravest `entries_max` of them in the order in which they came.

    Not more than `records_max` are held; what is beyond that is counted.
    """

    entries_max: int = 3
    records_max: int = 2_000
    _waiting: list[tuple[int, Record]] = field(default_factory=list)
    _passed: Counter[str] = field(default_factory=Counter)
    _taken: int = 0

    def add(self, record: Record) -> None:
        """Take one record."""
        self._taken += 1
        if len(self._waiting) < self.records_max:
            self._waiting.append((self._taken, record))
        else:
            self._passed[_class(record)] += 1

    def show(self) -> list[RenderableType]:
        """What to print for the moment that ends now: entries, and a line about the rest."""
        ranked = sorted(self._waiting, key=lambda item: (-weight(item[1]), item[0]))
        chosen = sorted(ranked[: self.entries_max], key=lambda item: item[0])
        passed = self._passed + Counter(_class(record) for _, record in ranked[self.entries_max :])
        self._waiting, self._passed = [], Counter()
        lines: list[RenderableType] = [entry(record) for _, record in chosen]
        if passed:
            names = [*reversed(SEVERITIES), RESOLVED]
            parts = [f"{passed[name]:,} {name}" for name in names if passed[name]]
            noun = count(passed.total(), "other change")
            lines.append(Text(f"{'':{INDENT}}and {noun}: {', '.join(parts)}", style="dim"))
        return lines


def weight(record: Record) -> int:
    """How much a record deserves to be read: news of grave things first, then what is over."""
    severity = SEVERITIES.index(record["severity"]) if record["severity"] in SEVERITIES else 0
    news = {"opened": 1, "raised": 1, RESOLVED: -2}.get(str(record["change"]), -1)
    hotspot = 4 if record["kind"] == "hotspot" else 0
    public = 1 if record.get("public") else 0
    history = 1 if record["kind"] == "history" else 0
    return 3 * severity + 3 * news + hotspot + public + history


def _class(record: Record) -> str:
    return RESOLVED if record["status"] == RESOLVED else str(record["severity"])
