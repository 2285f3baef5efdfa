"""The sentence that a supervisor reads: what is wrong, where the customer has been, who has answered."""

from datetime import UTC, datetime
from functools import lru_cache

from schemas.times import DAY, HOUR, MINUTE
from streams.clocks import Clock
from streams.event import Event
from streams.issue import Issue
from streams.ledger import due_now
from streams.standing import RESOLVED, Standing

CONTACTS_SHOWN = 6

_METRICS = {
    "first_response": "First response",
    "next_response": "Next response",
    "resolution": "Resolution",
    "issue_resolution": "Resolution of the whole issue",
}
_LEADS = {
    "went_public": "Went public after private contact",
    "spreading": "A public post is spreading",
    "ignored": "No human answer on any channel",
    "lapsed": "Given up without ever being answered",
    "broken_promise": "A promise was broken",
    "deflection_loop": "Sent from channel to channel",
    "reopened": "Solved and reopened again and again",
    "third_channel": "{channels} channels",
    "channel_switch": "{channels} channels",
    "repeat_contact": "Had to come back",
    "handoff_dropped": "A hand-off was dropped",
    "comp_in_place_of_fix": "Compensated, not fixed",
    "canned_only": "Only canned answers",
    "abandoned": "Gave up waiting more than once",
    "long_hold": "Held in the queue too long",
    "passed_around": "Passed from team to team",
    "public_argument": "An argument in public",
    "self_service_failed": "Self-service failed first",
}


def summarise(standing: Standing, issue: Issue | None, clock: Clock | None, now: int) -> str:
    """One sentence; it names channels and times, never a person or an identity."""
    contacts = [event for event in issue.contacts if event.at <= now] if issue else []
    lead = _sla_lead(standing, clock, now) if standing.kind == "sla" else _history_lead(standing, contacts)
    parts = [lead]
    if contacts and issue is not None:
        parts[0] += ": " + _contacts(contacts, issue)
        parts.append(_answers(issue, contacts, now))
    sentence = "; ".join(parts)
    if standing.status != RESOLVED:
        return sentence
    return f"{'Taken back' if standing.retracted else 'Over'} ({sentence[:1].lower()}{sentence[1:]})"


def _sla_lead(standing: Standing, clock: Clock | None, now: int) -> str:
    name = _METRICS.get(standing.metric or "", "Clock")
    due = due_now(clock, now) if clock is not None else standing.due_at
    if clock is not None and clock.thread is not None:
        name += f" by {_channel(clock.thread.channel, public=clock.thread.public)}"
    if standing.retracted:
        return f"{name} was not late"
    if due is None:
        return f"{name} is paused close to its due time" if standing.phase == "at_risk" else f"{name} is overdue"
    if standing.phase == "breached":
        late = now - standing.peak_at
        return f"{name} was due {_when(due)}" + (f" and is {_span(late)} late" if late >= MINUTE else "")
    return f"{name} is due {_when(due)}"


def _history_lead(standing: Standing, contacts: list[Event]) -> str:
    channels = list(dict.fromkeys(event.channel for event in contacts))
    switched = {"third_channel", "channel_switch", "went_public"} & set(standing.patterns)
    if switched and len(channels) > 1:
        span = _span(contacts[-1].at - contacts[0].at)
        return f"{_ordinal(len(channels))} channel in {span}"
    for name, text in _LEADS.items():
        if name in standing.patterns:
            return text.format(channels=len(channels))
    return "Unresolved history"


def _contacts(contacts: list[Event], issue: Issue) -> str:
    """Each run of contacts on one channel, with when it began."""
    runs: list[tuple[Event, int]] = []
    for contact in contacts:
        if runs and runs[-1][0].channel == contact.channel:
            runs[-1] = (runs[-1][0], runs[-1][1] + 1)
        else:
            runs.append((contact, 1))
    shown = runs[-CONTACTS_SHOWN:]
    texts = []
    for place, (contact, count) in enumerate(shown):
        day = _when(contact.at) if place + 1 == len(shown) else _day(contact.at)
        name = _channel(contact.channel, public=issue.public.get(contact.id, False))
        texts.append(f"{name} {day}" + (f" ({count} times)" if count > 1 else ""))
    return ("... " if len(runs) > len(shown) else "") + ", ".join(texts)


def _answers(issue: Issue, contacts: list[Event], now: int) -> str:
    answers = [answer for answer in issue.answers if answer.at <= now]
    if not answers:
        return "nobody has answered"
    last = answers[-1]
    if last.order < contacts[-1].order:
        return f"last answered by {last.channel} {_when(last.at)}, not since"
    return f"answered by {last.channel} {_when(last.at)}"


def _channel(channel: str, *, public: bool) -> str:
    name = channel.replace("_", " ")
    return f"public {'post' if channel == 'social' else name}" if public else name


@lru_cache(maxsize=8192)
def _day(at: int) -> str:
    moment = datetime.fromtimestamp(at / 1000, UTC)
    return f"{moment.day} {moment:%b}"


@lru_cache(maxsize=8192)
def _when(at: int) -> str:
    moment = datetime.fromtimestamp(at / 1000, UTC)
    return f"{moment.day} {moment:%b %H:%M}"


def _span(length: int) -> str:
    if length < HOUR:
        return f"{length // MINUTE} min"
    if length < 4 * DAY:
        return f"{length // HOUR} h"
    return f"{length // DAY} d"


def _ordinal(number: int) -> str:
    return f"{number}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(number if number < 20 else number % 10, 'th') }"
