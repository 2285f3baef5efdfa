"""Lives of escalations, the messages that they make, and what groups say when these come in good and in bad order."""

import random
from copy import copy
from dataclasses import dataclass, field
from typing import Any

from schemas.codec import dumps, loads
from streams.notification_group import NotificationGroup
from streams.policy import Policy
from streams.storm_addresses import Addresses, Envelope
from tests.aggregates.in_two import InTwo
from tests.notifications.records import escalation

T0 = 1_780_000_000_000
SECOND = 1000
Move = tuple[int, int, str, str, str | None, str]
"""(which escalation, seconds since the move before, status, severity, topic, channel)."""


def batches(moves: list[Move], rules: Policy) -> list[tuple[int, list[Envelope]]]:
    """What the senders have for the groups: what happens at one instant together."""
    addresses = Addresses()
    revisions: dict[str, int] = {}
    lives: dict[int, int] = {}
    found: list[tuple[int, list[Envelope]]] = []
    now = T0
    for which, gap, status, severity, topic, channel in moves:
        now += gap * SECOND
        id_ = f"e{which}.{lives.get(which, 0)}"
        revisions[id_] = revisions.get(id_, 0) + 1
        lives[which] = lives.get(which, 0) + (status == "resolved")
        record = escalation(id_, revisions[id_], now, status=status, severity=severity, topic=topic, channel=channel)
        sent = [envelope for envelope in addresses.take(record, rules) if envelope.to == "group"]
        addresses = Addresses.decode(loads(dumps(addresses.encode())))
        if found and found[-1][0] == now:
            found[-1][1].extend(sent)
        else:
            found.append((now, sent))
    return found


@dataclass
class Groups:
    """Each group on its own, as a table would hold them. `chance`: messages come twice, late, and after crashes."""

    rules: Policy
    chance: random.Random | None = None
    groups: dict[str, NotificationGroup] = field(default_factory=dict)
    sent: list[dict[str, Any]] = field(default_factory=list)
    came: list[Envelope] = field(default_factory=list)
    stored: dict[str, InTwo[NotificationGroup]] = field(default_factory=dict)

    def play(self, storm: list[tuple[int, list[Envelope]]], end: int) -> "Groups":
        """Take all messages, then let time pass to `end` (ms)."""
        for now, envelopes in storm:
            self.pass_time(now - 1)
            self.take(envelopes, now)
        self.pass_time(end)
        return self

    def pass_time(self, until: int) -> None:
        """Wake each group when it asks for it."""
        while True:
            due = [(group.next_wake, key) for key, group in self.groups.items() if group.next_wake is not None]
            if not due or min(due)[0] > until:
                return
            at, key = min(due)
            self.sent += self.groups[key].wake(at, self.rules)
            self.store(key)

    def take(self, envelopes: list[Envelope], now: int) -> None:
        """Messages of one instant."""
        before = {key: copy(stored) for key, stored in self.stored.items()}
        batch = list(envelopes)
        if self.chance is not None:
            self.chance.shuffle(batch)
            batch += self.chance.choices(batch, k=len(batch) // 2)
            batch += self.chance.choices(self.came, k=3) if self.came else []
        self.deliver(batch, now)
        if self.chance is not None and self.chance.random() < 0.3:  # a crash: what was not written is done again
            for key in {envelope.key for envelope in batch}:
                if key in before:
                    self.stored[key] = before[key]
                    self.groups[key] = before[key].read()
                else:
                    del self.groups[key], self.stored[key]
            self.chance.shuffle(batch)
            self.deliver(batch, now)
        self.came += envelopes

    def deliver(self, envelopes: list[Envelope], now: int) -> None:
        for _, key, message in envelopes:
            if key not in self.groups:
                self.groups[key] = NotificationGroup(key)
            self.sent += self.groups[key].observe(message, self.rules, now)
            self.store(key)

    def store(self, key: str) -> None:
        """Write it; half of the times it is read again."""
        if key not in self.stored:
            self.stored[key] = InTwo(self.groups[key])
        stored = self.stored[key]
        stored.write(self.groups[key], whole=self.chance is not None and self.chance.random() < 0.2)
        if self.chance is not None and self.chance.random() < 0.5:
            self.groups[key] = stored.read()


def said(groups: Groups) -> list[tuple[Any, ...]]:
    """What was sent, without the order in which escalations are named."""
    return sorted(
        (n["at"], n["group_key"], n["change"], n["count"], n["severity"], sorted(n["escalation_ids"]), n["summary"])
        for n in groups.sent
    )
