"""The sweep: one pass over a customer's log, in event time, that tells threads, issues and clock runs apart.

It knows nothing of `now`. What follows by itself if nothing more happens (an issue that falls quiet) is
told as well, at the time at which it will be; so a late event, a merge of customers or a changed policy is
just another pass over the log.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from schemas.times import parse_time
from streams.deadlines import deadline
from streams.event import Event
from streams.fingerprint import fingerprint
from streams.grouping import Group, group_threads
from streams.intervals import FOREVER
from streams.issue import Issue
from streams.log import Log
from streams.policy import Policy, PolicyHistory
from streams.thread import RESPONSES, Run, Thread

IDLE = frozenset({"feedback", "note", "self_service_failed"})
"""Kinds that open no issue."""


class Closing(NamedTuple):
    """A command that closed the lapsed issue of a thread."""

    at: int
    thread: str


@dataclass(slots=True)
class History:
    """What the sweep found, up to the end of time if nothing more happens."""

    threads: dict[str, Thread] = field(default_factory=dict)
    issues: list[Issue] = field(default_factory=list)
    by_thread: dict[str, Issue] = field(default_factory=dict)
    """The issue of a thread, under the thread's own id even when it was merged into another."""
    self_service: list[Event] = field(default_factory=list)
    tier: str | None = None

    def put(self, place: int, issue: Issue) -> None:
        """Have an equal issue in place of the one at `place`, with its threads."""
        self.issues[place] = issue
        for thread in issue.threads:
            self.threads[thread.id] = thread
            self.by_thread[thread.id] = issue


def is_contact(event: Event) -> bool:
    """A contact by the customer (not by a peer, nor an agent's outbound call)."""
    return event.kind == "contact" and event.actor == "customer"


def is_human_answer(event: Event, policy: Policy) -> bool:
    """Picked up or answered by a person, in words of their own."""
    if event.actor != "agent":
        return False
    if event.kind == "answered":
        return True
    return event.kind == "reply" and not event.data.get("auto") and (policy.answers_canned or not is_canned(event))


def is_canned(event: Event) -> bool:
    """A reply from a template, by the source's own word."""
    return bool(event.data.get("canned"))


def stops_response(event: Event, policy: Policy) -> bool:
    """True for what satisfies a response clock under `policy`."""
    if is_human_answer(event, policy):
        return True
    return (
        policy.answers_bot
        and event.actor == "bot"
        and event.kind in ("answered", "reply")
        and not event.data.get("auto")
    )


def solves(event: Event) -> bool:
    """True for what solves its thread; a peer's word solves nothing."""
    if event.actor == "peer":
        return False
    return event.kind == "confirmed" or (event.kind == "status" and event.data["status"] in ("solved", "closed"))


def sweep(log: Log, policies: PolicyHistory, closings: Sequence[Closing] = ()) -> History:
    """Threads, issues and clock runs of a whole log."""
    return _Sweep(log, policies).over(log, closings)


