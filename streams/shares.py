"""What a customer tells of itself to gatherings, and what it makes of their answers: one function each way.

A gathering has a key: `crowd/<thread>` for contacts on a public thread, `canned/<digest>` for replies with one text.
"""

from collections.abc import Iterable

from streams.event import Event
from streams.gathering import ITEMS_MAX, KEPT_FOR, Item, View
from streams.history import is_contact
from streams.log import Log
from streams.patterns import Outside
from streams.policy import Policy

CROWD, CANNED = "crowd", "canned"


def shares(log: Log, policy: Policy, now: int) -> dict[str, tuple[Item, ...]]:
    """By gathering what of the log counts there at `now` (ms), oldest first; nothing where no pattern asks for it."""
    since = now - KEPT_FOR
    found: dict[str, list[Item]] = {}
    contacts: list[Event] = []
    public: set[str] = set()
    canned, crowds = "canned_only" in policy.patterns, "spreading" in policy.patterns
    for event in log:
        if event.digest is not None:
            if canned and event.at >= since:
                found.setdefault(f"{CANNED}/{event.digest}", []).append((event.at, event.id))
        elif event.thread is not None and crowds:
            if policy.is_public(event.channel) if event.public is None else event.public:
                public.add(event.thread)
            if event.at >= since and is_contact(event):
                contacts.append(event)
    for event in contacts:
        if event.thread in public:
            found.setdefault(f"{CROWD}/{event.thread}", []).append((event.at, event.id))
    return {key: tuple(items[-ITEMS_MAX:]) for key, items in found.items()}


def is_old(items: Iterable[Item], now: int) -> bool:
    """True where none of these counts any more."""
    return all(at < now - KEPT_FOR for at, _ in items)


def holds(outside: Outside, key: str, items: Iterable[Item]) -> bool:
    """True where the customer knows something by the gathering `key`, to which these are its own."""
    kind, _, name = key.partition("/")
    if kind == CROWD:
        return name in outside.crowds
    return not outside.canned.isdisjoint(id_ for _, id_ in items)


def learned(outside: Outside, key: str, items: Iterable[Item], view: View, now: int) -> Outside:
    """What the customer knows after an answer to these `items`. What is too old to count stays as it was."""
    kind, _, name = key.partition("/")
    if kind == CANNED:
        return Outside(outside.crowds, outside.canned.difference(id_ for _, id_ in items) | frozenset(view))
    old = {contact for contact in outside.crowds.get(name, ()) if contact[0] < now - KEPT_FOR}
    contacts = sorted(old | {(at, who) for at, who in view})
    crowds = {thread: known for thread, known in outside.crowds.items() if thread != name}
    if contacts:
        crowds[name] = contacts
    return Outside(crowds, outside.canned)
