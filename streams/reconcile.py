"""reconcile(standing, derived, now) -> the revisions to send: the difference between what was said and what is so."""

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from schemas.codec import dumps
from schemas.times import DAY
from streams import ladder
from streams.derive import Derived
from streams.episodes import Episode, Step
from streams.intervals import FOREVER
from streams.ledger import due_now
from streams.policy import Policy, PolicyHistory
from streams.present import Context, Scene, revision
from streams.severity import ERROR, RANKS, WARNING
from streams.standing import ACKNOWLEDGED, OPEN, RESOLVED, SUPPRESSED, Standing
from streams.subjects import Subject, Subjects, anchor_of, id_of

Record = dict[str, Any]
AT_ONCE_BYTES = 400 * 1024
"""How much is said of one customer at a time: it is kept with its state, which the broker must take."""


@dataclass(slots=True)
class Cause:
    """What has changed since the last time: it names the reason where something no longer holds."""

    earliest: int = FOREVER
    """Event time of the earliest new event."""
    policy: bool = False
    split: bool = False


@dataclass(slots=True)
class Emitted:
    """What has been said about one customer: the open escalations, and those that were resolved."""

    standing: list[Standing] = field(default_factory=list)
    closed: list[Standing] = field(default_factory=list)
    settled_at: int = -FOREVER
    """When it was last compared with the history."""
    cut_short: bool = False
    """There was more to say than can be said at a time: the rest is said the next time. Not stored, nor is"""
    compared: Derived | None = None
    """What it was last compared with; not stored. While that is the same, only what time has changed is looked at."""


def reconcile(
    emitted: Emitted,
    derived: Derived,
    policies: PolicyHistory,
    now: int,
    context: Context,
    cause: Cause,
    *,
    past: bool = False,
) -> list[Record]:
    """Bring `emitted` up to `now` and return the revisions that say so, in order.

    `past`: only what is over is put on record; what else begins is left for the next time.
    """
    reconciler = _Reconciler(emitted, derived, policies, now, context, cause)
    reconciler.past = past
    records = reconciler.run()
    emitted.cut_short = reconciler.full
    if past or emitted.cut_short:
        emitted.compared = None
    return records


