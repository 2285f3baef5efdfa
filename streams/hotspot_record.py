"""The record of a hotspot: what its cases have in common, for a supervisor (contract, section 6)."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from schemas.times import format_time, parse_time, seconds
from streams.policy import EscalationFacts, Policy
from streams.policy_routing import assign
from streams.present import EVIDENCE_MAX, SCHEMA_VERSION
from streams.standing import ACKNOWLEDGED, RESOLVED, Standing
from streams.summary_words import when

_TOPIC_SHOWN = 200


class Case(NamedTuple):
    """One customer's escalation, as far as it counts. Times in ms, `first_contact_at` as the record has it."""

    id: str
    customer_id: str
    severity: str
    hot_at: int
    """When it was found to be error or critical, or to have risen to critical."""
    issue_id: str
    channels: tuple[str, ...]
    public: bool
    contacts: int
    first_contact_at: str | None


class Snapshot(NamedTuple):
    """What a hotspot's cases amount to."""

    channels: tuple[str, ...]
    """In order of first use."""
    customers_by: tuple[int, ...]
    """How many customers have been on each of them,"""
    customers: int
    """of so many."""
    public: bool
    contacts: int
    first_contact_at: str | None
    earliest: str
    """The escalation with the earliest first contact."""

    def encode(self) -> list[Any]:
        """As a JSON array."""
        return list(self)

    @classmethod
    def decode(cls, stored: list[Any]) -> "Snapshot":
        """What `encode` stored."""
        found = cls(*stored)
        return found._replace(channels=tuple(found.channels), customers_by=tuple(found.customers_by))


def snapshot(cases: Iterable[Case]) -> Snapshot:
    """Sums the cases up; the contacts of an issue with several escalations count once."""
    ordered = sorted(cases, key=lambda case: (case.first_contact_at is None, case.first_contact_at or "", case.id))
    contacts: dict[tuple[str, str], int] = {}
    customers: dict[str, set[str]] = {}
    for case in ordered:
        issue = (case.customer_id, case.issue_id)
        contacts[issue] = max(contacts.get(issue, 0), case.contacts)
        for channel in case.channels:
            customers.setdefault(channel, set()).add(case.customer_id)
    return Snapshot(
        channels=tuple(customers),
        customers_by=tuple(len(each) for each in customers.values()),
        customers=len({case.customer_id for case in ordered}),
        public=any(case.public for case in ordered),
        contacts=sum(contacts.values()),
        first_contact_at=ordered[0].first_contact_at if ordered else None,
        earliest=ordered[0].id if ordered else "",
    )


class Said(NamedTuple):
    """What a revision says beside what the cases amount to."""

    change: str
    customers: int
    """How many have a case now."""
    most: int
    """How many had one at its height."""
    evidence: tuple[str, ...]
    reason: str | None
    provisional: bool
    lag: int
    """ms since it became true."""


def hotspot_record(
    standing: Standing, topic: str, shown: Snapshot, said: Said, policy: Policy, now: int
) -> dict[str, Any]:
    """The record of the newest revision of `standing`, at `now` (ms)."""
    record: dict[str, Any] = {
        "escalation_id": standing.id,
        "revision": standing.revision,
        "kind": "hotspot",
        "status": standing.status,
        "change": said.change,
    }
    if said.reason is not None:
        record["reason"] = said.reason
    if standing.previous is not None:
        record["previous"] = standing.previous
    route = assign(policy, facts_of(standing, topic, shown))
    over = standing.status == RESOLVED
    record |= {
        "severity": standing.severity,
        "level": standing.level,
        "route": route,
        "waiting_on": "nobody" if over else "company",
    }
    if standing.status == ACKNOWLEDGED and standing.acknowledged_by is not None:
        record["acknowledged_by"] = standing.acknowledged_by
        record["acknowledged_role"] = route["role"]
        record["time_to_acknowledge_s"] = seconds(max(0, standing.time_to_acknowledge or 0))
    record |= {
        "backfilled": False,
        "provisional": said.provisional,
        "topic": topic,
        "channels": list(shown.channels),
        "public": shown.public,
    }
    if shown.first_contact_at is not None:
        record["first_contact_at"] = shown.first_contact_at
    return record | {
        "contacts": shown.contacts,
        "detected_at": format_time(now),
        "detection_lag_s": seconds(said.lag),
        "evidence": list(said.evidence[:EVIDENCE_MAX]),
        "summary": _summary(topic, shown, said, over=over),
        "policy_version": policy.version,
        "schema_version": SCHEMA_VERSION,
        "runbook": "docs/runbook.md#hotspot",
    }


def facts_of(standing: Standing, topic: str, shown: Snapshot) -> EscalationFacts:
    """What routes may ask of a hotspot: it has no channel, no customer, and nothing that only these have."""
    return EscalationFacts(
        topic=topic,
        public=shown.public,
        kind="hotspot",
        severity=standing.severity,
        level=standing.level,
        contacts=shown.contacts,
    )


def _summary(topic: str, shown: Snapshot, said: Said, *, over: bool) -> str:
    about = topic[:_TOPIC_SHOWN]
    if over:
        left = f"{said.customers} customers still have an open error or critical escalation about {about}"
        return f"Over: {left}, {said.most} at its height"
    waiting = f"{said.customers} customers have an open error or critical escalation about {about}"
    contacts = f"after {shown.contacts} contact{'' if shown.contacts == 1 else 's'} by {_shares(shown)}"
    if not shown.first_contact_at:
        return f"{waiting}, {contacts}"
    return f"{waiting}, {contacts}; the earliest since {when(parse_time(shown.first_contact_at))} ({shown.earliest})"


def _shares(shown: Snapshot) -> str:
    """`phone 75%, email 50%`: how many of the customers have been on each channel, the most used first."""
    if len(shown.channels) == 1:
        return shown.channels[0].replace("_", " ")
    used = sorted(zip(shown.channels, shown.customers_by, strict=True), key=lambda each: -each[1])
    return ", ".join(f"{channel.replace('_', ' ')} {round(100 * count / shown.customers)}%" for channel, count in used)
