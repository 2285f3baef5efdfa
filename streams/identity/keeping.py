"""Lets go what a customer, or an identity, has known longest where it knows too much (`bounds`), and counts it.

A thread that is let go is nobody's again, as after a split; so only one that no event of the log carries. What else is
let go is asked anew, or taken anew, should it ever come again: `docs/identity.md` says what each of them means.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from schemas.codec import dumps
from streams.identity import bounds
from streams.identity.history import Carried
from streams.identity.links import CustomerLinks
from streams.identity.messages import Outgoing, counted, to_identity
from streams.identity.pairs import LINKED, Assertion, Pair

Log = Callable[[], Iterable[Carried]]
UNMEASURED = 20
"""So few entries are never too many, and so many more are not measured again."""
LOG_UNREAD = 100
"""Likewise where the whole log is to be read for it."""
KEPT = 0.75
"""What is left of that which was too much, so that it is not measured for nothing each time."""


def keep_small(links: CustomerLinks, log: Log) -> list[Outgoing]:
    """Lets go what is too much, in place; what to send. `log` gives what the events of the log carry."""
    if links.alias_of is not None or links.forgotten:
        return []
    gone = {
        "link_records": _shorten(links, "pairs", bounds.PAIRS_BYTES_MAX, _by_need(links)),
        "refusals": _shorten(links, "refused", bounds.REFUSED_BYTES_MAX),
        "ties": _shorten(links, "ties", bounds.TIES_BYTES_MAX),
        "marks": _shorten(links, "heard", bounds.HEARD_BYTES_MAX),
        "aliases": _shorten(links, "aliases", bounds.ALIASES_BYTES_MAX),
        "placements": _let_go_placements(links, log),
    }
    _first(links.taken, len(links.taken) - bounds.TAKEN_MAX)
    del links.parts[: max(0, len(links.parts) - bounds.TAKEN_MAX)]
    threads = _let_go_threads(links, log)
    gone["threads"] = len(threads)
    return threads + [counted(f"{what}_let_go", number) for what, number in gone.items() if number]


def keep_pairs_small(pairs: dict[str, Assertion]) -> int:
    """Lets go what link records say about one identity, by the other; how many. Unlinks, which forbid, go last."""
    order = sorted(pairs, key=lambda other: (pairs[other].state != LINKED, pairs[other].at))
    return _cut(pairs, bounds.PAIRS_BYTES_MAX, lambda: order) if len(pairs) > UNMEASURED else 0


def _shorten(links: CustomerLinks, name: str, most: int, order: Callable[[], Iterable[Any]] | None = None) -> int:
    entries: dict[Any, Any] = getattr(links, name)
    if len(entries) <= links.looked.get(name, UNMEASURED):
        return 0
    gone = _cut(entries, most, order)
    links.looked[name] = len(entries) + UNMEASURED
    return gone


def _cut(entries: dict[Any, Any], most: int, order: Callable[[], Iterable[Any]] | None = None) -> int:
    """Takes entries away, in this order or the oldest first, where they take more than `most` bytes; how many."""
    if len(entries) <= UNMEASURED:
        return 0
    room = sum(_room(key, value) for key, value in entries.items())
    if room <= most:
        return 0
    before = len(entries)
    for key in list(order() if order is not None else entries):
        if room <= KEPT * most:
            break
        room -= _room(key, entries.pop(key))
    return before - len(entries)


def _room(key: str | tuple[str, ...], value: object) -> int:
    return len(
        dumps([list(key) if isinstance(key, tuple) else key, list(value) if isinstance(value, tuple) else value])
    )


def _first(entries: dict[str, None], number: int) -> None:
    for key in list(islice(entries, max(number, 0))):
        del entries[key]


def _by_need(links: CustomerLinks) -> Callable[[], Iterator[Pair]]:
    """First those that neither join two members nor keep them apart, then the oldest."""

    def order() -> Iterator[Pair]:
        known: Mapping[Pair, Assertion] = links.pairs
        members = links.members.keys()
        yield from sorted(known, key=lambda pair: (members >= set(pair), known[pair].at))

    return order


def _let_go_placements(links: CustomerLinks, log: Log) -> int:
    if len(links.placements) <= links.looked.get("placements", UNMEASURED):
        return 0
    held = {event.id for event in log()}
    others = {id_: placement for id_, placement in links.placements.items() if id_ not in held}
    kept = dict(others)
    gone = _cut(kept, bounds.PLACEMENTS_BYTES_MAX)
    for id_ in others.keys() - kept.keys():
        del links.placements[id_]
    links.looked["placements"] = len(links.placements) + LOG_UNREAD
    return gone


def _let_go_threads(links: CustomerLinks, log: Log) -> list[Outgoing]:
    """As a split does with a thread that nothing speaks of any more. Not while another decides with what we are."""
    if links.locked is not None or len(links.members) <= links.looked.get("members", UNMEASURED):
        return []
    threads = {identity: member for identity, member in links.members.items() if identity.startswith("thread:")}
    spoken_of = _spoken_of(links, log)
    kept = {identity: member for identity, member in threads.items() if identity not in spoken_of}
    gone = dict(kept)
    _cut(kept, bounds.THREADS_BYTES_MAX)
    out = []
    for identity in gone.keys() - kept.keys():
        member = links.members.pop(identity)
        out.append(to_identity("relabel", identity, c=None, n=member.number + 1))
    links.looked["members"] = len(links.members) + LOG_UNREAD
    return sorted(out, key=lambda message: message.key)


def _spoken_of(links: CustomerLinks, log: Log) -> Collection[str]:
    found = {links.born_with, *(identity for event in log() for identity in event.identities)}
    found |= {identity for pair in links.linked() for identity in pair}
    found |= {identity for tie in links.ties for identity in tie}
    found |= {placement.identity for placement in links.placements.values()}
    for task in links.todo:
        found |= {str(task.get("a")), *task.get("n", ()), *task.get("x", ())}
    return found
