"""Reading a replay as it goes: what was escalated, and who was paged when."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from schemas.times import HOUR, SECOND, parse_time
from streams.customer import Customer
from streams.intervals import FOREVER
from streams.policy import EscalationFacts, Policy, PolicyHistory
from streams.policy_diff.side import CLOCK_METRICS, Clocks, Seen, Side
from streams.replay import Outcome, Replay
from streams.severity import RANKS
from streams.standing import OPEN, RESOLVED
from streams.storm_message import beside, facts_of, of

Record = dict[str, Any]
PAGED = frozenset({"opened", "raised"})
"""The changes that somebody is paged for: it is new, more severe, or a step higher on the ladder."""


@dataclass(slots=True)
class _Open:
    """An escalation as far as it has been read."""

    subject: str
    start: int
    patterns: set[str] = field(default_factory=set)
    severity: str = ""
    roles: dict[str, None] = field(default_factory=dict)
    channel: str | None = None
    team: str | None = None
    thread: str | None = None
    customer_id: str | None = None
    breached_at: int | None = None
    end: int = FOREVER


class Tally:
    """Feed it the outcomes of `run`, a replay under `policy`, in order; then `finish`."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.run = Replay(policy, measures=False)
        self._found: dict[str, tuple[str, str | None, _Open]] = {}
        self._revisions = 0
        self._notifications = 0
        self._pages: Counter[tuple[str, int]] = Counter()
        self._dead: Counter[str] = Counter()
        self._page_rank = RANKS[policy.notify.min_severity]

    def observe(self, outcome: Outcome) -> None:
        """Take note of what one instant brought."""
        self._dead.update(dead.reason for dead in outcome.dead)
        self._notifications += sum(1 for note in outcome.notifications if note["change"] != "resolved")
        self._revisions += len(outcome.escalations)
        for record in outcome.escalations:
            facts = self._facts(record, outcome.at)
            self._note(record, facts.team, outcome.at)
            if self._pages_somebody(record, facts, outcome.at):
                self._pages[record["route"]["role"], outcome.at // HOUR * HOUR] += 1

    def finish(self) -> Side:
        """What is left of the replay, when it is over."""
        seen = [_seen(id_, kind, metric, found) for id_, (kind, metric, found) in self._found.items()]
        seen.sort(key=lambda s: (s.start, s.id))
        customers = self.run.population.customers
        clocks = _clocks((customers[id_] for id_ in sorted(customers)), self.run.policies, self.run.now)
        return Side(
            version=self.policy.version,
            escalations=seen,
            revisions=self._revisions,
            pages=dict(sorted(self._pages.items())),
            notifications=self._notifications,
            clocks=clocks,
            dead=dict(sorted(self._dead.items())),
        )

    def _note(self, record: Record, team: str | None, at: int) -> None:
        id_ = record["escalation_id"]
        known = self._found.get(id_)
        true_at = at - round(record["detection_lag_s"] * SECOND)
        if known is None:
            known = self._found[id_] = (record["kind"], record.get("metric"), _Open(_subject(record), true_at))
        found = known[2]
        found.channel = record.get("channel") or found.channel
        found.thread = record.get("thread") or found.thread
        found.team = team or found.team
        found.customer_id = record.get("customer_id")
        if record["status"] == RESOLVED:
            found.end = max(true_at, found.start)
            return
        found.patterns.update(record.get("patterns", ()))
        if RANKS[record["severity"]] > RANKS[found.severity]:
            found.severity = record["severity"]
        if found.breached_at is None and "breached_at" in record:
            found.breached_at = parse_time(record["breached_at"])
        if not record["backfilled"]:
            found.roles.setdefault(record["route"]["role"])

    def _facts(self, record: Record, at: int) -> EscalationFacts:
        """What the record says of its subject, and what only the history knows: its team, its priority."""
        customer = self.run.population.find(record["customer_id"]) if "customer_id" in record else None
        known = beside(customer.derived(self.run.policies).history, record, at) if customer is not None else None
        return facts_of(of(record, known))

    def _pages_somebody(self, record: Record, facts: EscalationFacts, at: int) -> bool:
        return (
            self.policy.paging
            and record["change"] in PAGED
            and record["status"] == OPEN
            and not record["backfilled"]
            and RANKS[record["severity"]] >= self._page_rank
            and (not self.policy.silences or self.policy.silence(facts, at) is None)
        )


def _subject(record: Record) -> str:
    if "clock" in record:
        return str(record["clock"]["clock_id"])
    return str(record["topic"] if record["kind"] == "hotspot" else record.get("issue_id") or record["escalation_id"])


def _seen(id_: str, kind: str, metric: str | None, found: _Open) -> Seen:
    return Seen(
        id=id_,
        kind=kind,
        subject=found.subject,
        metric=metric,
        patterns=tuple(sorted(found.patterns)),
        channel=found.channel,
        team=found.team,
        customer_id=found.customer_id,
        thread=found.thread,
        start=found.start,
        breached_at=found.breached_at,
        end=found.end,
        severity=found.severity,
        roles=tuple(found.roles),
    )


def _clocks(customers: Iterable[Customer], policies: PolicyHistory, now: int) -> dict[str, Clocks]:
    found = {metric: Clocks() for metric in CLOCK_METRICS}
    for customer in customers:
        for clock in customer.derived(policies).clocks:
            tally = found[clock.run.metric]
            tally.count += 1
            if clock.breaches and clock.breaches[0].at <= now:
                tally.breached[clock.id] = clock.breaches[0].at
    return {metric: tally for metric, tally in found.items() if tally.count}
