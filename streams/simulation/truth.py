"""The truth of a story: which of the contract's patterns held, told by one who saw it whole.

Judged from the story's own events in their true order, without lateness, duplicates or doubt about who is
who; written apart from the core, so that the two can be held against each other.
"""

from collections.abc import Sequence

from schemas.times import DAY, HOUR, MINUTE, SECOND, parse_time
from streams.simulation.line import StoryTruth
from streams.simulation.stories import Happening, Story

WINDOW = 168 * HOUR
HANDOFF_WINDOW = 24 * HOUR
IGNORED_AFTER = 24 * HOUR
GRACE = 15 * MINUTE
LONG_HOLD_S = 30 * MINUTE // SECOND
REACH = 10_000


def tell(story: Story, end: int) -> StoryTruth:
    """The truth of a story with at least one contact, up to `end` (ms)."""
    person, happenings = story.person, story.happenings
    contacts = [happening for happening in happenings if happening.kind == "contact"]
    return StoryTruth(
        customer_id=person.customer_id,
        identities=person.identities(),
        topic=story.topic,
        difficulty=story.difficulty,
        threads=tuple(dict.fromkeys((h.thread, h.channel) for h in contacts if h.thread)),
        first_contact_at=contacts[0].at,
        solved_at=_solved_at(happenings),
        joined=_joined(story) and not person.shares_phone,
        patterns=tuple(sorted(patterns_of(happenings, end) | ({"spreading"} if story.in_crowd else set()))),
    )


def patterns_of(happenings: Sequence[Happening], end: int) -> set[str]:
    """The patterns that held at some instant before `end`."""
    return (
        _by_contacts(happenings)
        | _by_answers(happenings, end)
        | _by_counts(happenings)
        | _by_time(happenings, end)
        | _by_waiting(happenings)
    )


def _solved_at(happenings: Sequence[Happening]) -> int | None:
    """When the story was solved for good; None where it is open at the end."""
    solved = None
    for happening in happenings:
        if _solves(happening):
            solved = happening.at if solved is None else solved
        elif happening.kind == "contact":
            solved = None
    return solved


def _solves(happening: Happening) -> bool:
    return happening.kind == "confirmed" or (
        happening.kind == "status" and happening.data.get("status") in ("solved", "closed")
    )


def _joined(story: Story) -> bool:
    """True where the events and links of the story tie all of its threads together."""
    person = story.person
    groups = [{f"{kind}:{value}", f"customer_id:{person.customer_id}"} for kind, value in person.links]
    for happening in story.happenings:
        names = {name for name in happening.identities if not name.endswith(":anonymous")}
        if not happening.public and happening.thread:
            names.add(f"thread:{happening.thread}")
        if names:
            groups.append(names)
    joined: list[set[str]] = []
    for group in groups:
        touching = [other for other in joined if other & group]
        joined = [other for other in joined if not other & group]
        joined.append(group.union(*touching))
    needed = [group for group in joined if any(_in_story(name, story) for name in group)]
    return len(needed) == 1


def _in_story(name: str, story: Story) -> bool:
    return any(
        name in happening.identities or (not happening.public and name == f"thread:{happening.thread}")
        for happening in story.happenings
    )


def _by_contacts(happenings: Sequence[Happening]) -> set[str]:
    found: set[str] = set()
    contacts: list[Happening] = []
    solved_at: int | None = None
    reopened = 0
    for happening in happenings:
        if _solves(happening):
            solved_at = happening.at
        elif happening.kind == "contact":
            if solved_at is not None:
                reopened += any(c.thread == happening.thread for c in contacts)
                found.add("repeat_contact")
                solved_at = None
            if any(not earlier.public for earlier in contacts) and happening.public:
                found.add("went_public")
            contacts.append(happening)
            recent = {c.channel for c in contacts if happening.at - c.at <= WINDOW}
            found |= {"channel_switch"} if len(recent) > 1 else set()
            found |= {"third_channel"} if len(recent) > 2 else set()  # the contract's count
            found |= {"spreading"} if happening.public and happening.data.get("reach", 0) >= REACH else set()
            found |= {"repeat_contact"} if len({c.thread for c in contacts}) > 2 else set()
    if reopened > 1:
        found.add("reopened")
    failed = [h.at for h in happenings if h.kind == "self_service_failed"]
    if any(0 <= contact.at - at <= DAY for at in failed for contact in contacts):
        found.add("self_service_failed")
    return found