class _Reconciler:
    def __init__(
        self, emitted: Emitted, derived: Derived, policies: PolicyHistory, now: int, context: Context, cause: Cause
    ) -> None:
        self.emitted = emitted
        self.policy: Policy = policies.at(now)
        self.now = now
        self.context = context
        self.cause = cause
        self.subjects = Subjects.of(derived)
        self.kept = _kept(emitted, derived, now)
        emitted.compared = derived
        self.records: list[Record] = []
        self.past = False
        self.bytes = self.measured = 0

    @property
    def full(self) -> bool:
        """As much has been said as can be said at a time."""
        self.bytes += sum(len(dumps(record)) for record in self.records[self.measured :])
        self.measured = len(self.records)
        return self.bytes >= AT_ONCE_BYTES

    def run(self) -> list[Record]:
        open_by: dict[Subject, Standing] = {}
        lost: list[Standing] = []
        for standing in sorted(self.emitted.standing, key=lambda s: (s.opened_at, s.since, s.id)):
            subject = self.subjects.locate(standing)
            if subject is None:
                lost.append(standing)
            elif subject in open_by:
                self.resolve(standing, None, "merged", self.now, merged_into=open_by[subject].id)
            else:
                open_by[subject] = standing
        closed_by: dict[Subject, list[Standing]] = {}
        for standing in self.emitted.closed:
            subject = self.subjects.locate(standing)
            if subject is not None:
                closed_by.setdefault(subject, []).append(standing)
        for standing in lost:
            self.resolve(standing, None, self.gone(standing), self.now)
        for subject in self.order(open_by):
            if self.full:
                break
            self.compare(open_by.get(subject), self.subjects.episodes.get(subject, []), closed_by.get(subject, []))
        self.emitted.standing = [standing for standing in self.emitted.standing if not standing.over]
        if not self.full:
            self.emitted.settled_at = self.now
        return self.records

    def order(self, open_by: dict[Subject, Standing]) -> list[Subject]:
        """The subjects with something to compare, in the order in which things became true."""
        begun = {subject: episodes[0].start for subject, episodes in self.subjects.episodes.items()}
        known: Iterable[Subject] = {*open_by, *(s for s, start in begun.items() if start <= self.now)}
        if self.kept:
            known = [
                s for s in known if not self.stayed(s) or self.moved(s) or (s in open_by and self.rung(open_by[s]))
            ]
        return sorted(known, key=lambda s: (begun.get(s, self.now), s))

    def stayed(self, subject: Subject) -> bool:
        """Is its issue as it was when we looked last?"""
        episodes = self.subjects.episodes.get(subject)
        return episodes is not None and all(e.issue is not None and id(e.issue) in self.kept for e in episodes)

    def moved(self, subject: Subject) -> bool:
        """Has time alone changed what holds of the subject since we looked last?"""
        since, now = self.emitted.settled_at, self.now
        return any(since < at <= now for e in self.subjects.episodes.get(subject, ()) for at in e.moments())

    def rung(self, standing: Standing) -> bool:
        """Is its ladder, its acknowledgement or its suppression due?"""
        due = ladder.next_wake(standing, self.policy)
        return due is not None and due <= self.now

    # -- one subject ------------------------------------------------------------------------------------

    def compare(self, standing: Standing | None, episodes: Sequence[Episode], closed: list[Standing]) -> None:
        begun = [episode for episode in episodes if episode.start <= self.now]
        mine = self.mine(standing, begun) if standing else None
        if standing is not None:
            if mine is None:
                self.resolve(standing, None, self.gone(standing), self.now)
                closed.append(standing)
            elif mine.over(self.now) and self.flaps(standing, mine, closed):
                self.hold(standing, mine)
            elif mine.over(self.now):
                self.finish(standing, mine)
                closed.append(standing)
            else:
                self.update(standing, mine)
        for episode in begun:
            if episode is mine:
                continue
            if self.full:
                return
            said = [other for other in [*closed, *([standing] if standing else [])] if self.overlap(other, episode)]
            if episode.over(self.now):
                if all(other.retracted for other in said) and self.belongs_on_record(episode):
                    closed.append(self.backfill(episode, closed))
            elif not self.past and not any(self.mutes(other, episode) for other in said):
                self.open(episode, closed)

    def mine(self, standing: Standing, begun: Sequence[Episode]) -> Episode | None:
        """The episode that a standing escalation stands for: the current one, unless that began after a gap we saw."""
        if standing.flapping and begun:
            return begun[-1]
        seen = max(self.emitted.settled_at, standing.since)
        overlapping = [e for e in begun if e.start <= seen and e.end >= standing.since]
        return overlapping[-1] if overlapping else None

    def finish(self, standing: Standing, mine: Episode) -> None:
        """Resolve it with its episode. What was said too severely is taken back first, or with it."""
        if RANKS[standing.peak] <= RANKS[mine.peak(self.now)]:
            self.resolve(standing, mine, mine.ended_by or "no_longer_holds", mine.end)
        elif not self.belongs_on_record(mine):
            self.resolve(standing, mine, self.gone(standing), self.now)
        else:
            retracted = self.gone(standing) == "late_evidence"
            self.take(standing, mine, mine.step(mine.end - 1))
            standing.since = mine.start
            if standing.status != SUPPRESSED:
                self.say(standing, mine, "updated", self.now, retracted=retracted)
            self.resolve(standing, mine, mine.ended_by or "no_longer_holds", mine.end)

    def belongs_on_record(self, episode: Episode) -> bool:
        """Severe enough to be recorded when it is over: a breach of a clock, a history of at least a warning."""
        return RANKS[episode.peak(self.now)] >= RANKS[ERROR if episode.kind == "sla" else WARNING]

    def flaps(self, standing: Standing, mine: Episode, closed: Sequence[Standing]) -> bool:
        """Has it resolved and recurred so often within a day that it stays open until it has been quiet for long?"""
        since = standing.quiet_since if standing.quiet_since is not None else max(mine.end, standing.since)
        if self.now >= since + self.policy.flap.quiet:
            return False
        recent = sum(1 for other in closed if other.until > since - DAY and not other.backfilled)
        return recent > self.policy.flap.limit

    def hold(self, standing: Standing, mine: Episode) -> None:
        """Keep a flapping escalation open, though nothing holds."""
        if standing.quiet_since is None:
            standing.quiet_since = mine.end
        if not standing.flapping:
            standing.flapping = True
            if standing.status != SUPPRESSED:
                self.say(standing, mine, "updated", self.now)

    def overlap(self, standing: Standing, episode: Episode) -> bool:
        return episode.start <= min(standing.until, self.now) and episode.end >= standing.since

    def mutes(self, standing: Standing, episode: Episode) -> bool:
        """Resolved by a command: it opens again only when what held has ceased and come back, or is worse."""
        if not standing.by_command or not episode.start <= standing.until:
            return False
        return RANKS[episode.step(self.now).severity] <= RANKS[standing.severity]

    def gone(self, standing: Standing) -> str:
        """Why something that was said does not hold, and never did."""
        if self.cause.split:
            return "split"
        if self.cause.earliest < standing.peak_at:
            return "late_evidence"
        if self.cause.policy:
            return "policy_change"
        return "no_longer_holds"

    # -- changes ----------------------------------------------------------------------------------------

    def open(self, episode: Episode, closed: Sequence[Standing], *, backfilled: bool = False) -> Standing:
        standing = self.standing_for(episode, closed)
        standing.backfilled = backfilled
        at = episode.end - 1 if backfilled else self.now
        step, worst = episode.step(at), episode.worst(at)
        graver = (
            RANKS[worst.severity] > RANKS[step.severity]
        )  # noticed only when the worst was over: on record all the same
        self.take(standing, episode, worst if graver else step)
        ladder.start(standing, self.policy, self.now)
        if not backfilled:
            self.emitted.standing.append(standing)
        self.say(standing, episode, "opened", worst.at if graver else episode.since(at))
        if graver and not backfilled:
            self.update(standing, episode)
        return standing

    def backfill(self, episode: Episode, closed: Sequence[Standing]) -> Standing:
        """Over before it was noticed: recorded, opened and resolved together, and not paged."""
        standing = self.open(episode, closed, backfilled=True)
        self.resolve(standing, episode, episode.ended_by or "no_longer_holds", episode.end)
        return standing

    def standing_for(self, episode: Episode, closed: Sequence[Standing]) -> Standing:
        thread, anchor, metric = anchor_of(episode)
        taken = {other.id for other in closed}
        id_ = next(found for number in count() if (found := id_of(episode, number)) not in taken)
        previous = closed[-1].id if closed else None
        return Standing(id_, episode.kind, metric, thread, anchor, episode.start, self.now, previous=previous)

    def update(self, standing: Standing, episode: Episode) -> None:
        step = episode.step(self.now)
        standing.quiet_since = None
        disproved = RANKS[standing.peak] > RANKS[episode.peak(self.now)]
        worse = RANKS[step.severity] > RANKS[standing.severity]
        retracted = disproved and self.gone(standing) == "late_evidence"
        was = self.shown(standing)
        self.take(standing, episode, step)
        standing.since = min(standing.since, episode.start)
        change = self.lifecycle(standing, worse=worse)
        if disproved:
            standing.peak, standing.peak_at = step.severity, step.at
        if worse and standing.status == OPEN:
            ladder.start(standing, self.policy, self.now)
        level = ladder.reached(standing, self.policy, self.now) if standing.status == OPEN else standing.level
        climbed = level > standing.level
        standing.level = max(level, standing.level)
        if standing.status == SUPPRESSED:
            return
        if change is None:
            if worse or climbed:
                change = "raised"
            elif self.shown(standing) != was:
                change = "updated"
        if change is None:
            return
        self.say(standing, episode, change, episode.since(self.now) if worse else self.now, retracted=retracted)

    def lifecycle(self, standing: Standing, *, worse: bool) -> str | None:
        """The timeouts of an acknowledgement and of a suppression."""
        timeout = self.policy.ack_timeout
        if standing.status == ACKNOWLEDGED:
            standing.fresh_ladder |= worse
            assert standing.acknowledged_at is not None
            if timeout and self.now >= standing.acknowledged_at + timeout:
                standing.status = OPEN
                self.resume(standing)
                return "updated"
        elif standing.status == SUPPRESSED:
            standing.fresh_ladder |= worse
            if standing.suppressed_until is not None and self.now >= standing.suppressed_until:
                standing.status, standing.suppressed_until = OPEN, None
                self.resume(standing)
                return "unsuppressed"
        return None

    def resume(self, standing: Standing) -> None:
        if standing.fresh_ladder:
            ladder.start(standing, self.policy, self.now)
        else:
            ladder.resume(standing, self.now)

    def resolve(
        self, standing: Standing, episode: Episode | None, reason: str, at: int, *, merged_into: str | None = None
    ) -> None:
        ladder.halt(standing, self.now)
        standing.status, standing.until = RESOLVED, at
        self.emitted.closed.append(standing)
        extra: Record = {"reason": reason}
        if merged_into:
            extra["merged_into"] = merged_into
        if reason == "late_evidence":
            extra["retracted"] = standing.retracted = True
        self.say(standing, episode or self.latest(standing), "resolved", at, **extra)

    def latest(self, standing: Standing) -> Episode | None:
        """An episode to show a resolved escalation by, where its own is gone."""
        subject = self.subjects.locate(standing)
        episodes = self.subjects.episodes.get(subject, []) if subject else []
        return next((e for e in reversed(episodes) if e.start <= self.now), episodes[0] if episodes else None)

    def take(self, standing: Standing, episode: Episode, step: Step) -> None:
        """Take over what holds now."""
        standing.severity, standing.phase, standing.patterns = step.severity, step.phase, step.patterns
        if RANKS[step.severity] > RANKS[standing.peak]:
            standing.peak, standing.peak_at = step.severity, step.at
        issue = episode.issue
        standing.customer_id = self.context.customer_id
        standing.issue_id = issue.id if issue else None
        standing.first_contact_at = issue.contacts[0].at if issue and issue.contacts else None
        standing.due_at = due_now(episode.clock, self.now) if episode.clock else None

    def shown(self, standing: Standing) -> tuple[object, ...]:
        """What a new revision is sent for, where it changes."""
        return (
            standing.severity,
            standing.phase,
            standing.patterns,
            standing.due_at,
            standing.issue_id,
            standing.customer_id,
            standing.first_contact_at,
        )

    def say(self, standing: Standing, episode: Episode | None, change: str, true_at: int, **extra: Any) -> None:
        standing.revision += 1
        scene = Scene(self.subjects, self.policy, self.now, self.context)
        self.records.append(revision(scene, standing, episode, change, lag=max(0, self.now - true_at), **extra))


def _kept(emitted: Emitted, derived: Derived, now: int) -> AbstractSet[int]:
    """The issues, by `id()`, of which all that is to be said was said the last time, but for what time changes.

    What has not changed since is the same object still (`derive`); a source may give two issues the same name.
    """
    compared = emitted.compared
    if compared is None or any(emitted.settled_at < change <= now for change in derived.changes):
        return frozenset()
    return {id(part.issue) for part in compared.parts}


__all__ = ["Cause", "Emitted", "Record", "reconcile"]
