"""Hotspots: one escalation for a topic on which many customers wait at once (contract, section 6).

It opens when at least `hotspots.customers` distinct customers have a standing (not resolved) `sla` or `history`
escalation on the topic that is error or critical and became so, or rose to critical, within `hotspots.window`,
both ends included. It ends when fewer customers have one that stands, whenever that was opened. Backfilled
escalations do not count. Its revisions are `opened`, `raised` by the ladder, what commands do, and `resolved`; who
joins after the opening makes no revision of its own.
"""

from heapq import heappop, heappush
from typing import Any

from schemas.command import Command
from schemas.times import parse_time
from streams import ladder
from streams.fingerprint import fingerprint
from streams.hotspot_record import Case, Said, hotspot_record, snapshot
from streams.hotspot_topic import Topic, decode_topic, encode_topic
from streams.policy import Policy
from streams.present import EVIDENCE_MAX
from streams.revisions import Revisions
from streams.severity import ERROR, RANKS
from streams.standing import ACKNOWLEDGED, OPEN, RESOLVED, SUPPRESSED, Standing

STATE_VERSION = 1
COMMANDS_KEPT = 100
"""How many command ids are remembered."""

Record = dict[str, Any]


class Hotspots:
    """Takes the revisions of customers' escalations and returns those of hotspots.

    `observe` what is sent, and `wake` at `next_wake` and when another policy takes effect; at one instant what
    happened comes before the wake-up. A revision that was seen changes nothing. Times in ms.
    """

    def __init__(self) -> None:
        self._cases: dict[str, Case] = {}
        self._topics: dict[str, Topic] = {}
        self._revisions = Revisions()
        self._version: str | None = None
        self._alarms: list[tuple[int, str]] = []
        self._commands: list[str] = []

    def observe(self, record: Record, policy: Policy, now: int) -> list[Record]:
        """The revisions of hotspots that follow from a revision of another escalation, at `now`."""
        sent = self._follow(policy, now)
        if record["kind"] == "hotspot" or not self._revisions.take(record):
            return sent
        old = self._cases.pop(record["escalation_id"], None)
        new = _case(record, old)
        if old is not None:
            self._topics[old.topic].drop(old)
        if new is not None:
            self._cases[new.id] = new
            self._topics.setdefault(new.topic, Topic(new.topic)).add(new)
        for name in dict.fromkeys(case.topic for case in (old, new) if case is not None):
            sent += self._compare(self._topics[name], policy, now, provisional=bool(record["provisional"]))
        return sent

    def wake(self, now: int, policy: Policy) -> list[Record]:
        """What the ladders and the timeouts of commands bring at `now`."""
        sent = self._follow(policy, now)
        while (at := self.next_wake) is not None and at <= now:
            topic = self._topics[heappop(self._alarms)[1]]
            topic.wake_at = None
            sent += self._pass_time(topic, policy, now)
            self._schedule(topic, policy, now)
        return sent

    @property
    def next_wake(self) -> int | None:
        """The next instant (ms) at which something is to be said if nothing happens, or None."""
        while self._alarms:
            at, name = self._alarms[0]
            topic = self._topics.get(name)
            if topic is not None and topic.wake_at == at:
                return at
            heappop(self._alarms)
        return None

    def command(self, command: Command, policy: Policy, now: int) -> list[Record] | None:
        """Obey a command at `now`; None where it names no hotspot that stands. Its `customer_id` is not looked at.

        A command acts once: the last ones are remembered.
        """
        if command.id in self._commands:
            return []
        topic = next((t for t in self._topics.values() if t.standing and t.standing.id == command.escalation_id), None)
        if topic is None or topic.standing is None:
            return None
        self._commands = [*self._commands, command.id][-COMMANDS_KEPT:]
        standing = topic.standing
        change = {"acknowledge": ACKNOWLEDGED, "suppress": SUPPRESSED, "unsuppress": "unsuppressed"}.get(command.action)
        if change == SUPPRESSED and command.until is not None and command.until <= now:
            return []  # over before it began
        if change == "unsuppressed" and standing.status != SUPPRESSED:
            return []
        if change is None:
            topic.muted = True
            return [self._resolve(topic, standing, "command", policy, now)]
        if change == "unsuppressed":
            standing.status, standing.suppressed_until = OPEN, None
            ladder.resume(standing, now)
        else:
            if standing.status == OPEN:
                ladder.halt(standing, now)
            standing.status = change
            standing.suppressed_until = command.until if change == SUPPRESSED else None
            if change == ACKNOWLEDGED:
                standing.acknowledged_by, standing.acknowledged_at = command.by, now
                standing.time_to_acknowledge = now - standing.opened_at
        self._schedule(topic, policy, now)
        return [self._say(topic, standing, change, policy, now)]

    # -- when it holds ----------------------------------------------------------------------------------

    def _follow(self, policy: Policy, now: int) -> list[Record]:
        """Compare everything again where another policy has taken effect."""
        if policy.version == self._version:
            return []
        known, self._version = self._version is not None, policy.version
        sent: list[Record] = []
        for topic in list(self._topics.values()) if known else ():
            topic.recount()
            sent += self._compare(topic, policy, now, by_policy=True)
            self._schedule(topic, policy, now)
        return sent

    def _compare(
        self, topic: Topic, policy: Policy, now: int, *, provisional: bool = False, by_policy: bool = False
    ) -> list[Record]:
        least = policy.hotspots.customers
        sent: list[Record] = []
        if len(topic.customers) < least:
            topic.muted = False
            if topic.standing is not None:
                reason = "policy_change" if by_policy else "no_longer_holds"
                sent.append(self._resolve(topic, topic.standing, reason, policy, now))
            elif not topic.cases and topic.previous is None:
                del self._topics[topic.name]
        elif topic.standing is None and not topic.muted:
            recent = topic.recent(now - policy.hotspots.window)
            if len({case.customer_id for case in recent}) >= least:
                sent.append(self._open(topic, recent, policy, now, provisional=provisional))
        elif topic.standing is not None:
            topic.most = max(topic.most, len(topic.customers))
        return sent

    def _open(self, topic: Topic, recent: list[Case], policy: Policy, now: int, *, provisional: bool) -> Record:
        last = max(recent, key=lambda case: (case.hot_at, case.id))
        id_ = fingerprint("esc", "hotspot", topic.name, last.id, topic.previous or "")
        standing = Standing(
            id_, "hotspot", None, "", last.id, last.hot_at, now, severity=ERROR, previous=topic.previous
        )
        ladder.start(standing, policy, now)
        topic.standing, topic.most = standing, len(topic.customers)
        first = sorted(recent, key=lambda case: (case.hot_at, case.id))[:EVIDENCE_MAX]
        topic.evidence = [case.id for case in first]
        record = self._say(topic, standing, "opened", policy, now, provisional=provisional, lag=now - last.hot_at)
        self._schedule(topic, policy, now)
        return record

    def _pass_time(self, topic: Topic, policy: Policy, now: int) -> list[Record]:
        standing = topic.standing
        if standing is None:
            return []
        change = None
        if standing.status == ACKNOWLEDGED and policy.ack_timeout and standing.acknowledged_at is not None:
            change = "updated" if now >= standing.acknowledged_at + policy.ack_timeout else None
        elif standing.status == SUPPRESSED and standing.suppressed_until is not None:
            change = "unsuppressed" if now >= standing.suppressed_until else None
        if change is not None:
            standing.status, standing.suppressed_until = OPEN, None
            ladder.resume(standing, now)
        if standing.status == OPEN:
            level = ladder.reached(standing, policy, now)
            if level > standing.level:
                standing.level, change = level, change or "raised"
        return [self._say(topic, standing, change, policy, now)] if change else []

    def _schedule(self, topic: Topic, policy: Policy, now: int) -> None:
        at = ladder.next_wake(topic.standing, policy) if topic.standing is not None else None
        at = None if at is None else max(at, now + 1)
        if at is not None and at != topic.wake_at:
            heappush(self._alarms, (at, topic.name))
        topic.wake_at = at

    # -- what is said -----------------------------------------------------------------------------------

    def _resolve(self, topic: Topic, standing: Standing, reason: str, policy: Policy, now: int) -> Record:
        standing.status, standing.until = RESOLVED, now
        record = self._say(topic, standing, "resolved", policy, now, reason=reason)
        topic.previous, topic.standing, topic.wake_at = standing.id, None, None
        topic.shown, topic.evidence = None, []
        return record

    def _say(
        self,
        topic: Topic,
        standing: Standing,
        change: str,
        policy: Policy,
        now: int,
        *,
        provisional: bool = False,
        lag: int = 0,
        reason: str | None = None,
    ) -> Record:
        standing.revision += 1
        if standing.status != RESOLVED or topic.shown is None:
            topic.shown = snapshot(topic.cases.values())
        said = Said(
            change=change,
            customers=len(topic.customers),
            most=topic.most,
            evidence=tuple(topic.evidence),
            reason=reason,
            provisional=provisional,
            lag=max(0, lag),
        )
        return hotspot_record(standing, topic.name, topic.shown, said, policy, now)

    # -- stored -----------------------------------------------------------------------------------------

    def encode(self) -> Record:
        """As a JSON object."""
        return {
            "v": STATE_VERSION,
            "policy_version": self._version,
            "topics": [encode_topic(topic) for topic in self._topics.values()],
            "revisions": self._revisions.encode(),
            "commands": list(self._commands),
        }

    @classmethod
    def decode(cls, stored: Record) -> "Hotspots":
        """What `encode` stored; raises ValueError for a state of a newer version."""
        if stored.get("v", 0) > STATE_VERSION:
            raise ValueError(f"hotspot state of version {stored['v']} is newer than {STATE_VERSION}: upgrade first")
        hotspots = cls()
        hotspots._version = stored["policy_version"]
        hotspots._revisions = Revisions.decode(stored["revisions"])
        hotspots._commands = list(stored["commands"])
        for item in stored["topics"]:
            topic = decode_topic(item)
            hotspots._topics[topic.name] = topic
            hotspots._cases.update(topic.cases)
            if topic.wake_at is not None:
                heappush(hotspots._alarms, (topic.wake_at, topic.name))
        return hotspots


def _case(record: Record, old: Case | None) -> Case | None:
    """What counts of an escalation; None where nothing does."""
    severity, topic = record["severity"], record.get("topic")
    if record["status"] == RESOLVED or record["backfilled"] or not topic or RANKS[severity] < RANKS[ERROR]:
        return None
    rose = old is None or RANKS[severity] > RANKS[old.severity]
    return Case(
        id=record["escalation_id"],
        topic=topic,
        customer_id=record["customer_id"],
        severity=severity,
        hot_at=parse_time(record["detected_at"]) if rose or old is None else old.hot_at,
        issue_id=record["issue_id"],
        channels=tuple(record["channels"]),
        public=record["public"],
        contacts=record["contacts"],
        first_contact_at=record.get("first_contact_at"),
    )
