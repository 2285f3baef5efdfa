"""A policy as the core uses it: compiled from its document, immutable, and quick to ask; and the history of versions.

Durations are ms. What a policy says about a clock or an escalation depends on facts about the thread
(`TargetFacts`); the answers are cached by them.
"""

from bisect import insort
from collections.abc import Callable, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple

from schemas.policy import LIMITS_DEFAULT, ROW_METRICS, PolicyDocument
from streams.calendar import ALWAYS, Calendar
from streams.policy_calendars import build_calendar
from streams.policy_rules import (
    Condition,
    EscalationCondition,
    EscalationFacts,
    PatternRule,
    Silence,
    Step,
    Target,
    TargetFacts,
    blocked_values,
    pattern_rules,
)

__all__ = [
    "BEGINNING",
    "Entry",
    "EscalationFacts",
    "PatternRule",
    "Policy",
    "PolicyHistory",
    "Silence",
    "Step",
    "Target",
    "TargetFacts",
    "compile_policy",
]

FACTS_CACHED = 4096
"""How many answers of each question a policy remembers."""

BEGINNING = -(2**62)
"""The instant from which the first policy holds: before everything."""


class Policy:
    """One version of the policy. Attributes are those of the document's sections; durations in ms."""

    def __init__(self, document: PolicyDocument) -> None:
        """Compile a document; raises ValueError where it names a calendar or a zone that is not there."""
        self.document = document
        self.version = document.version
        self.apply = document.apply
        self.effective_at = document.effective_at
        self._compile_calendars()
        self._compile_rows()
        self._compile_issues()
        self._compile_people()
        self._compile_edges()
        self.target: Callable[[str, TargetFacts], Target | None] = lru_cache(maxsize=FACTS_CACHED)(self._target)
        """The target of a metric for a thread with these facts; None where it has no clock."""
        self.route: Callable[[EscalationFacts], str | None] = lru_cache(maxsize=FACTS_CACHED)(self._route)
        """The role of the first route that matches these facts; None where none does."""

    def __repr__(self) -> str:
        return f"Policy({self.version!r})"

    def calendar(self, name: str) -> Calendar:
        """The calendar `name`; raises ValueError where the policy has none. `always` is always there."""
        try:
            return self.calendars[name]
        except KeyError:
            raise ValueError(f"the policy {self.version!r} has no calendar {name[:60]!r}") from None

    def channel_calendar(self, channel: str | None) -> Calendar:
        """The calendar of a channel: `always` where the policy does not say."""
        return self._channel_calendars.get(channel, self.calendars["always"])

    def is_public(self, channel: str) -> bool:
        """True for a channel that everyone can read."""
        return channel in self.public_channels

    def ladder(self, severity: str) -> tuple[Step, ...]:
        """The steps for escalations of a severity, in order; empty where there are none."""
        return self.ladders.get(severity, ())

    def contact(self, role: str) -> str | None:
        """How a role is reached, such as `pagerduty:PABC`."""
        return self.contacts.get(role)

    @property
    def paging(self) -> bool:
        """False while the policy's switch stops every page: `notify.paging: off`. It is to be loud about that."""
        return self.notify.paging

    @property
    def paging_off_reason(self) -> str | None:
        """Why paging is off, where it is off and the policy says why."""
        return None if self.notify.paging else self.notify.reason

    def silence(self, facts: EscalationFacts, now: int) -> Silence | None:
        """The first silence that covers these facts at the instant `now`."""
        for silence in self.silences:
            if silence.since <= now < silence.until and silence.condition.matches(facts):
                return silence
        return None

    def _target(self, metric: str, facts: TargetFacts) -> Target | None:
        for condition, target_ms, warn_ms, calendar in self._rows.get(metric, ()):
            if condition.matches(facts):
                return Target(target_ms, calendar or self.channel_calendar(facts.channel), warn_ms)
        return None

    def _route(self, facts: EscalationFacts) -> str | None:
        for condition, role in self._routes:
            if condition.matches(facts):
                return role
        return None

    def _compile_calendars(self) -> None:
        document = self.document
        calendars = {"always": ALWAYS}
        calendars.update((name, build_calendar(name, part)) for name, part in document.calendars.items())
        self.calendars: Mapping[str, Calendar] = MappingProxyType(calendars)
        self._channel_calendars: dict[str | None, Calendar] = {
            name: self.calendar(channel.calendar) for name, channel in document.channels.items() if channel.calendar
        }
        self.public_channels = frozenset(name for name, channel in document.channels.items() if channel.public)

    def _compile_rows(self) -> None:
        document = self.document
        self.warn_at = None if document.warn_at is None else document.warn_at / 1000
        self.pauses: frozenset[str] = frozenset(document.pauses)
        rows: dict[str, list[tuple[Condition, int, int | None, Calendar | None]]] = {}
        for row in document.targets:
            condition = Condition(row.when)
            calendar = self.calendar(row.calendar) if row.calendar else None
            for metric in ROW_METRICS:
                target_ms = getattr(row, metric)
                if target_ms is not None:
                    rows.setdefault(metric, []).append((condition, target_ms, self._warning(target_ms), calendar))
        self._rows = rows
        issue = document.issue_resolution
        self.issue_target = (
            None
            if issue is None
            else Target(issue.target, self.calendar(issue.calendar or "always"), self._warning(issue.target))
        )

    def _warning(self, target_ms: int) -> int | None:
        share = self.document.warn_at
        return None if share is None or share >= 1000 else target_ms * share // 1000

    def _compile_issues(self) -> None:
        issues = self.document.issues
        self.repeat_window = issues.repeat_window
        self.window = issues.window
        self.quiet_after = issues.quiet_after
        self.drop_after = issues.drop_after
        self.handoff_window = issues.handoff_window
        self.ignored_after = issues.ignored_after
        self.promise_grace = self.document.promises.grace
        self.patterns: Mapping[str, PatternRule] = MappingProxyType(pattern_rules(self.document))

    def _compile_people(self) -> None:
        document = self.document
        self.ladders: Mapping[str, tuple[Step, ...]] = MappingProxyType(
            {name: tuple(Step(step.after, step.role) for step in steps) for name, steps in document.ladders.items()}
        )
        self.contacts: Mapping[str, str | None] = MappingProxyType(
            {name: role.contact for name, role in (document.roles or {}).items()}
        )
        self._routes = tuple((EscalationCondition(route.when), route.role) for route in document.routes)
        self.ack_timeout = document.ack_timeout  # 0: never
        self.silences = tuple(
            Silence(silence.from_, silence.until, silence.reason, EscalationCondition(silence.when))
            for silence in document.silences
        )
        self.notify = document.notify
        self.hotspots = document.hotspots
        self.flap = document.flap

    def _compile_edges(self) -> None:
        document = self.document
        self.answers_canned = document.answers.canned
        self.answers_bot = document.answers.bot
        self.canned_customers = document.canned.customers
        self.blocked = blocked_values(document.identities.blocked)
        self.identity_limits: Mapping[str, int] = MappingProxyType(
            LIMITS_DEFAULT | {str(kind): limit for kind, limit in document.identities.limits.items()}
        )
        self.identity_max = document.identities.max
        self.max_future = document.limits.max_future
        self.max_age = document.limits.max_age
        self.max_bytes = document.limits.max_bytes
        self.excerpts = document.privacy.excerpts
        self.identities_clear = document.privacy.identities == "clear"
        self.max_stall = document.watermark.max_stall


