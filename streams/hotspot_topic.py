"""One topic as the hotspots see it: the escalations that count, by customer, and the one that stands for them."""

from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any

from streams.hotspot_record import Case, Snapshot
from streams.standing import Standing


@dataclass(slots=True)
class Topic:
    """Counted as it changes: a look at it costs no more as its cases grow."""

    name: str
    cases: dict[str, Case] = field(default_factory=dict)
    customers: Counter[str] = field(default_factory=Counter)
    """How many cases each customer has; nobody has none."""
    standing: Standing | None = None
    previous: str | None = None
    """The hotspot before, for the next to name."""
    muted: bool = False
    """Resolved by a command: it opens again only when what held has ceased and come back."""
    evidence: list[str] = field(default_factory=list)
    most: int = 0
    """The most customers that it has had."""
    shown: Snapshot | None = None
    wake_at: int | None = None
    _recent: dict[str, int] = field(default_factory=dict)
    """By escalation id, when it became this severe: those that may lie within the window."""

    def add(self, case: Case) -> None:
        """Count a case in."""
        self.cases[case.id] = case
        self.customers[case.customer_id] += 1
        self._recent[case.id] = case.hot_at

    def drop(self, case: Case) -> None:
        """Count a case out."""
        del self.cases[case.id]
        self._recent.pop(case.id, None)
        self.customers[case.customer_id] -= 1
        if not self.customers[case.customer_id]:
            del self.customers[case.customer_id]

    def recent(self, since: int) -> list[Case]:
        """The cases that became this severe at `since` (ms) or later; the others are not looked at again."""
        self._recent = {id_: at for id_, at in self._recent.items() if at >= since}
        return [self.cases[id_] for id_ in self._recent]

    def recount(self) -> None:
        """Look at all again: the window may have grown."""
        self._recent = {case.id: case.hot_at for case in self.cases.values()}


def encode_topic(topic: Topic) -> dict[str, Any]:
    """As a JSON object."""
    return {
        "name": topic.name,
        "cases": [asdict(case) for case in topic.cases.values()],
        "standing": topic.standing.encode() if topic.standing else None,
        "previous": topic.previous,
        "muted": topic.muted,
        "evidence": topic.evidence,
        "most": topic.most,
        "shown": topic.shown._asdict() if topic.shown else None,
        "wake_at": topic.wake_at,
    }


def decode_topic(stored: dict[str, Any]) -> Topic:
    """What `encode_topic` stored."""
    topic = Topic(stored["name"])
    for item in stored["cases"]:
        topic.add(Case(**{**item, "channels": tuple(item["channels"])}))
    topic.standing = Standing.decode(stored["standing"]) if stored["standing"] else None
    topic.previous, topic.muted = stored["previous"], stored["muted"]
    topic.evidence, topic.most, topic.wake_at = list(stored["evidence"]), stored["most"], stored["wake_at"]
    shown = stored["shown"]
    topic.shown = Snapshot(**{**shown, "channels": tuple(shown["channels"])}) if shown else None
    return topic
