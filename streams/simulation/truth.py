"""The truth of a simulated company: each problem of each customer, and which patterns held for it.

Told by one who saw it whole, without lateness, duplicates or doubt about who is who; written apart from the core,
so that the two can be held against each other.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from schemas.times import DAY
from streams.simulation.cases import Case, cases_of
from streams.simulation.holds import CROWD, Others, searches, shown
from streams.simulation.line import StoryTruth
from streams.simulation.people import KIOSK, PLACEHOLDERS, Person
from streams.simulation.stories import Happening, Story

TEXT_MIN = 20
"""Letters, with the spaces between words, from which on the same text to many customers is a template."""


def tell_all(stories: Iterable[Story], end: int) -> Iterator[StoryTruth]:
    """What was true, up to `end` (ms), of each problem in which a customer made contact; customer by customer."""
    by_person: dict[str, list[Story]] = defaultdict(list)
    for story in stories:
        by_person[story.person.customer_id].append(story)
    others = others_of({name: _all(told) for name, told in by_person.items()})
    for told in by_person.values():
        yield from tell(told, others, end)


def tell(stories: Sequence[Story], others: Others, end: int) -> Iterator[StoryTruth]:
    """The truth of one customer's problems, given all stories of theirs."""
    person, happenings = stories[0].person, _all(stories)
    difficulties = {thread.id: story.difficulty for story in stories for thread in story.threads}
    topics = {thread.id: story.topic for story in stories for thread in story.threads}
    groups = _joined(person, happenings)
    cases = cases_of(happenings, topics)
    clear = not person.shares_phone and not person.mistaken
    for case in cases:
        contacts = case.contacts
        if not contacts:
            continue
        since = shown(case, others, end)
        kin = [
            other for other in cases if other.topic == case.topic
        ]  # who misses a part of one, may join it to another
        yield StoryTruth(
            customer_id=person.customer_id,
            identities=person.identities(),
            topic=case.topic,
            difficulty=difficulties[contacts[0].thread or ""],
            threads=tuple(dict.fromkeys((c.thread, c.channel) for c in contacts if c.thread)),
            first_contact_at=contacts[0].at,
            solved_at=case.solved_at if (case.solved_at or 0) <= end else None,
            joined=clear and _is_one(kin, groups),
            since=dict(sorted(since.items())),
        )


def _all(stories: Iterable[Story]) -> list[Happening]:
    return [happening for story in stories for happening in story.happenings]


def others_of(by_customer: Mapping[str, Sequence[Happening]]) -> Others:
    """What a customer's own history cannot tell, from everybody's."""
    posts: dict[str, list[tuple[int, str]]] = defaultdict(list)
    texts: dict[str, list[tuple[int, str, str]]] = defaultdict(list)
    for customer, happenings in by_customer.items():
        for happening in happenings:
            if happening.kind == "contact" and happening.public and happening.thread:
                posts[happening.thread].append((happening.at, customer))
            elif happening.kind == "reply" and happening.by == "agent" and _tells(happening.text or ""):
                texts[happening.text or ""].append((happening.at, customer, happening.id))
    templates = {id_ for sent in texts.values() for id_ in _templates(sorted(sent))}
    return Others(dict(posts), frozenset(templates))


def _tells(text: str) -> bool:
    """Long enough to tell a form letter from a few words that anybody writes."""
    return len(" ".join("".join(c if c.isalpha() else " " for c in text).split())) >= TEXT_MIN


def _templates(sent: Sequence[tuple[int, str, str]]) -> Iterator[str]:
    """Of one text: the answers that lie in a day in which it went to many customers."""
    within: Counter[str] = Counter()
    first = told = 0
    for last, (at, customer, _) in enumerate(sent):
        within[customer] += 1
        while sent[first][0] < at - DAY:
            within[sent[first][1]] -= 1
            first += 1
        if len(+within) >= CROWD:
            yield from (id_ for _, _, id_ in sent[max(first, told) : last + 1])
            told = last + 1


def _joined(person: Person, happenings: Iterable[Happening]) -> list[set[str]]:
    """The identities of a customer, those together that events or links tell to be one person's."""
    groups = [{f"{kind}:{value}", f"customer_id:{person.customer_id}"} for kind, value in person.links]
    for happening in happenings:
        names = {name for name in happening.identities if not _says_nothing(name)}
        if not happening.public and happening.thread:
            names.add(f"thread:{happening.thread}")
        if names:
            groups.append(names)
    joined: list[set[str]] = []
    for group in groups:
        touching = [other for other in joined if other & group]
        joined = [other for other in joined if not other & group]
        joined.append(group.union(*touching))
    return joined


def _says_nothing(name: str) -> bool:
    """True for what is written in place of a number, and for a shop's telephone."""
    value = name.partition(":")[2]
    return value in PLACEHOLDERS or value.startswith(KIOSK)


def _is_one(cases: Iterable[Case], groups: Iterable[set[str]]) -> bool:
    """True where the input ties all conversations of the cases together, and the searches that came before them."""
    happenings = [happening for case in cases for happening in case.happenings + searches(case)]
    names = {name for happening in happenings for name in happening.identities}
    names |= {f"thread:{happening.thread}" for happening in happenings if happening.thread and not happening.public}
    return sum(1 for group in groups if group & names) == 1