def _by_answers(happenings: Sequence[Happening], end: int) -> set[str]:
    found: set[str] = set()
    responses = machine = 0
    compensated = False
    for happening in happenings:
        if happening.by_company and happening.kind in ("reply", "answered"):
            responses += 1
            machine += not happening.human
        if responses > 1 and machine == responses and not _solved_at_once(happening, happenings):
            found.add("canned_only")
        if happening.kind == "compensate":
            compensated = True
        elif _solves(happening):
            compensated = False
        elif happening.kind == "contact" and compensated:
            found.add("comp_in_place_of_fix")
    first = next(h.at for h in happenings if h.kind == "contact")
    relief = min((h.at for h in happenings if (h.human or _solves(h)) and h.at >= first), default=end + 1)
    if relief > first + IGNORED_AFTER and first + IGNORED_AFTER < end:
        found.add("ignored")
    return found


def _solved_at_once(happening: Happening, happenings: Sequence[Happening]) -> bool:
    """True where a solve of the same instant leaves no time in which anything could hold."""
    return any(_solves(other) and other.at == happening.at for other in happenings)


def _by_counts(happenings: Sequence[Happening]) -> set[str]:
    found: set[str] = set()
    for kind, count, name in (("abandoned", 2, "abandoned"), ("transfer", 3, "passed_around")):
        if sum(h.kind == kind for h in happenings) >= count:
            found.add(name)
    if sum(h.kind == "deflect" and not _handed_off(h, happenings) for h in happenings) > 1:
        found.add("deflection_loop")
    replies: dict[str | None, int] = {}
    for happening in happenings:
        if happening.public and happening.kind == "reply" and happening.human:
            replies[happening.thread] = replies.get(happening.thread, 0) + 1
            if replies[happening.thread] > 2:  # the contract's count
                found.add("public_argument")
        elif happening.public and (_solves(happening) or happening.kind == "deflect"):
            replies[happening.thread] = 0
    return found


def _handed_off(deflect: Happening, happenings: Sequence[Happening]) -> bool:
    return deflect.public and _seen(deflect, happenings)


def _seen(deflect: Happening, happenings: Sequence[Happening]) -> bool:
    """True where somebody appeared in time on the channel that the customer was sent to."""
    return any(
        h.channel == deflect.data.get("to") and deflect.at < h.at <= deflect.at + HANDOFF_WINDOW for h in happenings
    )


def _by_time(happenings: Sequence[Happening], end: int) -> set[str]:
    found: set[str] = set()
    for index, happening in enumerate(happenings):
        after = happenings[index + 1 :]
        if happening.kind == "deflect":
            over = happening.at + HANDOFF_WINDOW
            solved = any(_solves(h) and h.at <= over for h in after)
            if over < end and not solved and not _seen(happening, happenings):
                found.add("handoff_dropped")
        elif happening.kind == "promise":
            due = parse_time(happening.data["due_at"]) + GRACE
            relieved = any(h.at <= due and (h.human or h.kind == "promise_kept" or _solves(h)) for h in after)
            if due < end and not relieved:
                found.add("broken_promise")
    return found


def _by_waiting(happenings: Sequence[Happening]) -> set[str]:
    held = [h for h in happenings if h.kind in ("answered", "abandoned") and h.channel in ("phone", "chat")]
    waited = [h.data.get("waited_s", 0) for h in held]
    for happening in happenings:
        if happening.kind == "answered" and happening.channel == "chat":
            begun = max((h.at for h in happenings if h.thread == happening.thread and h.kind == "contact"), default=0)
            waited.append((happening.at - begun) // SECOND)
    return {"long_hold"} if any(wait >= LONG_HOLD_S for wait in waited) else set()
