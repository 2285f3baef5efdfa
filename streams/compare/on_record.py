"""Is what should have been escalated on record, and is what stands on record so? One run at a time.

Not a difference, because an observer who knew less for a while may say so (contract, section 11): warnings before a
breach; what was retracted, merged or split; an episode that was contradicted after its escalation was resolved; one
open escalation that spans a gap seen only later; a peak that was over before it was noticed. Nor is one that flaps, and
is kept open for as long as the policy says, though nothing holds.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from schemas.times import parse_time
from streams.clocks import BREACHED
from streams.compare.claims import Claim, Claims
from streams.compare.report import Record, Run, Section
from streams.compare.terms import Terms
from streams.intervals import FOREVER
from streams.severity import RANKS
from streams.standing import SUPPRESSED

_EXCUSED = frozenset({"merged", "split"})
"""Reasons of resolution after which the subject lives on elsewhere."""
_RUNNING = frozenset({"running", "paused"})
_HOTSPOT = "hotspot"


class Fact(NamedTuple):
    """An episode of one run. Times in ms; `end` is `FOREVER` while it lasts."""

    kind: str
    subject: str
    start: int
    end: int
    rank: int
    record: Record


class ClockFact(NamedTuple):
    """What of a clock is needed to find its escalations."""

    metric: str
    thread: str | None
    issue_id: str | None
    state: str


def check_escalations(
    sides: Mapping[str, Run], limit: int, *, strict: bool = False, terms: Terms | None = None
) -> Section:
    """Hold each side's escalations against its own episodes. Without terms one that flaps may stay open for ever."""
    section = Section("escalations")
    for side, run in sides.items():
        check = _Check(section, side, limit, strict, terms)
        check.run(run)
        section.count(side, len(check.claims.by_id))
    return section


