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
    contacts_by: tuple[tuple[str, int], ...] = ()
    """How many of the contacts were made on each channel."""

    def shares(self) -> tuple[tuple[str, int], ...]:
        """The same, of one that was stored before that was told: all on its first channel."""
        return self.contacts_by or tuple((channel, self.contacts) for channel in self.channels[:1])


class Snapshot(NamedTuple):
    """What a hotspot's cases amount to."""

    channels: tuple[str, ...]
    """In order of first use."""
    contacts_by: tuple[int, ...]
    """How many contacts were made on each of them."""
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
        return found._replace(channels=tuple(found.channels), contacts_by=tuple(found.contacts_by))


def snapshot(cases: Iterable[Case]) -> Snapshot:
    """Sums the cases up; the contacts of an issue with several escalations count once."""
    ordered = sorted(cases, key=lambda case: (case.first_contact_at is None, case.first_contact_at or "", case.id))
    known: dict[tuple[str, str], Case] = {}
    by_channel: dict[str, int] = {}
    for case in ordered:
        issue = (case.customer_id, case.issue_id)
        if issue not in known or known[issue].contacts < case.contacts:
            known[issue] = case
        by_channel |= {channel: 0 for channel in case.channels if channel not in by_channel}
    for case in known.values():
        for channel, number in case.shares():
            by_channel[channel] = by_channel.get(channel, 0) + number
    return Snapshot(
        channels=tuple(by_channel),
        contacts_by=tuple(by_channel.values()),
        public=any(case.public for case in ordered),
        contacts=sum(case.contacts for case in known.values()),
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
    """`phone 75%, email 25%`: the share of the contacts that each channel has, the most used first."""
    if len(shown.channels) == 1:
        return shown.channels[0].replace("_", " ")
    used = sorted(zip(shown.channels, shown.contacts_by, strict=True), key=lambda each: -each[1])
    whole = max(1, sum(shown.contacts_by))
    return ", ".join(f"{channel.replace('_', ' ')} {round(100 * count / whole)}%" for channel, count in used)
