"""From when to when each of the contract's patterns (section 6) was true of a case, whether it was unresolved or not.

Told by one who saw the case whole, under the contract's defaults; written apart from the core.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import combinations, pairwise

from schemas.times import DAY, HOUR, MINUTE, SECOND, parse_time
from streams.simulation.cases import FOREVER, Case, Span
from streams.simulation.stories import Happening

WINDOW = REPEAT_WINDOW = 168 * HOUR
HANDOFF_WINDOW = 24 * HOUR
IGNORED_AFTER = 24 * HOUR
LAPSED_AFTER = 336 * HOUR
GRACE = 15 * MINUTE
LONG_HOLD = 30 * MINUTE
REACH = 10_000
CROWD = 5
QUEUES = ("phone", "chat")


@dataclass(slots=True)
class Others:
    """What others did: who wrote when on each public thread, and which answers were one text for many."""

    posts: dict[str, list[tuple[int, str]]] = field(default_factory=dict)
    templates: frozenset[str] = frozenset()
    """Ids of answers that went to many customers word for word."""


Holds = Iterator[Span]


def channels(case: Case, count: int) -> Holds:
    """Contact on `count` channels within a week."""
    contacts = case.contacts
    for last in contacts:
        if len({c.channel for c in contacts if last.at - WINDOW <= c.at and c.order <= last.order}) >= count:
            yield last.at, FOREVER


def went_public(case: Case, _others: Others) -> Holds:
    """A public contact after a private one."""
    contacts = case.contacts
    for place, contact in enumerate(contacts):
        if contact.public and any(not before.public for before in contacts[:place]):
            yield contact.at, FOREVER


def repeat_contact(case: Case, _others: Others) -> Holds:
    """Contacts on three conversations, as long as they are three; or a contact within a week after a solve."""
    solved = [happening for happening in case.happenings if happening.solves]
    for contact in case.contacts:
        if any(s.order < contact.order and contact.at - s.at <= REPEAT_WINDOW for s in solved):
            yield contact.at, FOREVER
    into: dict[str | None, str | None] = {}
    asked: set[str | None] = set()
    since: int | None = None
    for happening in case.happenings:
        thread = happening.thread
        while thread in into:
            thread = into[thread]
        if happening.kind == "contact":
            asked.add(thread)
        elif happening.kind == "merge":
            target: str | None = str(happening.data["into"])
            while target in into:
                target = into[target]
            if target != thread:
                into[thread] = target
                asked = {target if one == thread else one for one in asked}
        if len(asked) > 2 and since is None:
            since = happening.at
        elif len(asked) <= 2 and since is not None:
            yield since, happening.at
            since = None
    if since is not None:
        yield since, FOREVER


def reopened(case: Case, _others: Others) -> Holds:
    """Solved and reopened twice."""
    if len(case.reopened) > 1:
        yield case.reopened[1], FOREVER


def self_service_failed(case: Case, _others: Others) -> Holds:
    """A contact within a day after a search that found nothing."""
    for contact in case.contacts:
        if any(_before(search, contact) for search in case.searches):
            yield contact.at, FOREVER


def searches(case: Case) -> list[Happening]:
    """The failed searches that a contact came after within a day."""
    return [search for search in case.searches if any(_before(search, contact) for contact in case.contacts)]


def _before(search: Happening, contact: Happening) -> bool:
    return search.order < contact.order and contact.at - search.at <= DAY


def spreading(case: Case, others: Others) -> Holds:
    """A public contact that many people see, or one of a crowd within a day."""
    for contact in case.contacts:
        if not contact.public:
            continue
        if contact.data.get("reach", 0) >= REACH:
            yield contact.at, FOREVER
        posts = sorted(others.posts.get(contact.thread or "", ()))
        for at, _ in posts:
            if contact.at <= at <= contact.at + DAY and len({who for w, who in posts if at - DAY <= w <= at}) >= CROWD:
                yield at, FOREVER
                break


def _seen(case: Case, deflect: Happening, *, privately: bool = False) -> int | None:
    """When somebody but a peer was first seen, in time, on the channel that the customer was sent to."""
    return next(
        (
            h.at
            for h in case.happenings
            if h.channel == deflect.data.get("to") and h.by != "peer" and not (privately and h.public)
            if deflect.order < h.order and h.at <= deflect.at + HANDOFF_WINDOW
        ),
        None,
    )


def _deflections(case: Case) -> list[tuple[Happening, int]]:
    """Each deflection, and until when it was one: from when on it proved to be a hand-off."""
    found = []
    for happening in case.happenings:
        if happening.kind == "deflect":
            seen = _seen(case, happening, privately=True) if happening.public else None
            found.append((happening, FOREVER if seen is None else seen))
    return found


def deflection_loop(case: Case, _others: Others) -> Holds:
    """Two deflections within a week that were no hand-offs."""
    for (one, one_until), (other, other_until) in combinations(_deflections(case), 2):
        if abs(other.at - one.at) <= WINDOW:
            yield max(one.at, other.at), min(one_until, other_until)


def handoff_dropped(case: Case, _others: Others) -> Holds:
    """Sent to a channel where nobody was seen for a day."""
    for happening in case.happenings:
        if happening.kind == "deflect" and _seen(case, happening) is None:
            yield happening.at + HANDOFF_WINDOW, FOREVER


def broken_promise(case: Case, _others: Others) -> Holds:
    """Due, and neither kept nor made superfluous by an answer or a solve."""
    for promise in case.happenings:
        if promise.kind != "promise":
            continue
        due = parse_time(promise.data["due_at"]) + GRACE
        thread = promise.thread or ""
        after = [h for h in case.happenings if h.order > promise.order and h.at <= due]
        relieved = any(h.human and h.at > promise.at for h in after)
        relieved |= any(h.kind == "promise_kept" and _one(case, h.thread, thread) for h in after)
        relieved |= any(promise.at <= at <= due and thread in settled for at, settled in case.settled)
        if not relieved:
            yield due, FOREVER


def _one(case: Case, thread: str | None, other: str) -> bool:
    return thread is not None and case.threads[thread].root is case.threads[other].root


def comp_in_place_of_fix(case: Case, _others: Others) -> Holds:
    """A voucher, no solve, and the customer was back within a week."""
    gift: Happening | None = None
    for happening in case.happenings:
        if happening.kind == "compensate":
            gift = happening
        elif happening.solves:
            gift = None
        elif gift and happening.kind == "contact" and happening.at - gift.at <= REPEAT_WINDOW:
            yield happening.at, FOREVER


def canned_only(case: Case, others: Others) -> Holds:
    """Two answers of the company or more, and none of them in somebody's own words yet."""
    machines: list[int] = []
    for happening in case.happenings:
        if not happening.by_company or happening.kind not in ("reply", "answered"):
            continue
        if happening.human and happening.id not in others.templates:
            if len(machines) > 1:
                yield machines[1], happening.at
            return
        machines.append(happening.at)
    if len(machines) > 1:
        yield machines[1], FOREVER


