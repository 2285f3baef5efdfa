"""The answer in plain words: what happens to people if they switch from A to B."""

from collections.abc import Iterator
from zoneinfo import ZoneInfo

from schemas.times import DAY, HOUR, MINUTE, SECOND
from streams.policy_diff.compare import Diff
from streams.policy_diff.people import Load, local
from streams.policy_diff.rows import median

_SAME = {"escalations": "escalation", "pages": "page", "breaches": "breach"}
ROLES_TOLD = 4
"""Roles that have a sentence of their own; the table has all."""


def headlines(diff: Diff) -> list[str]:
    """Sentences, the most important first. A is the old policy, B the new one."""
    totals = diff.totals()
    if not diff.differs:
        same = (count(totals[name][0], noun) for name, noun in _SAME.items())
        return [f"Nothing changes: {', '.join(same)} under both."]
    return [*_people(diff), *_breaches(diff), *_escalations(diff), *_set_aside(diff)]


def count(number: int, noun: str) -> str:
    """`1 page`, `1,204 pages`, `2 breaches`."""
    plural = f"{noun}es" if noun.endswith("ch") else f"{noun}s"
    return f"{number:,} {noun if number == 1 else plural}"


def span(duration: int) -> str:
    """A duration (ms) in its two largest units: `2 d 4 h`, `45 min`."""
    for unit, name, smaller, small in ((DAY, "d", HOUR, "h"), (HOUR, "h", MINUTE, "min"), (MINUTE, "min", SECOND, "s")):
        if duration >= unit:
            part = duration % unit // smaller
            return f"{duration // unit} {name}" + (f" {part} {small}" if part else "")
    return f"{duration // SECOND} s"


def moment(at: int, zone: ZoneInfo) -> str:
    """An instant (ms) as `Mon 2 Feb 14:00`, in the zone."""
    there = local(at, zone)
    return f"{there:%a} {there.day} {there:%b %H:%M}"


def _people(diff: Diff) -> Iterator[str]:
    moved = [(role, load) for role, load in diff.roles.items() if load.change]
    for role, load in moved[:ROLES_TOLD]:
        yield f"{_more(load.change, 'page')} for {role} ({_from_to(*load.pages)}); {_peak(load, diff.zone)}."
    if len(moved) > ROLES_TOLD:
        yield f"Pages change for {count(len(moved) - ROLES_TOLD, 'more role')}."
    if not moved:
        yield f"Nobody gets more or fewer pages: {diff.everybody.pages[1]:,} under both."
    night = diff.everybody.night
    if night[0] != night[1]:
        yield f"{_more(night[1] - night[0], 'page')} at night, 22:00 to 06:00 ({_from_to(*night)})."
    grouped = diff.totals()["notifications"]
    if grouped[0] != grouped[1]:
        yield f"Grouped, as pagers ring: {_more(grouped[1] - grouped[0], 'notification')} ({_from_to(*grouped)})."


def _peak(load: Load, zone: ZoneInfo) -> str:
    """`busiest hour Mon 2 Feb 14:00 from 61 to 38`."""
    old, new = load.peak
    if old is None or new is None:
        one = old or new
        if one is None:
            return "no busiest hour"
        return f"busiest hour {moment(one.hour, zone)} " + (f"from {one.pages:,} to 0" if old else f"has {one.pages:,}")
    if old.hour == new.hour:
        change = f"stays at {old.pages:,}" if old.pages == new.pages else f"from {_from_to(old.pages, new.pages)}"
        return f"busiest hour {moment(old.hour, zone)} {change}"
    return f"busiest hour from {old.pages:,} ({moment(old.hour, zone)}) to {new.pages:,} ({moment(new.hour, zone)})"


def _breaches(diff: Diff) -> Iterator[str]:
    found = diff.breaches
    told = []
    if found.only_new:
        told.append(f"{count(found.only_new, 'breach')} that A misses")
    if found.only_old:
        told.append(f"{found.only_old:,} that only A sees")
    if told:
        yield f"{'; '.join(told)} ({_from_to(found.old, found.new)} in all)."


def _escalations(diff: Diff) -> Iterator[str]:
    total = diff.found.total
    changes, shifts = total.changes, diff.found.shifts
    told = []
    for change, word in _WORDS.items():
        number = changes[change]
        if number:
            middle = median(shifts.get(change, ()))
            told.append(f"{number:,} {word}" + (f" (median {span(middle)})" if middle is not None else ""))
    if told:
        told.append(f"{diff.found.same:,} stay as they are")
        yield f"Escalations: {', '.join(told)} ({_from_to(total.old, total.new)})."


_WORDS = {
    "appears": "appear",
    "vanishes": "vanish",
    "earlier": "come earlier",
    "later": "come later",
    "higher": "become more severe",
    "lower": "become less severe",
    "rerouted": "reach other roles",
    "reasons": "have other patterns",
}


def _set_aside(diff: Diff) -> Iterator[str]:
    old, new = (sum(side.dead.values()) for side in (diff.old, diff.new))
    if old != new:
        yield f"Lines set aside as not usable: {_from_to(old, new)}."
    orders = [side.dead.get("unknown_escalation", 0) for side in (diff.old, diff.new)]
    if any(orders):
        yield (
            f"Commands that found no open escalation to act on: {orders[0]:,} under A, {orders[1]:,} under B; "
            "nobody acknowledges there, so its pages are counted too high."
        )


def _more(change: int, noun: str) -> str:
    """`412 fewer pages`."""
    number, _, noun = count(abs(change), noun).partition(" ")
    return f"{number} {'more' if change > 0 else 'fewer'} {noun}"


def _from_to(old: int, new: int) -> str:
    return f"{old:,} to {new:,}"
