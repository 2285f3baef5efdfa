"""What a customer was told of others, as it is stored and as it moves with the history."""

from collections.abc import Collection
from typing import Any

from streams.log import Log
from streams.patterns import NOWHERE, Outside


def united(mine: Outside, other: Outside, but: Collection[str]) -> Outside:
    """What two customers who are one now were told, without those contacts that are their own."""
    if other == NOWHERE and not mine.crowds:
        return mine
    crowds = {}
    for thread in mine.crowds.keys() | other.crowds.keys():
        contacts = {*mine.crowds.get(thread, ()), *other.crowds.get(thread, ())}
        others = sorted(contact for contact in contacts if contact[1] not in but)
        if others:
            crowds[thread] = others
    return Outside(crowds, mine.canned | other.canned)


def about(outside: Outside, log: Log) -> Outside:
    """What of it is about the events of this log."""
    if outside == NOWHERE:
        return outside
    threads = {event.thread for event in log}
    crowds = {thread: contacts for thread, contacts in outside.crowds.items() if thread in threads}
    return Outside(crowds, frozenset(id_ for id_ in outside.canned if id_ in log))


def encode_outside(outside: Outside) -> dict[str, Any]:
    """As a JSON object."""
    crowds = {thread: [list(contact) for contact in contacts] for thread, contacts in sorted(outside.crowds.items())}
    return {"crowds": crowds, "canned": sorted(outside.canned)}


def decode_outside(stored: dict[str, Any]) -> Outside:
    """What `encode_outside` stored."""
    crowds = {thread: [(at, who) for at, who in contacts] for thread, contacts in stored["crowds"].items()}
    return Outside(crowds, frozenset(stored["canned"]))