@dataclass(slots=True)
class _Check:
    section: Section
    side: str
    limit: int
    strict: bool
    terms: Terms | None
    claims: Claims = field(default_factory=Claims)
    facts: dict[tuple[str, str], list[Fact]] = field(default_factory=dict)
    """By kind and subject."""
    retracted: set[tuple[str, str]] = field(default_factory=set)
    """What escalations that were taken back are filed under."""
    clocks: dict[str, ClockFact] = field(default_factory=dict)
    threads: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """By issue id."""

    def run(self, run: Run) -> None:
        self.claims = Claims.of(run.escalations())
        self.revisions()
        for record in run.episodes():
            fact = _fact(record)
            self.facts.setdefault((fact.kind, fact.subject), []).append(fact)
        self.clocks = dict(self.clock_facts(run.clocks()))
        for customer in run.customers():
            for issue in customer["issues"]:
                self.threads[issue["issue_id"]] = tuple(issue["threads"])
        self.episodes()
        self.escalations()

    def clock_facts(self, clocks: Iterable[Record]) -> Iterator[tuple[str, ClockFact]]:
        wanted = {subject for kind, subject in self.facts if kind == "sla"}
        wanted |= {claim.clock_id for claim in self.claims.by_id.values() if claim.open and claim.clock_id}
        for clock in clocks:
            if clock["clock_id"] in wanted:
                yield (
                    clock["clock_id"],
                    ClockFact(clock["metric"], clock.get("thread"), clock.get("issue_id"), clock["state"]),
                )

    # -- revisions --------------------------------------------------------------------------------------

    def revisions(self) -> None:
        for claim in self.claims.by_id.values():
            gaps = list(claim.missing())
            if gaps:
                self.add("revisions are missing", claim.id, {"revisions": gaps[:20], "newest": claim.newest})
        for said in self.claims.contradictions:
            self.add("one revision, two contents", said.escalation_id, {"revision": said.revision})
        self.section.remark("revisions", self.side, self.claims.records)
        self.section.remark("sent more than once", self.side, self.claims.duplicates)

    # -- every episode is on record ---------------------------------------------------------------------

    def episodes(self) -> None:
        exact: dict[tuple[str, str], list[Claim]] = {}
        near: dict[tuple[str, str], list[Claim]] = {}
        for claim in self.claims.by_id.values():
            if claim.kind == _HOTSPOT:
                continue
            if claim.retracted:
                self.retracted |= {(claim.kind, claim.subject or ""), *_near_of_claim(claim)}
                continue
            if claim.subject is not None:
                exact.setdefault((claim.kind, claim.subject), []).append(claim)
            for key in _near_of_claim(claim):
                near.setdefault(key, []).append(claim)
        for (kind, subject), facts in self.facts.items():
            by_subject = exact.get((kind, subject), [])
            for fact in facts:
                said = [claim for claim in by_subject if claim.overlaps(fact.start, fact.end)]
                if not _told(said, fact):
                    others = {claim.id: claim for key in self.near_of(fact) for claim in near.get(key, ())}
                    found = [claim for claim in others.values() if claim.overlaps(fact.start, fact.end)]
                    if _told(found, fact):
                        self.section.remark("on record under an earlier subject", self.side)
                    said = found or said
                self.judge(fact, said)

    def judge(self, fact: Fact, said: list[Claim]) -> None:
        if not said:
            taken_back = not self.retracted.isdisjoint({(fact.kind, fact.subject), *self.near_of(fact)})
            what = "on record only as retracted" if taken_back else "not on record"
            self.add(what, fact.subject, fact.record)
        elif not _told(said, fact):
            shown = [_shown(claim) for claim in said]
            what = "still only a warning" if any(claim.open for claim in said) else "lasts, and no escalation is open"
            self.add(what, fact.subject, {"episode": fact.record, "escalations": shown})
        elif max(claim.peak for claim in said) < fact.rank:
            self.section.remark("peak was over before it was noticed", self.side)

    def near_of(self, fact: Fact) -> Iterator[tuple[str, str]]:
        """What an escalation of the subject may be filed under if the subject had another id when it was resolved."""
        if fact.kind == "history":
            for thread in self.threads.get(fact.subject, ()):
                yield ("history", thread)
        elif (clock := self.clocks.get(fact.subject)) is not None:
            yield from _near_of_clock(clock, self.threads)

    # -- every escalation has its episode ---------------------------------------------------------------

    def escalations(self) -> None:
        near: dict[tuple[str, str], list[Fact]] = {}
        for facts in self.facts.values():
            for fact in facts:
                for key in self.near_of(fact):
                    near.setdefault(key, []).append(fact)
        alive = (clock for clock in self.clocks.values() if clock.state in _RUNNING)
        running = {key for clock in alive for key in _near_of_clock(clock, self.threads)}
        for claim in self.claims.by_id.values():
            if claim.kind == _HOTSPOT or claim.retracted or claim.reason in _EXCUSED:
                continue
            facts = [*self.facts.get((claim.kind, claim.subject or ""), ())]
            facts += (fact for key in _near_of_claim(claim) for fact in near.get(key, ()))
            lasts = any(fact.end == FOREVER for fact in facts)
            if not claim.open:
                if claim.breached and not any(claim.overlaps(fact.start, fact.end) for fact in facts):
                    self.contradicted(claim)
            elif claim.flapping and self.may_flap(claim, facts):
                self.section.remark("kept open while they flap", self.side)
            elif claim.phase not in (None, BREACHED):
                if not self.may_warn(claim, running) and not (lasts and claim.status == SUPPRESSED):
                    self.add("open, and its clock has ended", claim.id, _shown(claim))
            elif not lasts:
                self.add("open, and no episode lasts", claim.id, _shown(claim))

    def may_warn(self, claim: Claim, running: set[tuple[str, str]]) -> bool:
        clock = self.clocks.get(claim.clock_id or "")
        if clock is not None:
            return clock.state in _RUNNING
        return any(key in running for key in _near_of_claim(claim))

    def may_flap(self, claim: Claim, facts: Sequence[Fact]) -> bool:
        """What held ended so short a time ago that it may come back. Of a warning that is over nothing is told."""
        if not facts:
            return claim.phase not in (None, BREACHED)
        if self.terms is None:
            return True
        policy, until, slack = self.terms
        return until <= max(fact.end for fact in facts) + policy.flap.quiet + slack

    def contradicted(self, claim: Claim) -> None:
        if self.strict:
            self.add("resolved, and there was no episode", claim.id, _shown(claim))
        else:
            self.section.remark("contradicted after it was resolved", self.side)

    def add(self, what: str, id_: str, value: Any) -> None:
        self.section.tell(self.limit, self.side, what, id_, value)


def _told(said: list[Claim], fact: Fact) -> bool:
    """True where the escalations tell the episode: while it lasts, one is open, or a command resolved it."""
    if fact.end < FOREVER:
        return bool(said)
    return any(
        claim.breached or claim.status == SUPPRESSED if claim.open else claim.reason == "command"  # silent meanwhile
        for claim in said
    )


def _near_of_claim(claim: Claim) -> Iterator[tuple[str, str]]:
    if claim.kind == "history" or claim.metric == "issue_resolution":
        for thread in claim.threads:
            yield (claim.metric or claim.kind, thread)
    elif claim.thread is not None:
        yield (claim.metric or "", claim.thread)


def _near_of_clock(clock: ClockFact, threads: Mapping[str, tuple[str, ...]]) -> Iterator[tuple[str, str]]:
    if clock.metric == "issue_resolution":
        for thread in threads.get(clock.issue_id or "", ()):
            yield (clock.metric, thread)
    elif clock.thread is not None:
        yield (clock.metric, clock.thread)


def _fact(record: Record) -> Fact:
    end = record["end"]
    return Fact(
        record["kind"],
        str(record["subject"]),
        parse_time(record["start"]),
        FOREVER if end is None else parse_time(end),
        RANKS.get(record["severity"], 0),
        record,
    )


def _shown(claim: Claim) -> Record:
    return {
        "escalation_id": claim.id,
        "kind": claim.kind,
        "subject": claim.subject,
        "status": claim.status,
        "phase": claim.phase,
        "reason": claim.reason,
        "revision": claim.newest,
    }
