"""The hotspots of all topics in one place, for a replay: one `HotspotTopic` for each."""

from typing import Any

from schemas.command import Command
from streams.hotspot_topic import HotspotTopic, Told
from streams.policy import Policy
from streams.storm_message import Message
from streams.timers import Timers

STATE_VERSION = 3
LOOK_EVERY = 10_000
"""After so many messages the topics of which nothing is left are let go."""

Record = dict[str, Any]


class Hotspots:
    """As a topic, for many: each message comes with the topic that it is for."""

    def __init__(self) -> None:
        self._topics: dict[str, HotspotTopic] = {}
        self._timers = Timers()
        self._policy: str | None = None
        self._taken = 0

    def __len__(self) -> int:
        return len(self._topics)

    def observe(self, name: str, message: Message, policy: Policy, now: int) -> Told:
        """What follows from a message for the topic `name`, at `now` (ms)."""
        told = self._follow(policy, now)
        topic = self._topics.get(name)
        if topic is None:
            topic = self._topics[name] = HotspotTopic(name)
        told = _both(told, topic.observe(message, policy, now))
        self._timers.set(name, topic.next_wake)
        self._taken += 1
        if self._taken % LOOK_EVERY == 0:
            self._topics = {name: topic for name, topic in self._topics.items() if not topic.spent(now)}
        return told

    def wake(self, now: int, policy: Policy) -> Told:
        """What the ladders and the timeouts of commands bring at `now` (ms)."""
        told = self._follow(policy, now)
        for name in self._timers.due(now, len(self._topics)):
            told = _both(told, self._topics[name].wake(now, policy))
            self._timers.set(name, self._topics[name].next_wake)
        return told

    @property
    def next_wake(self) -> int | None:
        """The next instant (ms) at which something is to be said if nothing happens, or None."""
        return self._timers.next

    def command(self, command: Command, policy: Policy, now: int) -> Told | None:
        """Obey a command at `now`; None where it names no hotspot that stands. Its `customer_id` is not looked at."""
        for name, topic in self._topics.items():
            told = topic.command(command, policy, now)
            if told is not None:
                self._timers.set(name, topic.next_wake)
                return told
        return None

    def _follow(self, policy: Policy, now: int) -> Told:
        """Another policy has taken effect: every topic is compared again."""
        told = Told([], [])
        if policy.version != self._policy:
            self._policy = policy.version
            for name, topic in self._topics.items():
                told = _both(told, topic.wake(now, policy))
                self._timers.set(name, topic.next_wake)
        return told

    def encode(self) -> Record:
        """As a JSON object."""
        topics = [topic.encode() for topic in self._topics.values()]
        return {"v": STATE_VERSION, "policy_version": self._policy, "topics": topics}

    @classmethod
    def decode(cls, stored: Record) -> "Hotspots":
        """What `encode` stored; raises ValueError for a state of a newer version."""
        if stored.get("v", 0) > STATE_VERSION:
            raise ValueError(f"hotspot state of version {stored['v']} is newer than {STATE_VERSION}: upgrade first")
        hotspots = cls()
        hotspots._policy = stored["policy_version"]
        for item in stored["topics"]:
            topic = HotspotTopic.decode(item)
            hotspots._topics[topic.name] = topic
            hotspots._timers.set(topic.name, topic.next_wake)
        return hotspots


def _both(first: Told, second: Told) -> Told:
    return Told([*first.records, *second.records], [*first.pages, *second.pages])