def ignored(case: Case, _others: Others) -> Holds:
    """A day since the first contact without a human answer anywhere."""
    first = next(iter(case.contacts), None)
    if first is not None:
        answers = [h.at for h in case.happenings if h.human and h.order > first.order]
        yield first.at + IGNORED_AFTER, min(answers, default=FOREVER)


def abandoned(case: Case, _others: Others) -> Holds:
    """Hung up twice within a week."""
    times = [happening.at for happening in case.happenings if happening.kind == "abandoned"]
    for one, other in pairwise(times):
        if other - one <= WINDOW:
            yield other, FOREVER


def long_hold(case: Case, _others: Others) -> Holds:
    """Half an hour in a queue; while it lasts, where the source tells that somebody is waiting."""
    for thread in case.threads:
        begun: Happening | None = None
        for happening in (h for h in case.happenings if h.thread == thread and h.channel in QUEUES):
            if happening.kind == "contact":
                begun = begun or happening
            elif begun is not None and (happening.human or happening.solves or happening.kind == "abandoned"):
                told = happening.data.get("waited_s")
                waited = happening.at - begun.at if told is None else int(told * SECOND)
                if waited >= LONG_HOLD:
                    queued = begun.data.get("queued", False)
                    yield min(begun.at + LONG_HOLD, happening.at) if queued else happening.at, FOREVER
                begun = None
        if begun is not None and begun.data.get("queued"):
            yield begun.at + LONG_HOLD, FOREVER


def passed_around(case: Case, _others: Others) -> Holds:
    """Handed on three times."""
    times = [happening.at for happening in case.happenings if happening.kind == "transfer"]
    if len(times) > 2:
        yield times[2], FOREVER


def public_argument(case: Case, _others: Others) -> Holds:
    """Three answers on one public thread without a solve or a hand-off between them."""
    handed = {deflect.id: until for deflect, until in _deflections(case) if until < FOREVER}
    for thread in (thread for thread in case.threads.values() if thread.public):
        mine = [h for h in case.happenings if h.thread == thread.id]
        ends = {at for at, settled in case.settled if thread.id in settled}
        ends |= {handed[h.id] for h in mine if h.id in handed}
        count, until = 0, -FOREVER
        for reply in (h for h in mine if h.kind == "reply" and h.human):
            if reply.at > until:
                count, until = 0, min((end for end in ends if end >= reply.at), default=FOREVER)
            count += 1
            if count == 3:
                yield reply.at, until


def lapsed(case: Case, _others: Others) -> Holds:
    """Two weeks of silence after a contact that no human ever answered."""
    contacts = case.contacts
    for place, contact in enumerate(contacts):
        following = contacts[place + 1].at if place + 1 < len(contacts) else FOREVER
        answers = [h.at for h in case.happenings if h.human and h.order > contact.order]
        yield contact.at + LAPSED_AFTER, min([following, *answers])


HOLDS: dict[str, Callable[[Case, Others], Holds]] = {
    "channel_switch": lambda case, _: channels(case, 2),
    "third_channel": lambda case, _: channels(case, 3),
    "went_public": went_public,
    "repeat_contact": repeat_contact,
    "reopened": reopened,
    "deflection_loop": deflection_loop,
    "handoff_dropped": handoff_dropped,
    "broken_promise": broken_promise,
    "comp_in_place_of_fix": comp_in_place_of_fix,
    "canned_only": canned_only,
    "ignored": ignored,
    "abandoned": abandoned,
    "long_hold": long_hold,
    "passed_around": passed_around,
    "public_argument": public_argument,
    "spreading": spreading,
    "lapsed": lapsed,
    "self_service_failed": self_service_failed,
}
"""Pattern -> the spans [from, to) in ms in which it was true; those that are empty or out of order are none."""


def shown(case: Case, others: Others, end: int) -> dict[str, int]:
    """The patterns that held while the case was unresolved, up to `end` (ms), and since when each did first."""
    found: dict[str, int] = {}
    for name, holds in HOLDS.items():
        begun = [
            max(start, since)
            for start, until in holds(case, others)
            for since, resolved in case.unresolved
            if max(start, since) < min(until, resolved)
        ]
        if begun and min(begun) <= end:
            found[name] = min(begun)
    return found
