"""What one customer's history contributes to the channel gaps.

Derivation tells what will be so if nothing more happens, and so do the facts: a breach that is still to come
belongs to a later window, and is gone when the history is derived again with the answer that prevented it.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import NamedTuple

from streams.clocks import Clock
from streams.derive import Derived
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
"""A thread solved or covered, `value` ms after its first contact, times in which it was solved before left out."""
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
    thread: str = ""
    """Of a wait: whose."""


def facts(derived: Derived) -> list[Fact]:
    """Everything that a customer's derived history contributes."""
    found: list[Fact] = []
    for issue in derived.history.issues:
        found += (Fact(CONTACT, contact.channel, contact.at) for contact in issue.contacts)
        found += _responses(issue)
        found += _solves(issue)
        found += _ends(issue, derived)
    for clock in derived.clocks:
        found += (Fact(BREACH, _channel_of(clock, breach.at), breach.at) for breach in clock.breaches)
    found += _beginnings(derived)
    return found


def _responses(issue: Issue) -> Iterator[Fact]:
    private = [thread for thread in issue.threads if not thread.public]
    waits = [(thread, run) for thread in private for run in thread.runs if run.metric == RESPONSES[0]]
    for thread, run in waits:
        yield Fact(WAIT, thread.channel, run.started_at, _end(run), thread=thread.id)
    queue = _Queue([(run.started_at, _end(run)) for _, run in waits])
    for thread in issue.threads:
        for run in thread.runs:
            if run.metric not in RESPONSES or run.stop is None or run.outcome != "answered":
                continue
            length = run.stop - run.started_at
            if run.metric == RESPONSES[0]:
                jump = thread.public and queue.waits(before=run.started_at, at=run.stop)
                yield Fact(FIRST, thread.channel, run.stop, length, public=thread.public, mark=jump)
            else:
                yield Fact(NEXT, thread.channel, run.stop, length)


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
        started = thread.resolution.started_at
        for place, (at, _) in enumerate(thread.done):
            if at in moments and at >= started:
                solved_before = sum(max(0, end - max(start, started)) for start, end in thread.done[:place])
                yield Fact(RESOLVED, thread.channel, at, at - started - solved_before)


def _ends(issue: Issue, derived: Derived) -> Iterator[Fact]:
    """Each time that the issue was resolved by a solve: where, and after how many contacts."""
    times = [contact.at for contact in issue.contacts]
    solves = {solve.at: solve for solve in issue.solves}  # of one instant the last
    for span in issue.unresolved:
        solve = solves.get(span.end)
        if span.reason != "solved" or solve is None or not times:
            continue
        thread = derived.history.threads.get(solve.thread or "")
        channel = solve.channel if thread is None else _target(thread, derived).channel
        yield Fact(ENDED, channel, span.end, bisect_left(times, span.end + 1))
        began = issue.contacts[0].channel
        if began != channel:
            yield Fact(ELSEWHERE, began, span.end)


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
            yield Fact(BEGUN_PUBLIC, first.channel, first.at, mark=answered < first.at)
        answered = min(answered, _answered_in_public(issue, derived))


def _answered_in_public(issue: Issue, derived: Derived) -> int:
    for answer in issue.answers:
        thread = derived.history.threads.get(answer.thread or "")
        if thread is not None and thread.public:
            return answer.at
    return FOREVER


def _channel_of(clock: Clock, at: int) -> str:
    if clock.thread is not None:
        return clock.thread.channel
    issue = clock.issue
    assert issue is not None
    place = bisect_left(issue.contacts, at + 1, key=lambda contact: contact.at)
    return issue.contacts[place - 1].channel if place else issue.founder.channel
