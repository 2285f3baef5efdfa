"""Whose turn it is, and how a thread stands."""

from streams.intervals import FOREVER
from streams.issue import Issue
from streams.thread import Thread

COMPANY, CUSTOMER, NOBODY = "company", "customer", "nobody"


def thread_state(thread: Thread, now: int = FOREVER) -> str:
    """new, open, pending, on_hold, solved, covered or merged: as of `now`, which matters for a quiet end to come."""
    if thread.merged_into is not None:
        return "merged"
    if thread.solved and thread.done:
        if thread.done[-1][0] <= now:
            return "covered" if thread.covered_by else "solved"
        return next((span.status for span in thread.spans if span.start <= now < span.end), "open")
    return thread.status


def thread_turn(thread: Thread, now: int) -> str:
    """Whose turn it is on one thread."""
    state = thread_state(thread, now)
    if state in ("solved", "covered", "merged"):
        return NOBODY
    if state == "pending":
        return CUSTOMER  # a contact of theirs would have ended it
    if _unanswered(thread):
        return COMPANY
    if thread.answered_at is not None:
        return CUSTOMER
    return COMPANY if thread.contacts else NOBODY


def waiting_on(issue: Issue | None, thread: Thread | None, now: int) -> str:
    """The company while anybody waits for it; else the customer while something is unsolved; else nobody."""
    if thread is not None:
        return thread_turn(thread, now)
    turns = {thread_turn(each, now) for each in issue.threads} if issue else set()
    return COMPANY if COMPANY in turns else CUSTOMER if CUSTOMER in turns else NOBODY


def _unanswered(thread: Thread) -> bool:
    last = thread.last_contact
    return last is not None and (thread.answered_at is None or thread.answered_at < last.at)