def compile_policy(document: PolicyDocument) -> Policy:
    """The policy of a document; raises ValueError where it names a calendar or a zone that is not there."""
    return Policy(document)


class Entry(NamedTuple):
    """A policy and the instant since which it is in force (ms), until the next entry's."""

    since: int
    policy: Policy


class PolicyHistory:
    """Which policy is in force when, and which apply to a clock that is running."""

    def __init__(self, first: Policy) -> None:
        """`first` is in force from the beginning of time."""
        self.entries: tuple[Entry, ...] = (Entry(BEGINNING, first),)

    def add(self, policy: Policy, arrived_at: int) -> bool:
        """Take in a version that arrived at `arrived_at`; False for one that is known, which changes nothing.

        It takes effect at its `effective_at` or its arrival, whichever is later. Of versions that take effect
        at one instant the one added last holds.
        """
        if any(entry.policy.version == policy.version for entry in self.entries):
            return False
        since = arrived_at if policy.effective_at is None else max(policy.effective_at, arrived_at)
        entries = list(self.entries)
        insort(entries, Entry(since, policy), key=lambda entry: entry.since)
        self.entries = tuple(entries)
        return True

    def at(self, when: int) -> Policy:
        """The policy in force at the instant `when`."""
        if self.entries[-1].since <= when:
            return self.entries[-1].policy
        return self.entries[self._index(when)].policy

    def chain(self, started_at: int) -> tuple[Entry, ...]:
        """The policies that a clock which starts at `started_at` is under, in order.

        That is the one in force then, followed by every later one that applies to open clocks.
        """
        index = self._index(started_at)
        later = (entry for entry in self.entries[index + 1 :] if entry.policy.apply == "open")
        return (self.entries[index], *later)

    def next_change(self, now: int) -> int | None:
        """The next instant after `now` at which another policy takes effect; None where none is known."""
        return next((entry.since for entry in self.entries if entry.since > now), None)

    def _index(self, when: int) -> int:
        index = len(self.entries) - 1
        while self.entries[index].since > when:
            index -= 1
        return index
