"""Finding one customer in recorded input, and replaying the input for that customer alone.

The first pass only tells who is who; the second one settles no customer but those whose history became the
customer's. So half a year of a city is asked about in little more time than it takes to read.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from difflib import get_close_matches

from schemas.identity import Identity, mask, parse_identity
from streams.customer import Customer
from streams.explain.identities import Change, Joined
from streams.identity import changes
from streams.policy import Policy, PolicyHistory
from streams.population import Population
from streams.reconcile import Record
from streams.replay import Line, Outcome, Replay

Lines = Callable[[], Iterable[Line]]
"""The input, from the beginning each time that it is called."""
CLOSE = 5
"""How many names that are like an unknown one are told."""


@dataclass(frozen=True, slots=True)
class Answer:
    """All that is known of one customer: what `story` takes."""

    customer: Customer
    aliases: tuple[str, ...]
    policies: PolicyHistory
    records: list[Record]
    changes: list[Change]
    now: int


class UnknownCustomerError(LookupError):
    """Nobody goes by that name. `close` are names that are like it, identities masked."""

    def __init__(self, name: str, close: list[str]) -> None:
        super().__init__(f"no customer, identity or thread {name[:100]!r}")
        self.close = close


class SeveralCustomersError(LookupError):
    """A public thread in which several customers speak; `customers` are their ids."""

    def __init__(self, name: str, customers: list[str]) -> None:
        super().__init__(f"{len(customers)} customers speak on the public thread {name[:100]!r}")
        self.customers = customers


def inquire(name: str, policy: Policy, lines: Lines, until: int | None = None) -> Answer:
    """Replay the input for the customer of that id, alias, identity (`type:value`) or thread.

    Raises UnknownCustomerError or SeveralCustomersError, both LookupErrors.
    """
    first = _Focused(policy, frozenset())
    _run(first, lines(), until)
    id_ = _find(name, first.watched)
    second = _Focused(policy, frozenset(first.watched.lineage(id_)))
    said = [record for outcome in _run(second, lines(), until) for record in outcome.escalations]
    customer = second.watched.find(id_)
    assert customer is not None  # the same input, the same customers
    mine = {standing.id for standing in (*customer.emitted.standing, *customer.emitted.closed)}
    known = next(known for known in second.watched.resolver.customers() if known.customer_id == customer.id)
    told: list[Change] = [Joined(member.identity, member.joined_by, member.joined_at) for member in known.members]
    told += second.watched.about({customer.id, *known.aliases})
    records = [record for record in said if record["escalation_id"] in mine]
    return Answer(customer, known.aliases, second.policies, records, told, second.now)


def _run(replay: Replay, lines: Iterable[Line], until: int | None) -> list[Outcome]:
    return [outcome for outcome in replay.run(lines, until) if outcome.escalations]


class _Focused(Replay):
    """A replay that looks at few customers."""

    def __init__(self, policy: Policy, focus: frozenset[str]) -> None:
        super().__init__(policy)
        self.population = self.watched = _Watched(policy, self.policies)
        self.focus = focus

    def _settle(self, id_: str, at: int, outcome: Outcome) -> None:
        if id_ in self.focus:
            super()._settle(id_, at, outcome)


@dataclass(slots=True)
class _Family:
    """The ids that a customer's events have been under, by customer."""

    before: dict[str, set[str]] = field(default_factory=dict)

    def comes_from(self, id_: str, *others: str) -> None:
        known = self.before.setdefault(id_, {id_})
        for other in others:
            known |= self.before.get(other, {other})

    def of(self, id_: str) -> set[str]:
        return self.before.get(id_, {id_})


class _Watched(Population):
    """A population that remembers who was joined and told apart."""

    def __init__(self, policy: Policy, policies: PolicyHistory) -> None:
        super().__init__(policy, policies)
        self.family = _Family()
        self.seen: list[Change] = []

    def lineage(self, id_: str) -> set[str]:
        """The ids under which the customer's events have ever been."""
        return self.family.of(id_)

    def about(self, ids: set[str]) -> Iterator[Change]:
        """Merges, splits, moves and refusals that concern one of the ids."""
        return (change for change in self.seen if _names(change) & ids)

    def _apply(self, found: Iterable[changes.Change], now: int) -> Iterator[str]:
        listed = list(found)
        for change in listed:
            match change:
                case changes.Merged(into, loser):
                    self.family.comes_from(into, loser)
                case changes.Split(origin, parts):
                    for part in parts:
                        self.family.comes_from(part, origin)
                case changes.Moved(_, origin, target):
                    self.family.comes_from(target, origin)
                case changes.Placed() | changes.Refused():
                    pass
            if not isinstance(change, changes.Placed):
                self.seen.append(change)
        return super()._apply(listed, now)


def _names(change: Change) -> set[str]:
    """The customers of whom the change tells."""
    match change:
        case changes.Merged(into, loser):
            return {into, loser}
        case changes.Split(origin, parts):
            return {origin, *parts}
        case changes.Moved(_, origin, target):
            return {origin, target}
        case changes.Refused(_, refused_by):
            return {refused_by}
        case Joined():
            return set()


def _find(name: str, population: Population) -> str:
    customer = population.find(name)
    if customer is not None:
        return customer.id
    identities = [Identity("thread", name)]
    with suppress(ValueError):  # then it is no identity, but may be a thread
        identities.append(parse_identity(name))
    for identity in identities:
        found = population.resolver.customer_of(identity)
        if found is not None and population.find(found) is not None:
            return population.resolver.resolve(found)
    thread = name.removeprefix("thread:")
    speakers = [c.id for c in population.customers.values() if any(e.thread in (name, thread) for e in c.log)]
    if len(speakers) > 1:
        raise SeveralCustomersError(name, sorted(speakers))
    if speakers:
        return speakers[0]
    raise UnknownCustomerError(name, _close(name, population))


def _close(name: str, population: Population) -> list[str]:
    known: dict[str, str] = {}
    for customer in population.resolver.customers():
        known |= {id_: id_ for id_ in (customer.customer_id, *customer.aliases)}
        for identity in customer.identities:
            known.setdefault(str(identity).lower(), f"{mask(identity)} ({customer.customer_id})")
            known.setdefault(identity.value.lower(), f"{mask(identity)} ({customer.customer_id})")
    found = get_close_matches(name[:100].lower(), known, n=CLOSE, cutoff=0.6)
    return list(dict.fromkeys(known[match] for match in found))
