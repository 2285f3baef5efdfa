"""What one customer's history contributes to the channel gaps.

Derivation tells what will be so if nothing more happens, and so do the facts: a breach that is still to come
belongs to a later window, and is gone when the history is derived again with the answer that prevented it.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import NamedTuple, TypedDict

from streams.clocks import Clock
from streams.derive import Derived
from streams.event import Event
from streams.intervals import FOREVER
from streams.issue import Issue
from streams.thread import RESPONSES, Run, Thread

CONTACT = "contact"
"""A customer's contact."""
FIRST = "first"
"""A first response: `value` ms after the first contact."""
NEXT = "next"
"""A later response, likewise."""
BREACH = "breach"
"""A breach of any clock, promises included; of the issue's clock on the channel of the last contact before it."""
RESOLVED = "resolved"
"""A thread solved or covered, `value` ms after its first contact, times in which it was solved before left out;
`mark`: solved itself, not covered by a solve elsewhere."""
ENDED = "ended"
"""An issue resolved by a solve on this channel, after `value` contacts."""
ELSEWHERE = "elsewhere"
"""An issue that began on this channel, resolved by a solve on another."""
BEGUN_PUBLIC = "begun_public"
"""An issue that began in public; `mark`: of a customer whose earlier issue had been answered in public by then."""
WAIT = "wait"
"""A private thread waits for its first response from `at` until `value` (ms, `FOREVER`: still). Not of one window."""


class Fact(NamedTuple):
    """One contribution. `at` in ms since the epoch decides the window."""

    what: str
    channel: str
    at: int
    value: int = 0
    public: bool = False
    """Of a first response: on a public thread."""
    mark: bool = False
    """Of a first response: it jumped the queue."""
    topic: str | None = None
    """What it is about, as far as that is known by now; a thread's own topic goes before its issue's."""
    team: str | None = None
    """Who had the thread last."""


def facts(derived: Derived) -> list[Fact]:
    """Everything that a customer's derived history contributes."""
    found: list[Fact] = []
    for issue in derived.history.issues:
        threads = {thread.id: _about(thread, issue) for thread in issue.threads}
        plain = _about(None, issue)
        found += (
            Fact(CONTACT, contact.channel, contact.at, **threads.get(contact.thread or "", plain))
            for contact in issue.contacts
        )
        found += _responses(issue)
        found += _solves(issue)
        found += _ends(issue, derived)
    for clock in derived.clocks:
        found += (_breach(clock, breach.at) for breach in clock.breaches)
    found += _beginnings(derived)
    return found


class _About(TypedDict):
    topic: str | None
    team: str | None


def _about(thread: Thread | None, issue: Issue | None) -> _About:
    topic = None if issue is None else issue.topic
    return {
        "topic": topic if thread is None else thread.topic or topic,
        "team": None if thread is None else thread.team,
    }


def _responses(issue: Issue) -> Iterator[Fact]:
    private = [thread for thread in issue.threads if not thread.public]
    waits = [(thread, run) for thread in private for run in thread.runs if run.metric == RESPONSES[0]]
    for thread, run in waits:
        yield Fact(WAIT, thread.channel, run.started_at, _end(run), **_about(thread, issue))
    queue = _Queue([(run.started_at, _end(run)) for _, run in waits])
    for thread in issue.threads:
        about = _about(thread, issue)
        for run in thread.runs:
            if run.metric not in RESPONSES or run.stop is None or run.outcome != "answered":
                continue
            length = run.stop - run.started_at
            if run.metric == RESPONSES[0]:
                jump = thread.public and queue.waits(before=run.started_at, at=run.stop)
                yield Fact(FIRST, thread.channel, run.stop, length, public=thread.public, mark=jump, **about)
            else:
                yield Fact(NEXT, thread.channel, run.stop, length, **about)


class _Queue:
    """Who waits from when to when; sorted once, asked often."""

    def __init__(self, waits: Sequence[tuple[int, int]]) -> None:
        ordered = sorted(waits)
        self._starts = [start for start, _ in ordered]
        self._latest_end = list(accumulate((end for _, end in ordered), max))

    def waits(self, before: int, at: int) -> bool:
        """True where somebody who began before `before` still waits at `at`."""
        count = bisect_left(self._starts, before)
        return count > 0 and self._latest_end[count - 1] > at


def _end(run: Run) -> int:
    return FOREVER if run.stop is None else run.stop


def _solves(issue: Issue) -> Iterator[Fact]:
    """A thread's solves: those of its done intervals that begin with a solve in the issue, not with silence."""
    moments = {solve.at for solve in issue.solves}
    for thread in issue.threads:
        if thread.resolution is None:
            continue
        started, about = thread.resolution.started_at, _about(thread, issue)
        for place, (at, _) in enumerate(thread.done):
            if at in moments and at >= started:
                solved_before = sum(max(0, end - max(start, started)) for start, end in thread.done[:place])
                own = thread.done_by.get(at) == "solved"
                yield Fact(RESOLVED, thread.channel, at, at - started - solved_before, mark=own, **about)


def _ends(issue: Issue, derived: Derived) -> Iterator[Fact]:
    """Each time that the issue was resolved by a solve: where, and after how many contacts."""
    times = [contact.at for contact in issue.contacts]
    solves = {solve.at: solve for solve in issue.solves}  # of one instant the last
    for span in issue.unresolved:
        solve = solves.get(span.end)
        if span.reason != "solved" or solve is None or not times:
            continue
        thread = derived.history.threads.get(solve.thread or "")
        target = None if thread is None else _target(thread, derived)
        channel = solve.channel if target is None else target.channel
        yield Fact(ENDED, channel, span.end, bisect_left(times, span.end + 1), **_about(target, issue))
        first = issue.contacts[0]
        if first.channel != channel:
            yield Fact(ELSEWHERE, first.channel, span.end, **_of(first, issue, derived))


def _of(contact: Event, issue: Issue, derived: Derived) -> _About:
    return _about(derived.history.threads.get(contact.thread or ""), issue)


def _target(thread: Thread, derived: Derived) -> Thread:
    """The thread that it was merged into, if it was."""
    while thread.merged_into is not None:
        thread = derived.history.threads[thread.merged_into]
    return thread


def _beginnings(derived: Derived) -> Iterator[Fact]:
    begun = [issue for issue in derived.history.issues if issue.contacts]
    begun.sort(key=lambda issue: issue.contacts[0].order)
    answered = FOREVER  # the earliest answer in public that an issue before this one had
    for issue in begun:
        first = issue.contacts[0]
        if issue.public[first.id]:
            yield Fact(BEGUN_PUBLIC, first.channel, first.at, mark=answered < first.at, **_of(first, issue, derived))
        answered = min(answered, _answered_in_public(issue, derived))


def _answered_in_public(issue: Issue, derived: Derived) -> int:
    for answer in issue.answers:
        thread = derived.history.threads.get(answer.thread or "")
        if thread is not None and thread.public:
            return answer.at
    return FOREVER


def _breach(clock: Clock, at: int) -> Fact:
    """A thread's breach is its channel's; an issue's that of the last contact before it."""
    thread, issue = clock.thread, clock.issue
    if thread is not None:
        return Fact(BREACH, thread.channel, at, **_about(thread, issue))
    place = bisect_left(issue.contacts, at + 1, key=lambda contact: contact.at)
    last = issue.contacts[place - 1] if place else issue.founder
    thread = next((thread for thread in issue.threads if thread.id == last.thread), None)
    return Fact(BREACH, last.channel, at, **_about(thread, issue))
