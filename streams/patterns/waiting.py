"""Patterns of waiting: ignored, abandoned, held in a queue, given up."""

from bisect import bisect_right
from collections.abc import Iterator
from typing import Any

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
        for contact, end in _waits(thread, case):
            hold = _held(contact, end, rule.after)
            if hold:
                yield hold


def _waits(thread: Thread, case: Case) -> Iterator[tuple[Event, Event | None]]:
    """Each contact that began a wait in a queue, with the event that ended it."""
    waiting: Event | None = None
    for event in thread.events:
        if is_contact(event) and event.channel in QUEUES:
            waiting = waiting or event
        elif waiting and (event.kind == "abandoned" or solves(event) or is_human_answer(event, case.policy)):
            yield waiting, event
            waiting = None
    if waiting:
        yield waiting, None


def _held(contact: Event, end: Event | None, after: int) -> Hold | None:
    queued = bool(contact.data.get("queued"))
    if end is None:
        return Hold(contact.at + after, evidence=(contact.id,)) if queued else None
    told = end.data.get("waited_s")
    waited = int(float(told) * SECOND) if told is not None else end.at - contact.at
    if waited < after:
        return None
    start = min(contact.at + after, end.at) if queued else end.at
    return Hold(start, evidence=(contact.id, end.id))
