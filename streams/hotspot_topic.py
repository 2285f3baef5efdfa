"""The hotspot of one topic: one escalation for many customers who wait at once (contract, section 6).

It opens when at least `hotspots.customers` distinct customers have a standing (not resolved) `sla` or `history`
escalation on the topic that is error or critical and became so, or rose to critical, within `hotspots.window`,
both ends included. It ends when fewer customers have one that stands, whenever that was opened. Backfilled
escalations do not count. Its revisions are `opened`, `raised` by the ladder, what commands do, and `resolved`; who
joins after the opening makes no revision of its own.
"""

from typing import Any, NamedTuple

from schemas.command import Command
from schemas.times import DAY
from streams import ladder
from streams.fingerprint import fingerprint
from streams.hotspot_cases import Cases
from streams.hotspot_record import Case, Said, Snapshot, hotspot_record, snapshot
from streams.policy import Policy
from streams.present import EVIDENCE_MAX
from streams.severity import ERROR
from streams.standing import ACKNOWLEDGED, OPEN, RESOLVED, SUPPRESSED, Standing
from streams.storm_addresses import Addresses, Envelope
from streams.storm_message import Message

STATE_VERSION = 3
_SHARES_SINCE = 3
"""The version since which contacts are counted by channel."""
COMMANDS_KEPT = 100
"""How many command ids are remembered, so that one delivered twice acts once."""
PREVIOUS_FOR = 30 * DAY
"""How long (ms) the last hotspot is remembered, for the next to name."""
_CHANGES = {"acknowledge": ACKNOWLEDGED, "suppress": SUPPRESSED, "unsuppress": "unsuppressed"}

Record = dict[str, Any]


class Told(NamedTuple):
    """What is to be sent: revisions of the hotspot, and the messages by which these page."""

    records: list[Record]
    pages: list[Envelope]


