"""Groups that page and topics that may be hot, as aggregates."""

from dataclasses import dataclass, field
from typing import Any, Self

from schemas.codec import dumps
from schemas.command import Command
from streams.aggregates.aggregate import Record, Said, posts_of
from streams.aggregates.messages import HOT, ORDER, Message, to_aggregate
from streams.effects import Dead
from streams.effects import Record as Incoming
from streams.hotspot_topic import HotspotTopic, Told
from streams.notification_group import NotificationGroup
from streams.policy import PolicyHistory

NOTIFICATIONS, ESCALATIONS, CURRENT = "notifications", "escalations", "escalations.current"
COMMANDS = "escalations.commands"
_UNKNOWN = "escalation_id: no open escalation of this customer, and no open hotspot"


@dataclass(slots=True)
class Page:
    """A group of escalations."""

    group: NotificationGroup

    @property
    def next_wake(self) -> int | None:
        """When a page may be due."""
        return self.group.next_wake

    def take(self, message: Message, policies: PolicyHistory, now: int, said: Said) -> None:
        """Take note of an escalation."""
        self._say(self.group.observe(message["m"], policies.at(now), now), said)

    def settle(self, policies: PolicyHistory, now: int, said: Said) -> None:
        """Page what is due."""
        self._say(self.group.wake(now, policies.at(now)), said)

    def spent(self, now: int) -> bool:
        """True where nobody is in it, and no older message is awaited."""
        return self.group.spent(now)

    def _say(self, records: list[Record], said: Said) -> None:
        said.records += ((NOTIFICATIONS, record["group_key"], record) for record in records)

    def encode(self) -> Record:
        """As a JSON object."""
        return self.group.encode()

    def changes(self) -> Record:
        """What has changed since, as a JSON object."""
        return self.group.changes()

    def stored_whole(self) -> None:
        """It is stored as `encode` gives it."""
        self.group.stored_whole()

    @classmethod
    def make(cls, name: str) -> Self:
        """The group of this key, with nobody in it."""
        return cls(NotificationGroup(name))

    @classmethod
    def decode(cls, whole: Record, changes: Record | None = None) -> Self:
        """What `encode` stored, and `changes` since; raises ValueError for a state of a newer version."""
        return cls(NotificationGroup.decode(whole, changes))


@dataclass(slots=True)
class Hot:
    """A topic. Its hotspot is an escalation: it goes where all go, pages as all do, and is told to its directory."""

    topic: HotspotTopic

    @property
    def next_wake(self) -> int | None:
        """When the ladder or the timeout of a command is due."""
        return self.topic.next_wake

    def take(self, message: Message, policies: PolicyHistory, now: int, said: Said) -> None:
        """Take note of an escalation, or obey."""
        policy = policies.at(now)
        if message["t"] != "command":
            self._say(self.topic.observe(message["m"], policy, now), said)
            return
        told = self.topic.command(Command.model_validate(message["v"]["command"]), policy, now)
        if told is None:
            said.dead.append(refused(message["v"]))
        else:
            self._say(told, said)

    def settle(self, policies: PolicyHistory, now: int, said: Said) -> None:
        """Say what is due."""
        self._say(self.topic.wake(now, policies.at(now)), said)

    def spent(self, now: int) -> bool:
        """True where no escalation counts, and no hotspot is to be remembered."""
        return self.topic.spent(now)

    def _say(self, told: Told, said: Said) -> None:
        for record in told.records:
            id_ = record["escalation_id"]
            said.records += ((ESCALATIONS, id_, record), (CURRENT, id_, record))
            if record["change"] == "opened":
                said.posts.append(to_aggregate(ORDER, id_, "stands", o=self.topic.name))
            elif record["status"] == "resolved":
                said.posts.append(to_aggregate(ORDER, id_, "over"))
        said.posts += posts_of(told.pages)

    def encode(self) -> Record:
        """As a JSON object."""
        return self.topic.encode()

    def changes(self) -> Record:
        """What has changed since, as a JSON object."""
        return self.topic.changes()

    def stored_whole(self) -> None:
        """It is stored as `encode` gives it."""
        self.topic.stored_whole()

    @classmethod
    def make(cls, name: str) -> Self:
        """The topic, on which nothing counts."""
        return cls(HotspotTopic(name))

    @classmethod
    def decode(cls, whole: Record, changes: Record | None = None) -> Self:
        """What `encode` stored, and `changes` since; raises ValueError for a state of a newer version."""
        return cls(HotspotTopic.decode(whole, changes))


@dataclass(slots=True)
class Directory:
    """Where a hotspot is: a command names its id, which does not tell the topic."""

    topic: str | None = None
    next_wake: int | None = field(default=None, init=False)

    def take(self, message: Message, policies: PolicyHistory, now: int, said: Said) -> None:  # noqa: ARG002 - Aggregate
        """Note the topic, or pass a command on to it."""
        match message["t"]:
            case "stands":
                self.topic = message["o"]
            case "over":
                self.topic = None
            case _ if self.topic is None:
                said.dead.append(refused(message["v"]))
            case _:
                said.posts.append(to_aggregate(HOT, self.topic, "command", v=message["v"]))

    def settle(self, policies: PolicyHistory, now: int, said: Said) -> None:
        """Nothing is ever due."""

    def spent(self, now: int) -> bool:  # noqa: ARG002 - Aggregate
        """True where there is no such hotspot any more."""
        return self.topic is None

    def encode(self) -> Record:
        """As a JSON object."""
        return {"topic": self.topic}

    def changes(self) -> None:
        """It is always stored whole."""

    def stored_whole(self) -> None:
        """Nothing follows from it."""

    @classmethod
    def make(cls, name: str) -> Self:  # noqa: ARG003 - Aggregate
        """Of a hotspot that has not been told of."""
        return cls()

    @classmethod
    def decode(cls, whole: Record, changes: Record | None = None) -> Self:  # noqa: ARG003 - Aggregate
        """What `encode` stored."""
        return cls(whole["topic"])


def refused(order: dict[str, Any]) -> Dead:
    """A command that names nothing that is open, as the record that it was."""
    key, value = str(order["command"]["customer_id"]).encode(), dumps(order["command"])
    return Dead(Incoming(COMMANDS, key, value, order["at"], order["p"], order["o"]), "unknown_escalation", _UNKNOWN)
