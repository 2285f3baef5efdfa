"""What one run's escalations claim: from when to when which subject was escalated, and how severe it was said to be."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from schemas.times import SECOND, parse_time
from streams.compare.digests import digest
from streams.compare.report import Record
from streams.intervals import FOREVER
from streams.severity import RANKS, WARNING
from streams.standing import RESOLVED

_RANK_BITS = 4


class Said(NamedTuple):
    """Two contents under one escalation id and revision."""

    escalation_id: str
    revision: int


@dataclass(slots=True)
class Claim:
    """One escalation, from all of its revisions. Times in ms; what may change is as the newest revision has it."""

    id: str
    kind: str
    metric: str | None = None
    clock_id: str | None = None
    issue_id: str | None = None
    thread: str | None = None
    threads: tuple[str, ...] = ()
    opened: int | None = None
    """The instant at which what opened it became true; None where its first revision is missing."""
    first_contact: int | None = None
    """First contact of the issue, as the first revision has it,"""
    earliest_contact: int | None = None
    """and the earliest that any revision has."""
    closed: int = FOREVER
    """The instant at which it was over, by its own account."""
    reason: str | None = None
    retracted: bool = False
    status: str = ""
    flapping: bool = False
    phase: str | None = None
    newest: int = 0
    disproved: int = 0
    """The newest revision that took a raise back."""
    began: int | None = None
    """Since when what it stands for has held, by its own word."""
    revisions: dict[int, int] = field(default_factory=dict)
    """Revision -> digest and rank of severity, in one number."""

    @property
    def open(self) -> bool:
        """True where it has not been resolved."""
        return self.status != RESOLVED

    @property
    def subject(self) -> str | None:
        """The id of the clock or issue that it is about."""
        return self.clock_id if self.kind == "sla" else self.issue_id

    @property
    def peak(self) -> int:
        """The highest rank of severity that was said and not taken back."""
        return max(
            (packed & ((1 << _RANK_BITS) - 1) for number, packed in self.revisions.items() if number >= self.disproved),
            default=0,
        )

    @property
    def breached(self) -> bool:
        """True where it said that something was so, beyond a warning of a clock's breach to come."""
        return self.kind != "sla" or self.peak > RANKS[WARNING]

    def missing(self) -> Iterator[int]:
        """The revisions from 1 on that nobody has seen."""
        return (number for number in range(1, self.newest) if number not in self.revisions)

    @property
    def since(self) -> int:
        """From when on it may stand for an episode, the end of the time being `closed`."""
        if self.opened is None:
            return -FOREVER
        if self.began is not None:
            return min(self.began, self.closed)
        since = min(self.opened, self.closed)  # what it opened with may have proved wrong: it ended before it opened
        contacts = (self.first_contact, self.earliest_contact)
        if None not in contacts and contacts[1] != contacts[0]:  # late events moved its beginning back
            since = min(since, self.earliest_contact or since)
        return since

    def overlaps(self, start: int, end: int) -> bool:
        """True where it was open at some instant of the interval, its ends included."""
        return start <= self.closed and end >= self.since


@dataclass(slots=True)
class Claims:
    """The escalations of one run."""

    by_id: dict[str, Claim] = field(default_factory=dict)
    records: int = 0
    duplicates: int = 0
    """Records that were there before, with the same content."""
    contradictions: list[Said] = field(default_factory=list)

    @classmethod
    def of(cls, records: Iterable[Record]) -> "Claims":
        """Read escalation records, in any order. Raises ValueError for a time that is none."""
        claims = cls()
        for record in records:
            claims.read(record)
        return claims

    def read(self, record: Record) -> None:
        """Take one record in."""
        self.records += 1
        id_, revision = record["escalation_id"], record["revision"]
        claim = self.by_id.get(id_)
        if claim is None:
            claim = self.by_id[id_] = Claim(id_, record["kind"])
        packed = int.from_bytes(digest(record)[:8]) << _RANK_BITS | RANKS.get(record["severity"], 0)
        known = claim.revisions.get(revision)
        if known is not None:
            if known == packed:
                self.duplicates += 1
            else:
                self.contradictions.append(Said(id_, revision))
            return
        claim.revisions[revision] = packed
        _learn(claim, record, revision)


def _learn(claim: Claim, record: Record, revision: int) -> None:
    true_at = parse_time(record["detected_at"]) - round(record.get("detection_lag_s", 0) * SECOND)
    contact = parse_time(record["first_contact_at"]) if record.get("first_contact_at") else None
    if revision == 1:
        claim.opened, claim.first_contact = true_at, contact
    if contact is not None and (claim.earliest_contact is None or contact < claim.earliest_contact):
        claim.earliest_contact = contact
    if record.get("since"):
        began = parse_time(record["since"])
        claim.began = began if claim.began is None else min(claim.began, began)
    if record.get("retracted") and record["status"] != RESOLVED:
        claim.disproved = max(claim.disproved, revision)
    if revision <= claim.newest:
        return
    claim.newest, claim.status, claim.phase = revision, record["status"], record.get("phase")
    claim.closed = true_at if claim.status == RESOLVED else FOREVER
    claim.reason = record.get("reason")
    claim.flapping = bool(record.get("flapping"))
    claim.retracted = claim.status == RESOLVED and bool(record.get("retracted"))
    clock = record.get("clock") or {}
    claim.metric = record.get("metric")
    claim.clock_id = clock.get("clock_id", claim.clock_id)
    claim.issue_id = record.get("issue_id", claim.issue_id)
    claim.thread = record.get("thread", claim.thread)
    claim.threads = tuple(thread["thread"] for thread in record.get("threads", ()))