class _Sweep:
    def __init__(self, log: Log, policies: PolicyHistory) -> None:
        self.policies = policies
        self.history = History()
        self.groups: dict[str, Group] = group_threads(log)
        self.group_issue: dict[int, Issue] = {}
        self.live: dict[str, Issue] = {}
        """Issues that a new thread may join, by id: the long resolved ones drop out."""
        self.window_max = max(entry.policy.repeat_window for entry in policies.entries)
        self.by_reference: dict[str, Issue] = {}

    def over(self, log: Log, closings: Sequence[Closing]) -> History:
        pending = sorted(closings)
        for event in log:
            while pending and pending[0].at < event.at:
                self.close(pending.pop(0))
            self.step(event)
        for closing in pending:
            self.close(closing)
        for issue in self.history.issues:
            self.advance(issue, FOREVER)
        return self.history

    # -- one event --------------------------------------------------------------------------------------

    def step(self, event: Event) -> None:
        if event.tier is not None:
            self.history.tier = event.tier
        if event.kind == "self_service_failed":
            self.history.self_service.append(event)
        if event.thread is None:
            return
        policy = self.policies.at(event.at)
        thread = self.thread(event, policy)
        thread.learn(event)
        thread.events.append(event)
        issue = self.issue(event, thread)
        if issue is None:
            return
        self.advance(issue, event.at)
        issue.events.append(event)
        self.happen(event, thread, issue, policy)
        self.settle(issue, event)

    def happen(self, event: Event, thread: Thread, issue: Issue, policy: Policy) -> None:
        if is_contact(event):
            self.contact(event, thread, issue, policy)
        elif solves(event):
            issue.solves.append(event)
            self.solve(event, thread, issue)
        elif event.kind == "status":
            self.status(event, thread, issue)
        elif event.kind in ("answered", "reply"):
            self.answer(event, thread, issue, policy)
        elif event.kind == "promise":
            self.promise(event, thread, issue)
        elif event.kind == "promise_kept":
            self.end_promises(thread, event, "kept")
        elif event.kind == "merge":
            self.merge(event, thread, issue)

    # -- threads and issues -----------------------------------------------------------------------------

    def thread(self, event: Event, policy: Policy) -> Thread:
        """The thread that the event happens on: a merged thread's events are the target's."""
        assert event.thread is not None
        thread = self.history.threads.get(event.thread)
        if thread is None:
            public = policy.is_public(event.channel) if event.public is None else event.public
            thread = self.history.threads[event.thread] = Thread(
                event.thread, event.channel, public, event.at, status_since=event.at
            )
        while thread.merged_into is not None:
            thread = self.history.threads[thread.merged_into]
        return thread

    def issue(self, event: Event, thread: Thread) -> Issue | None:
        """The issue of the thread; found or opened by the thread's first event that can open one."""
        issue = self.history.by_thread.get(thread.id)
        if issue is not None:
            return issue
        if event.kind in IDLE or event.actor == "peer":
            return None
        group = self.groups[thread.id]
        issue = self.group_issue.get(id(group))
        if issue is None:
            issue = self.by_reference.get(group.reference or "") or self.candidate(event, group)
            if issue is None:
                reference = group.reference
                issue = Issue(reference or fingerprint("iss", event.id), event, group.topic)
                self.history.issues.append(issue)
            if group.reference:
                self.by_reference[group.reference] = issue
            self.group_issue[id(group)] = issue
        if group.topic is not None:
            issue.topic = group.topic
        if thread.opened_at < event.at and not thread.contacts:
            thread.opened_at = event.at  # what came before (a note, praise) opened nothing
        self.join(thread, issue)
        return issue

    def join(self, thread: Thread, issue: Issue) -> None:
        """The thread is one of the issue's from now on."""
        issue.threads.append(thread)
        if thread.active:
            issue.active[thread.id] = thread
        self.history.by_thread[thread.id] = issue

    def candidate(self, event: Event, group: Group) -> Issue | None:
        if group.reference:
            return None  # an explicit issue of its own
        window = self.policies.at(event.at).repeat_window
        best: Issue | None = None
        rank = (False, -FOREVER)
        for issue in list(self.live.values()):
            if issue.topic is not None and group.topic is not None and issue.topic != group.topic:
                continue
            self.advance(issue, event.at)
            if not issue.resolved_within(window, event.at):
                if not issue.resolved_within(self.window_max, event.at):
                    del self.live[issue.id]
                continue
            mine = (issue.topic is not None and issue.topic == group.topic, issue.last_active_at)
            if best is None or mine > rank:
                best, rank = issue, mine
        return best

    def settle(self, issue: Issue, event: Event) -> None:
        """Resolved when every thread is solved or covered; unresolved when one is not."""
        if issue.active:
            self.live[issue.id] = issue
            issue.begin(event.at)
            if issue.run is not None:
                issue.run.go_on()
        elif issue.open:
            issue.resolve(event.at, "solved")
            self.end_issue_run(issue, event.at, "solved", event.id)

    def advance(self, issue: Issue, until: int) -> None:
        """Let time pass to just before `until`: an issue may fall quiet, or be dropped."""
        if not issue.open:
            return
        last = issue.last_contact
        if last is None:
            at = deadline(self.policies, issue.last_active_at, _quiet_after)
        elif issue.answered_since is not None:
            at = max(deadline(self.policies, last.at, _quiet_after), issue.answered_since)
        else:
            at = deadline(self.policies, last.at, _drop_after)
        if at < until:
            self.finish(issue, at, "quiet")

    def finish(self, issue: Issue, at: int, reason: str) -> None:
        """The issue ends without a solve: its unsolved threads end with it."""
        issue.resolve(at, reason)
        for thread in list(issue.active.values()):
            self.end_thread(thread, at, reason, None)
        self.end_issue_run(issue, at, reason, None)

    def close(self, closing: Closing) -> None:
        issue = self.history.by_thread.get(closing.thread)
        if issue is None:
            return
        self.advance(issue, closing.at)
        if issue.open and issue.answered_since is None and issue.last_contact is not None:
            lapse = deadline(self.policies, issue.last_contact.at, _quiet_after)
            if lapse <= closing.at:
                self.finish(issue, closing.at, "command")

    def end_issue_run(self, issue: Issue, at: int, outcome: str, by: str | None) -> None:
        if issue.run is not None:
            issue.run.end(at, outcome, by, issue.threads[-1].facts(self.history.tier))

    # -- what each kind does ----------------------------------------------------------------------------

    def contact(self, event: Event, thread: Thread, issue: Issue, policy: Policy) -> None:
        public = policy.is_public(event.channel) if event.public is None else event.public
        if not thread.contacts and not any(run.metric in RESPONSES for run in thread.runs):
            thread.channel, thread.public = event.channel, public
        if not thread.active:
            self.reopen(thread, issue, event)
        thread.customer_came_back(event.at)
        thread.contacts.append(event)
        issue.contacts.append(event)
        issue.public[event.id] = public
        issue.answered_since = None
        if issue.run is None:
            issue.run = Run("issue_resolution", thread.id, 1, event, [(event.at, event.at)])
        if thread.resolution is None:
            thread.resolution = self.start("resolution", thread, event, event.at, event.at)
        if thread.current is not None:
            thread.current.contacts.append(event.id)
            return
        thread.waiting = event
        metric = "first_response" if thread.first is None else "next_response"
        self.start(metric, thread, event, event.at, event.at)

    def start(self, metric: str, thread: Thread, anchor: Event, since: int, counted_from: int) -> Run:
        cycle = 1
        if metric == "next_response":
            thread.cycles += 1
            cycle = thread.cycles
        run = Run(metric, thread.id, cycle, anchor, [(since, counted_from)], [anchor.id])
        thread.runs.append(run)
        if metric == "first_response":
            thread.first = run
        if metric in RESPONSES:
            thread.current = run
        return run

    def answer(self, event: Event, thread: Thread, issue: Issue, policy: Policy) -> None:
        human = is_human_answer(event, policy)
        if human:
            issue.answers.append(event)
            thread.answered_at = event.at
            if issue.answered_since is None and issue.contacts:
                issue.answered_since = event.at
            for other in list(issue.promised.values()):
                self.end_promises(other, event, "answered", before=event)
        if (human or stops_response(event, policy)) and thread.current is not None:
            thread.current.end(event.at, "answered", event.id, thread.facts(self.history.tier))
            thread.current = thread.waiting = None

    def solve(self, event: Event, thread: Thread, issue: Issue) -> None:
        if thread.active:
            self.end_thread(thread, event.at, "solved", event)
        else:
            self.end_promises(thread, event, "solved")  # made after it was solved, and settled by solving it again
        last = thread.last_contact
        for other in (*issue.active.values(), *issue.promised.values()):
            theirs = other.last_contact
            if theirs is not None and (last is None or theirs.at > last.at):
                continue
            if other.active:
                other.covered_by = thread.id
                self.end_thread(other, event.at, "covered", event, covered_by=thread.id)
            else:
                self.end_promises(other, event, "covered", covered_by=thread.id)

    def end_thread(
        self, thread: Thread, at: int, outcome: str, by: Event | None, *, covered_by: str | None = None
    ) -> None:
        facts = thread.facts(self.history.tier)
        ended = [thread.current, thread.resolution]
        if by is not None:
            ended += thread.promises  # silence keeps no promise: only a solve ends them
            thread.promises = []
        for run in ended:
            if run is not None and run.running:
                run.covered_by = covered_by
                run.end(at, outcome, by.id if by else None, facts)
        thread.current = thread.waiting = None
        thread.set_status("solved", at)
        thread.solved, thread.solved_by = True, outcome
        issue = self.history.by_thread[thread.id]
        issue.active.pop(thread.id, None)
        if not thread.promises:
            issue.promised.pop(thread.id, None)
        thread.done.append((at, FOREVER))
        thread.done_by[at] = outcome

    def reopen(self, thread: Thread, issue: Issue, event: Event, *, counts: bool = True) -> None:
        if counts and thread.solved_by in ("solved", "covered"):
            issue.reopenings.append(event)
        thread.solved, thread.solved_by, thread.covered_by = False, None, None
        issue.active[thread.id] = thread
        thread.done[-1] = (thread.done[-1][0], event.at)
        thread.set_status("open", event.at)
        if thread.resolution is not None:
            thread.resolution.go_on()

    def status(self, event: Event, thread: Thread, issue: Issue) -> None:
        status = event.data["status"]
        if not thread.active:
            if status in ("new", "open"):
                self.reopen(thread, issue, event)
            return  # a solved thread that is set to pending stays solved
        thread.set_status(status, event.at)

    def promise(self, event: Event, thread: Thread, issue: Issue) -> None:
        count = sum(1 for run in thread.runs if run.metric == "promise") + 1
        run = Run("promise", thread.id, count, event, [(event.at, event.at)], due=parse_time(event.data["due_at"]))
        thread.runs.append(run)
        thread.promises.append(run)
        issue.promised[thread.id] = thread

    def end_promises(
        self, thread: Thread, event: Event, outcome: str, *, before: Event | None = None, covered_by: str | None = None
    ) -> None:
        kept: list[Run] = []
        for run in thread.promises:
            if before is not None and run.anchor.at >= before.at:
                kept.append(run)
            else:
                run.covered_by = covered_by
                run.end(event.at, outcome, event.id, thread.facts(self.history.tier))
        thread.promises = kept
        if not kept:
            self.history.by_thread[thread.id].promised.pop(thread.id, None)

    # -- merges of threads ------------------------------------------------------------------------------

    def merge(self, event: Event, thread: Thread, issue: Issue) -> None:
        """The merged thread's events become the target's, whose clocks run from the oldest unanswered contact."""
        target = self.history.threads.get(event.data["into"])
        if target is None:
            target = self.history.threads[event.data["into"]] = Thread(
                event.data["into"], thread.channel, thread.public, event.at, status_since=event.at
            )
        while target.merged_into is not None:
            target = self.history.threads[target.merged_into]
        if target is thread:
            return
        if target.id not in self.history.by_thread:
            self.join(target, issue)
        waiting = min((e for e in (thread.waiting, target.waiting) if e), key=lambda e: e.order, default=None)
        asked = thread.last_contact if thread.active else None
        self.retire(thread, target, event)
        target.contacts = sorted([*target.contacts, *thread.contacts], key=lambda e: e.order)
        target.events = sorted([*target.events, *thread.events], key=lambda e: e.order)
        if thread.promises:
            target.promises += thread.promises
            thread.promises = []
            issue.promised.pop(thread.id, None)
            issue.promised[target.id] = target
        if asked is not None and not target.active and asked.at > target.done[-1][0]:
            self.reopen(target, issue, event, counts=False)  # the question came after the solve
        if asked is not None and asked.at > target.status_since:
            target.customer_came_back(event.at)  # who waits has come to a thread that waits for them
        self.carry(target, thread, waiting, event)

    def retire(self, thread: Thread, target: Thread, event: Event) -> None:
        facts = thread.facts(self.history.tier)
        for run in (thread.current, thread.resolution):
            if run is not None:
                run.end(event.at, "cancelled", event.id, facts)
        thread.merged_into, thread.current, thread.waiting = target.id, None, None
        if thread.active:
            thread.set_status("solved", event.at)
            thread.done.append((event.at, FOREVER))
            thread.done_by[event.at] = "cancelled"
        thread.solved, thread.solved_by = True, "merged"
        self.history.by_thread[thread.id].active.pop(thread.id, None)

    def carry(self, target: Thread, merged: Thread, waiting: Event | None, event: Event) -> None:
        """Set the target's clocks going from `waiting`, the oldest unanswered contact of both, as of the merge."""
        if not target.active:
            return  # its clocks had ended; they stay as they were
        if target.resolution is None:
            if merged.resolution is not None:
                start = min(merged.resolution.started_at, target.contacts[0].at)
                target.resolution = self.start("resolution", target, merged.resolution.anchor, event.at, start)
        elif waiting is not None and target.resolution.running and waiting.at < target.resolution.started_at:
            target.resolution.starts.append((event.at, waiting.at))
        if waiting is None:
            return
        target.waiting = waiting
        if target.current is None:
            metric = "first_response" if target.first is None else "next_response"
            self.start(metric, target, waiting, event.at, waiting.at)
        elif waiting.at < target.current.started_at:
            target.current.starts.append((event.at, waiting.at))
        if target.current is not None and waiting.id not in target.current.contacts:
            target.current.contacts.append(waiting.id)


def _quiet_after(policy: Policy) -> int:
    return policy.quiet_after


def _drop_after(policy: Policy) -> int:
    return policy.drop_after
