"""The sentence that a supervisor reads: what is wrong, where the customer has been, who has answered."""

from collections.abc import Sequence

from schemas.times import MINUTE
from streams.clocks import Clock
from streams.event import Event
from streams.issue import Issue
from streams.ledger import due_now
from streams.standing import RESOLVED, Standing
from streams.summary_patterns import LEADS as _LEADS
from streams.summary_patterns import View, lead_of, others
from streams.summary_words import contact_by, day, on, span, times, when

CONTACTS_SHOWN = 6
CLAUSES_MAX = 3
"""How many patterns are told beside the first."""

_METRICS = {
    "first_response": "First response",
    "next_response": "Next response",
    "resolution": "Resolution",
    "issue_resolution": "Resolution of the whole issue",
}
_ENDS = {
    "answered": "Answered",
    "met": "Solved",
    "solved": "Solved",
    "no_longer_holds": "No longer so",
    "quiet": "Closed, for the customer has been quiet",
    "policy_change": "No longer so by another policy",
    "merged": "Goes on in another escalation",
    "split": "Over, for these were several customers",
    "cancelled": "Over with its thread",
    "command": "Resolved by hand",
}
_DONE = frozenset({"answered", "met", "solved"})


def summarise(standing: Standing, issue: Issue | None, clock: Clock | None, now: int, reason: str | None = None) -> str:
    """One sentence; it names channels and times, never a person or an identity. `reason`: why it is resolved."""
    over = standing.status == RESOLVED
    contacts = [event for event in issue.contacts if event.at <= now] if issue else []
    view = View(issue, now, contacts, [a for a in issue.answers if a.at <= now]) if issue and contacts else None
    patterns = () if standing.kind == "sla" else standing.patterns
    first = ""
    if standing.kind == "sla":
        lead = _sla_lead(standing, clock, now, over=over)
    else:
        first, lead = lead_of(view, patterns) if view else ("", "Unresolved history")
    sentence = lead
    if view is not None:
        answered = _answers(view, first)
        clauses = [*others(view, first, patterns, CLAUSES_MAX), *([answered] if answered else [])]
        sentence = "; ".join([f"{lead}: {_contacts(contacts, view.issue)}", *clauses])
    if not over:
        return sentence
    return f"{_end(standing, clock, now, reason)} ({sentence[:1].lower()}{sentence[1:]})"


def _sla_lead(standing: Standing, clock: Clock | None, now: int, *, over: bool) -> str:
    name = _METRICS.get(standing.metric or "", "Clock")
    due = _due(standing, clock, now)
    if clock is not None and clock.thread is not None:
        thread = clock.thread
        link = "of" if standing.metric == "resolution" else "to"
        post = contact_by(thread.channel, public=True)
        name += f" {link} a {post}" if thread.public else f" {on(thread.channel)}"
    if standing.retracted:
        return f"{name} was not late"
    if due is None:
        return f"{name} is paused close to its due time" if standing.phase == "at_risk" else f"{name} is overdue"
    if over:
        return f"{name} was due {when(due)}"
    if standing.phase == "breached":
        late = now - due
        return f"{name} was due {when(due)}" + (f" and is {span(late)} late" if late >= MINUTE else "")
    return f"{name} is due {when(due)}"


def _due(standing: Standing, clock: Clock | None, now: int) -> int | None:
    return due_now(clock, now) if clock is not None else standing.due_at


def _end(standing: Standing, clock: Clock | None, now: int, reason: str | None) -> str:
    """How it ended: `Answered 55 min late`."""
    if standing.retracted:
        return "Taken back"
    words = _ENDS.get(reason or "", "Over")
    if reason == "met" and standing.metric in ("first_response", "next_response"):
        words = _ENDS["answered"]
    if reason not in _DONE:
        return words
    stop = clock.run.stop if clock is not None else None
    due = _due(standing, clock, now)
    if standing.kind == "sla" and stop is not None and due is not None:
        late = stop - due
        return f"{words} in time" if late <= 0 else f"{words} {span(late)} late" if late >= MINUTE else f"{words} late"
    return f"{words} {when(standing.until)}" if standing.until <= now else words


def _contacts(contacts: Sequence[Event], issue: Issue) -> str:
    """Each run of contacts on one channel, with when it was."""
    runs: list[list[Event]] = []
    for contact in contacts:
        if runs and runs[-1][0].channel == contact.channel:
            runs[-1].append(contact)
        else:
            runs.append([contact])
    shown = runs[-CONTACTS_SHOWN:]
    texts = [_run(run, issue, last=place + 1 == len(shown)) for place, run in enumerate(shown)]
    return ("... " if len(runs) > len(shown) else "") + ", ".join(texts)


def _run(run: Sequence[Event], issue: Issue, *, last: bool) -> str:
    """`phone 5 Jun`, `email 3 Jun to 7 Jun 10:00 (4 times)`; the time of day is told of the last one only."""
    begin, end = day(run[0].at), day(run[-1].at)
    until = when(run[-1].at) if last else end
    name = contact_by(run[0].channel, public=issue.public.get(run[0].id, False))
    dates = until if begin == end else f"{begin} to {until}"
    return f"{name} {dates}" + (f" ({times(len(run))})" if len(run) > 1 else "")


def _answers(view: View, lead: str) -> str:
    """Who has answered; empty where the lead has said that nobody has."""
    if not view.answers:
        if view.canned:
            return (
                f"{view.canned} automatic or canned {'reply' if view.canned == 1 else 'replies'}, nobody has answered"
            )
        return "" if lead in ("ignored", "lapsed") else "nobody has answered"
    last = view.answers[-1]
    if last.order < view.contacts[-1].order:
        return f"last answered {on(last.channel)} {when(last.at)}, not since"
    return f"answered {on(last.channel)} {when(last.at)}"


__all__ = ["_LEADS", "summarise"]
