"""Crowds on public threads, and texts that are templates, as aggregates."""

from dataclasses import dataclass
from typing import ClassVar, Self

from streams.aggregates.aggregate import Record, Said
from streams.aggregates.messages import CANNED, CROWD, Message, to_customer
from streams.canned import canned_views
from streams.crowds import crowd_views
from streams.gathering import KEPT_FOR, Gathering, View
from streams.policy import PolicyHistory


@dataclass(slots=True)
class Gathered:
    """Takes shares, and tells those who have one what follows from all."""

    kind: ClassVar[str]
    name: str
    gathering: Gathering

    @property
    def next_wake(self) -> int | None:
        """When nothing of it counts any more; at once where there is more to tell."""
        newest = self.gathering.newest
        if self.gathering.more:
            return 0
        return None if newest is None else newest + KEPT_FOR + 1

    def take(self, message: Message, policies: PolicyHistory, now: int, said: Said) -> None:  # noqa: ARG002 - Aggregate
        """Take a customer's share."""
        items = ((at, id_) for at, id_ in message["s"])
        names = {"holds": message.get("h", False), "aliases": message.get("a", ()), "into": message.get("to")}
        self.gathering.take(message["c"], message["q"], items, **names)

    def settle(self, policies: PolicyHistory, now: int, said: Said) -> None:
        """Tell those whose view is another now."""
        key = f"{self.kind}/{self.name}"
        for id_, number, turn, view in self.gathering.answers(self._views(policies, now)):
            said.posts.append(to_customer(id_, k=key, q=number, n=turn, v=view))

    def _views(self, policies: PolicyHistory, now: int) -> dict[str, View]:
        raise NotImplementedError

    def spent(self, now: int) -> bool:
        """True where all of it lies too far back to count."""
        newest = self.gathering.newest
        return newest is None or newest + KEPT_FOR < now

    def encode(self) -> Record:
        """As a JSON object."""
        return {"name": self.name, **self.gathering.encode()}

    def changes(self) -> None:
        """It is always stored whole."""

    def stored_whole(self) -> None:
        """Nothing follows from it."""

    @classmethod
    def make(cls, name: str) -> Self:
        """Of which nobody has told anything."""
        return cls(name, Gathering())

    @classmethod
    def decode(cls, whole: Record, changes: Record | None = None) -> Self:  # noqa: ARG003 - Aggregate
        """What `encode` stored."""
        return cls(whole["name"], Gathering.decode(whole))


class Crowd(Gathered):
    """A public thread."""

    kind = CROWD

    def _views(self, policies: PolicyHistory, now: int) -> dict[str, View]:  # noqa: ARG002 - of all policies
        return crowd_views(self.gathering, policies)


class Template(Gathered):
    """A text, by its digest."""

    kind = CANNED

    def _views(self, policies: PolicyHistory, now: int) -> dict[str, View]:
        return canned_views(self.gathering, policies.at(now).canned_customers)