class HotspotTopic:
    """All that is known of one topic: takes messages, says what the hotspot says. Times in ms.

    `observe` each message about an escalation on the topic, in any order and as often as it comes; `wake` at
    `next_wake`, and when another policy takes effect. At one instant what happened comes before the wake-up.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.cases = Cases()
        self.next_wake: int | None = None
        """The next instant (ms) at which something is to be said if nothing happens, or None."""
        self.standing: Standing | None = None
        self.previous: str | None = None
        """The hotspot before, for the next to name,"""
        self.ended_at = 0
        """and when it ended."""
        self.muted = False
        """Resolved by a command: it opens again only when what held has ceased and come back."""
        self.evidence: list[str] = []
        self.most = 0
        """The most customers that it has had."""
        self.shown: Snapshot | None = None
        self.addresses = Addresses()
        self._commands: list[str] = []
        self._policy: str | None = None
        self._records: list[Record] = []

    def observe(self, message: Message, policy: Policy, now: int) -> Told:
        """What follows from a message at `now`."""
        self._follow(policy, now)
        if self.cases.take(message, now):
            self._compare(policy, now, provisional=bool(message.get("provisional")))
        return self._told(policy, now)

    def wake(self, now: int, policy: Policy) -> Told:
        """What the ladder and the timeouts of commands bring at `now`."""
        self._follow(policy, now)
        if self.standing is not None and self.next_wake is not None and self.next_wake <= now:
            self._pass_time(self.standing, policy, now)
        return self._told(policy, now + 1)

    def command(self, command: Command, policy: Policy, now: int) -> Told | None:
        """Obey a command at `now`; None where it does not name the hotspot that stands.

        Its `customer_id` is not looked at. A command acts once: the last ones are remembered.
        """
        if command.id in self._commands:
            return Told([], [])
        standing = self.standing
        if standing is None or standing.id != command.escalation_id:
            return None
        self._follow(policy, now)
        self._commands = [*self._commands, command.id][-COMMANDS_KEPT:]
        if self.standing is not None:  # else the policy has just ended it
            self._obey(command, standing, policy, now)
        return self._told(policy, now)

    def spent(self, now: int) -> bool:
        """True where nothing is left to be said or to be remembered at `now`: it may be deleted."""
        if self.standing is not None or self.cases.by_id or self.cases.seen.beyond or not self.cases.seen.stale(now):
            return False
        return self.previous is None or now >= self.ended_at + PREVIOUS_FOR

    # -- when it holds ----------------------------------------------------------------------------------

    def _follow(self, policy: Policy, now: int) -> None:
        """Compare everything again where another policy has taken effect."""
        if policy.version != self._policy:
            known, self._policy = self._policy is not None, policy.version
            if known:
                self.cases.recount()
                self._compare(policy, now, by_policy=True)

    def _compare(self, policy: Policy, now: int, *, provisional: bool = False, by_policy: bool = False) -> None:
        least = policy.hotspots.customers
        if self.cases.customers < least:
            self.muted = False
            if self.standing is not None:
                self._resolve(self.standing, "policy_change" if by_policy else "no_longer_holds", policy, now)
        elif self.standing is None and not self.muted:
            recent = self.cases.recent(now - policy.hotspots.window)
            if len({case.customer_id for case in recent}) >= least:
                self._open(recent, policy, now, provisional=provisional)
        elif self.standing is not None:
            self.most = max(self.most, self.cases.customers)

    def _open(self, recent: list[Case], policy: Policy, now: int, *, provisional: bool) -> None:
        last = max(recent, key=lambda case: (case.hot_at, case.id))
        id_ = fingerprint("esc", "hotspot", self.name, last.id, self.previous or "")
        standing = Standing(id_, "hotspot", None, "", last.id, last.hot_at, now, severity=ERROR, previous=self.previous)
        ladder.start(standing, policy, now)
        self.standing, self.most = standing, self.cases.customers
        first = sorted(recent, key=lambda case: (case.hot_at, case.id))[:EVIDENCE_MAX]
        self.evidence = [case.id for case in first]
        self._say(standing, "opened", policy, now, provisional=provisional, lag=now - last.hot_at)

    def _pass_time(self, standing: Standing, policy: Policy, now: int) -> None:
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
        if change is not None:
            self._say(standing, change, policy, now)

    def _obey(self, command: Command, standing: Standing, policy: Policy, now: int) -> None:
        change = _CHANGES.get(command.action)
        if change is None:
            self.muted = True
            self._resolve(standing, "command", policy, now)
            return
        if change == SUPPRESSED and command.until is not None and command.until <= now:
            return  # over before it began
        if change == "unsuppressed":
            if standing.status != SUPPRESSED:
                return
            standing.status, standing.suppressed_until = OPEN, None
            ladder.resume(standing, now)
        else:
            if standing.status == OPEN:
                ladder.halt(standing, now)
            standing.status = change
            standing.suppressed_until = command.until if change == SUPPRESSED else None
            if change == ACKNOWLEDGED:
                standing.acknowledged_by, standing.acknowledged_at = command.by, now
                if standing.time_to_acknowledge is None:
                    standing.time_to_acknowledge = now - standing.opened_at
        self._say(standing, change, policy, now)

    # -- what is said -----------------------------------------------------------------------------------

    def _told(self, policy: Policy, soonest: int) -> Told:
        """What there is to send; the next wake-up is at `soonest` (ms) or later."""
        records, self._records = self._records, []
        pages = self.addresses.follow(policy)
        for record in records:
            pages += self.addresses.take(record, policy)
        at = ladder.next_wake(self.standing, policy) if self.standing is not None else None
        self.next_wake = None if at is None else max(at, soonest)
        return Told(records, pages)

    def _resolve(self, standing: Standing, reason: str, policy: Policy, now: int) -> None:
        standing.status, standing.until = RESOLVED, now
        self._say(standing, "resolved", policy, now, reason=reason)
        self.previous, self.ended_at, self.standing = standing.id, now, None
        self.shown, self.evidence = None, []

    def _say(
        self,
        standing: Standing,
        change: str,
        policy: Policy,
        now: int,
        *,
        provisional: bool = False,
        lag: int = 0,
        reason: str | None = None,
    ) -> None:
        standing.revision += 1
        if standing.status != RESOLVED or self.shown is None:
            self.shown = snapshot(self.cases.by_id.values())
        said = Said(
            change=change,
            customers=self.cases.customers,
            most=self.most,
            evidence=tuple(self.evidence),
            reason=reason,
            provisional=provisional,
            lag=max(0, lag),
        )
        self._records.append(hotspot_record(standing, self.name, self.shown, said, policy, now))

    # -- stored -----------------------------------------------------------------------------------------

    def encode(self) -> Record:
        """As a JSON object; `next_wake` in it is what a timer is set to."""
        return self._stored(self.cases.encode())

    def changes(self) -> Record:
        """What has changed since `stored_whole`, and all that is small, as a JSON object."""
        return self._stored(self.cases.changes())

    def stored_whole(self) -> None:
        """It is stored as `encode` gives it."""
        self.cases.stored_whole()

    def _stored(self, cases: Record) -> Record:
        return {
            "v": STATE_VERSION,
            "name": self.name,
            "policy_version": self._policy,
            "next_wake": self.next_wake,
            "cases": cases,
            "standing": self.standing.encode() if self.standing else None,
            "previous": self.previous,
            "ended_at": self.ended_at,
            "muted": self.muted,
            "evidence": self.evidence,
            "most": self.most,
            "shown": self.shown.encode() if self.shown else None,
            "addresses": self.addresses.encode(),
            "commands": self._commands,
        }

    @classmethod
    def decode(cls, whole: Record, changes: Record | None = None) -> "HotspotTopic":
        """What `encode` stored, and `changes` since; raises ValueError for a state of a newer version."""
        stored = whole if changes is None else changes
        if stored.get("v", 0) > STATE_VERSION:
            raise ValueError(f"hotspot state of version {stored['v']} is newer than {STATE_VERSION}: upgrade first")
        topic = cls(stored["name"])
        topic._policy, topic.next_wake = stored["policy_version"], stored["next_wake"]
        topic.cases = Cases.decode(whole["cases"], changes["cases"] if changes is not None else None)
        topic.standing = Standing.decode(stored["standing"]) if stored["standing"] else None
        topic.previous, topic.ended_at, topic.muted = stored["previous"], stored["ended_at"], stored["muted"]
        topic.evidence, topic.most = list(stored["evidence"]), stored["most"]
        if stored["shown"] and stored["v"] >= _SHARES_SINCE:  # an older one is made anew from the cases
            topic.shown = Snapshot.decode(stored["shown"])
        topic.addresses = Addresses.decode(stored["addresses"])
        topic._commands = list(stored["commands"])
        return topic
