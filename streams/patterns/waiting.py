"""Patterns of waiting: ignored, abandoned, held in a queue, given up."""

from bisect import bisect_right
from collections.abc import Iterator
from typing import Any, NamedTuple

from schemas.times import SECOND
from streams.event import Event
from streams.history import is_contact, is_human_answer, solves
from streams.intervals import FOREVER
from streams.patterns.case import Case, Hold, reached
from streams.thread import Thread

QUEUES = ("phone", "chat")
"""Channels on which a customer holds the line."""


def ignored(case: Case, rule: Any) -> Iterator[Hold]:
    """No human answer on any channel for `rule.after` since the first contact, round the clock."""
    if not case.issue.contacts:
        return
    first = case.issue.contacts[0]
    answered = next((answer.at for answer in case.issue.answers if answer.order > first.order), FOREVER)
    if answered > first.at + rule.after:
        yield Hold(first.at + rule.after, answered, (first.id,))


def abandoned(case: Case, rule: Any) -> Iterator[Hold]:
    """`rule.count` or more abandoned contacts within `rule.window`."""
    given_up = [event for event in case.issue.events if event.kind == "abandoned"]
    hold = reached(given_up, rule.count, rule.window)
    if hold:
        yield hold


def lapsed(case: Case, rule: Any) -> Iterator[Hold]:
    """No customer contact for `rule.after`, and the last one never answered by a human."""
    contacts, answers = case.issue.contacts, case.issue.answers
    for place, contact in enumerate(contacts):
        following = contacts[place + 1].at if place + 1 < len(contacts) else FOREVER
        if following <= contact.at + rule.after:
            continue
        later = bisect_right(answers, contact.order, key=_order)
        answered = answers[later].at if later < len(answers) else FOREVER
        start, end = contact.at + rule.after, min(following, answered)
        if start < end:
            yield Hold(start, end, (contact.id,))


def _order(event: Event) -> tuple[int, int, str]:
    return event.order


def long_hold(case: Case, rule: Any) -> Iterator[Hold]:
    """Waited `rule.after` or longer on phone or chat before somebody answered, or before giving up."""
    for thread in case.issue.threads:
        if thread.merged_into is not None:
            continue  # its events are the target's
        for wait in _waits(thread, case):
            hold = _held(wait, rule.after)
            if hold:
                yield hold


class _Wait(NamedTuple):
    """A wait in a queue: the contact that began it, the first of it that said `queued`, and what ended it."""

    contact: Event
    queued: Event | None
    end: Event | None


def _waits(thread: Thread, case: Case) -> Iterator[_Wait]:
    contact: Event | None = None
    queued: Event | None = None
    for event in thread.events:
        if is_contact(event) and event.channel in QUEUES:
            contact = contact or event
            queued = queued or (event if event.data.get("queued") else None)
        elif contact and (event.kind == "abandoned" or solves(event) or is_human_answer(event, case.policy)):
            yield _Wait(contact, queued, event)
            contact = queued = None
    if contact:
        yield _Wait(contact, queued, None)


def _held(wait: _Wait, after: int) -> Hold | None:
    contact, queued, end = wait
    watched = max(contact.at + after, queued.at) if queued else None
    if end is None:
        return Hold(watched, evidence=(contact.id,)) if watched is not None else None
    told = end.data.get("waited_s")
    waited = int(float(told) * SECOND) if told is not None else end.at - contact.at
    if waited < after:
        return None
    return Hold(end.at if watched is None else min(watched, end.at), evidence=(contact.id, end.id))
