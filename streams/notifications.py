"""The notifications of all groups in one place, for a replay: one `NotificationGroup` for each key."""

from typing import Any

from streams.notification_group import NotificationGroup, Record
from streams.policy import Policy
from streams.storm_message import Message
from streams.timers import Timers

STATE_VERSION = 2
LOOK_EVERY = 10_000
"""After so many messages the groups that have nothing left to say are let go."""


class Notifier:
    """As a group, for many: each message comes with the key of the group that it is for."""

    def __init__(self) -> None:
        self._groups: dict[str, NotificationGroup] = {}
        self._timers = Timers()
        self._policy: str | None = None
        self._taken = 0

    def __len__(self) -> int:
        return len(self._groups)

    def observe(self, key: str, message: Message, policy: Policy, now: int) -> list[Record]:
        """Take a message for the group `key` in at `now` (ms); returns only notifications that were overdue."""
        sent = self._sound(policy, now - 1, now)
        group = self._groups.get(key)
        if group is None:
            group = self._groups[key] = NotificationGroup(key)
        sent += group.observe(message, policy, now)
        self._timers.set(key, group.next_wake)
        self._taken += 1
        if self._taken % LOOK_EVERY == 0:
            self._groups = {name: group for name, group in self._groups.items() if not group.spent(now)}
        return sent

    def wake(self, now: int, policy: Policy) -> list[Record]:
        """The notifications that are due at `now` (ms)."""
        return self._sound(policy, now, now)

    @property
    def next_wake(self) -> int | None:
        """The next instant (ms) at which something may be due if nothing happens; None where nothing will be."""
        return self._timers.next

    def _sound(self, policy: Policy, until: int, now: int) -> list[Record]:
        sent: list[Record] = []
        if policy.version != self._policy:
            self._policy = policy.version
            for key, group in self._groups.items():
                group.follow(policy, now)
                self._timers.set(key, group.next_wake)
        for key in self._timers.due(until, len(self._groups)):
            sent += self._groups[key].wake(now, policy)
            self._timers.set(key, self._groups[key].next_wake)
        return sent

    def encode(self) -> dict[str, Any]:
        """As a JSON object."""
        groups = [group.encode() for group in self._groups.values()]
        return {"v": STATE_VERSION, "policy_version": self._policy, "groups": groups}

    @classmethod
    def decode(cls, stored: dict[str, Any]) -> "Notifier":
        """What `encode` stored; raises ValueError for a state of a newer version."""
        if stored.get("v", 0) > STATE_VERSION:
            raise ValueError(f"notifier state of version {stored['v']} is newer than {STATE_VERSION}: upgrade first")
        notifier = cls()
        notifier._policy = stored["policy_version"]
        for item in stored["groups"]:
            group = NotificationGroup.decode(item)
            notifier._groups[group.key] = group
            notifier._timers.set(group.key, group.next_wake)
        return notifier
