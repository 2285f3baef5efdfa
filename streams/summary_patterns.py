"""What each pattern of a history means in this case, in words: how often, how long, since when."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from schemas.times import MINUTE, SECOND
from schemas.vocabulary import CHANNELS
from streams.event import Event
from streams.issue import Issue
from streams.patterns.company import first_seen
from streams.summary_words import day, on, ordinal, span, times, when

_LARGEST = 1e12
"""Numbers of a source that are larger than this are told as this."""


class View(NamedTuple):
    """An issue as it is seen at `now` (ms)."""

    issue: Issue
    now: int
    contacts: Sequence[Event]
    """The contacts by then, at least one."""
    answers: Sequence[Event]
    """The human answers by then."""

    def count(self, kind: str) -> int:
        """How many events of a kind there were by now."""
        return sum(1 for event in self.issue.events if event.kind == kind and event.at <= self.now)

    @property
    def channels(self) -> list[str]:
        """Those of the contacts, in order of first use."""
        return list(dict.fromkeys(contact.channel for contact in self.contacts))

    @property
    def canned(self) -> int:
        """How many replies came by now that no person wrote."""
        human = {answer.id for answer in self.answers}
        events = (event for event in self.issue.events if event.at <= self.now and event.id not in human)
        return sum(1 for event in events if event.kind in ("reply", "answered") and event.by_company)

    def largest(self, name: str) -> float:
        """The largest number that an event's `data` has under the name; 0 where none has one."""
        values = (event.data.get(name) for event in self.issue.events if event.at <= self.now)
        return min(max((value for value in values if isinstance(value, int | float)), default=0), _LARGEST)


def _went_public(view: View) -> str:
    public = [view.issue.public.get(contact.id, False) for contact in view.contacts]
    begun = public.index(False) if False in public else 0
    vent = next((place for place in range(begun, len(public)) if public[place]), len(public) - 1)
    return f"Went public after {span(view.contacts[vent].at - view.contacts[begun].at)}"


def _switched(view: View) -> str:
    return f"{ordinal(len(view.channels))} channel in {span(view.contacts[-1].at - view.contacts[0].at)}"


def _spreading(view: View) -> str:
    reach = round(view.largest("reach"))
    return f"A public post is spreading, seen by {reach:,}" if reach > 0 else "A public post is spreading"


def _lapsed(view: View) -> str:
    return f"Left without an answer for {span(view.now - view.contacts[-1].at)}"


def _ignored(view: View) -> str:
    first = view.contacts[0]
    answered = next((answer.at for answer in view.answers if answer.order > first.order), view.now)
    return f"No human answer for {span(answered - first.at)}"


def _broken_promise(view: View) -> str:
    due = [
        run.due
        for thread in view.issue.threads
        for run in thread.promises
        if run.due is not None and run.due <= view.now and (run.stop is None or run.stop > run.due)
    ]
    return f"A promise for {when(max(due))} was broken" if due else "A promise was broken"


def _reopened(view: View) -> str:
    reopened = sum(1 for event in view.issue.reopenings if event.at <= view.now)
    return f"Solved and reopened {times(reopened)}" if reopened else "Solved and reopened again and again"


def _repeat_contact(view: View) -> str:
    solved = [solve.at for solve in view.issue.solves if solve.at < view.contacts[-1].at]
    return f"Back after it was solved {day(solved[-1])}" if solved else "Had to come back"


def _handoff_dropped(view: View) -> str:
    for event in reversed(view.issue.events):
        if event.kind == "deflect" and event.at <= view.now and event.data.get("to") in CHANNELS:
            seen = first_seen(view.issue, event)
            if seen is None or seen.at > view.now:
                return f"Told to go on {on(event.data['to'])}, and nobody was seen there"
    return "A hand-off was dropped"


def _long_hold(view: View) -> str:
    longest = round(view.largest("waited_s") * SECOND)
    return f"Held in the queue for {span(longest)}" if longest >= MINUTE else "Held in the queue too long"


LEADS: dict[str, Callable[[View], str]] = {
    "went_public": _went_public,
    "spreading": _spreading,
    "lapsed": _lapsed,
    "ignored": _ignored,
    "broken_promise": _broken_promise,
    "deflection_loop": lambda view: f"Sent to another channel {times(view.count('deflect'))}",
    "reopened": _reopened,
    "third_channel": _switched,
    "channel_switch": _switched,
    "repeat_contact": _repeat_contact,
    "handoff_dropped": _handoff_dropped,
    "comp_in_place_of_fix": lambda _view: "Compensated, not fixed",
    "canned_only": lambda _view: "Only canned answers",
    "abandoned": lambda view: f"Gave up waiting {times(view.count('abandoned'))}",
    "long_hold": _long_hold,
    "passed_around": lambda view: f"Passed on to another team {times(view.count('transfer'))}",
    "public_argument": lambda _view: "An argument in public, without a solution",
    "self_service_failed": lambda _view: "Self-service failed first",
}
"""What is told first, in this order: the worst for the customer before what it came from."""

_TOLD_ANYWAY = {
    "third_channel": ("channel_switch", "went_public", "repeat_contact"),
    "channel_switch": ("third_channel", "repeat_contact"),
    "went_public": ("channel_switch", "third_channel", "repeat_contact"),
}
"""What a lead says, or the list of contacts beside it."""
_SHOWN_BY_ANSWERS = frozenset({"ignored", "lapsed", "canned_only"})
"""What the last part of the sentence says: who has answered."""


def lead_of(view: View, patterns: Sequence[str]) -> tuple[str, str]:
    """The pattern that is told first, and its words; ("", ...) where there is none."""
    if "third_channel" in patterns or ("channel_switch" in patterns and len(view.channels) > 2):
        return "third_channel", _switched(view)
    if "channel_switch" in patterns and "went_public" not in patterns and len(view.channels) > 1:
        return "channel_switch", _switched(view)
    for name, words in LEADS.items():
        if name in patterns:
            return name, words(view)
    return "", "Unresolved history"


def others(view: View, lead: str, patterns: Sequence[str], most: int) -> list[str]:
    """What else holds and is not told by the lead, the contacts or the answers: at most so many clauses."""
    told = {lead, *_TOLD_ANYWAY.get(lead, ())} | _SHOWN_BY_ANSWERS
    found = [words(view) for name, words in LEADS.items() if name in patterns and name not in told]
    return [text[:1].lower() + text[1:] for text in found[:most]]
