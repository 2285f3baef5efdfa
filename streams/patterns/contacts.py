"""Patterns of what the customer did: where, how often and how publicly they made contact."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from typing import Any

from streams.event import Event
from streams.history import is_contact
from streams.patterns.case import Case, Hold, reached


def channel_switch(case: Case, rule: Any) -> Iterator[Hold]:
    """Contact on `rule.channels` channels within `rule.window`; `third_channel` is the same with more of them."""
    window = rule.window
    recent: dict[str, Any] = {}
    for contact in case.issue.contacts:
        recent[contact.channel] = contact
        near = [other for other in recent.values() if contact.at - other.at <= window]
        if len(near) >= rule.channels:
            near.sort(key=lambda event: event.order)
            yield Hold(contact.at, evidence=tuple(event.id for event in near))
            return


def went_public(case: Case, _rule: Any) -> Iterator[Hold]:
    """A public contact came after a private one."""
    private = None
    for contact in case.issue.contacts:
        if not case.issue.public[contact.id]:
            private = private or contact
        elif private is not None:
            yield Hold(contact.at, evidence=(private.id, contact.id))
            return


def repeat_contact(case: Case, rule: Any) -> Iterator[Hold]:
    """Contacts on `rule.threads` threads, or a contact within `rule.window` after a solve."""
    yield from _on_threads(case, rule.threads)
    solves = case.issue.solves
    orders = [solve.order for solve in solves]
    for contact in case.issue.contacts:
        before = bisect_left(orders, contact.order)
        if before and contact.at - solves[before - 1].at <= rule.window:
            yield Hold(contact.at, evidence=(solves[before - 1].id, contact.id))
            break


def _on_threads(case: Case, threads: int) -> Iterator[Hold]:
    """While the customer has made contact on so many threads; threads that were merged are one from then on."""
    firsts: dict[str, Event] = {}
    into: dict[str, str] = {}
    since: Event | None = None
    evidence: tuple[str, ...] = ()
    for event in case.issue.events:
        thread = _merged(event.thread or "", into)
        if is_contact(event):
            firsts.setdefault(thread, event)
        elif event.kind == "merge":
            target = _merged(str(event.data["into"]), into)
            if target != thread:
                into[thread] = target
                merged = [first for first in (firsts.pop(thread, None), firsts.get(target)) if first is not None]
                if merged:
                    firsts[target] = min(merged, key=lambda first: first.order)
        else:
            continue
        if len(firsts) >= threads and since is None:
            since, evidence = event, tuple(first.id for first in firsts.values())
        elif len(firsts) < threads and since is not None:
            yield Hold(since.at, event.at, evidence)
            since = None
    if since is not None:
        yield Hold(since.at, evidence=evidence)


def _merged(thread: str, into: dict[str, str]) -> str:
    while thread in into:
        thread = into[thread]
    return thread


def reopened(case: Case, rule: Any) -> Iterator[Hold]:
    """Solved and reopened `rule.count` times or more."""
    hold = reached(case.issue.reopenings, rule.count)
    if hold:
        yield hold


def self_service_failed(case: Case, rule: Any) -> Iterator[Hold]:
    """A contact within `rule.window` after a failed self-service about the same thing."""
    for contact in case.issue.contacts:
        for failed in case.history.self_service:
            if failed.topic is not None and case.issue.topic is not None and failed.topic != case.issue.topic:
                continue
            if failed.order < contact.order and contact.at - failed.at <= rule.window:
                yield Hold(contact.at, evidence=(failed.id, contact.id))
                return


def spreading(case: Case, rule: Any) -> Iterator[Hold]:
    """A public contact that `rule.reach` people see, or that `rule.customers` in its thread join within a window."""
    for contact in case.issue.contacts:
        if not case.issue.public[contact.id]:
            continue
        if (contact.data.get("reach") or 0) >= rule.reach:
            yield Hold(contact.at, evidence=(contact.id,))
            break
    for contact in case.issue.contacts:
        others = case.outside.crowds.get(contact.thread or "") if case.issue.public[contact.id] else None
        if others is None:
            continue
        at = _crowded(contact.at, others, rule.customers, rule.window)
        if at is not None:
            yield Hold(at, evidence=(contact.id,))
            break


def _crowded(at: int, others: Sequence[tuple[int, str]], customers: int, window: int) -> int | None:
    """The first instant at which a window around our contact at `at` holds contacts of so many customers, ours too."""
    low, high = bisect_left(others, (at - window, "")), bisect_right(others, (at + window, "\uffff"))
    near = sorted([(at, ""), *others[low:high]])
    for last, (end, _) in enumerate(near):
        within = [(when, who) for when, who in near[: last + 1] if end - when <= window]
        if end >= at >= within[0][0] and len({who for _, who in within}) >= customers:
            return end
    return None
