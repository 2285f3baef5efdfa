"""How one customer becomes several: when an unlink takes an edge away, what still holds together stays together."""

from collections.abc import Iterable, Iterator, Sequence

from streams.identity.birth import birth_id
from streams.identity.history import Carried, History
from streams.identity.links import CustomerLinks
from streams.identity.messages import Outgoing, home_of, to_customer, to_identity
from streams.identity.pairs import strength
from streams.identity.placements import divide
from streams.intervals import FOREVER

Claims = list[tuple[str, list[str]]]
"""Of events their ids, and the identities that they join or did join, strongest first."""


def split(links: CustomerLinks, record: tuple[int, str], history: History) -> list[Outgoing]:
    """Parts with what no edge holds to the identity that the customer was born with.

    `record` is the time (ms) and id of the link record, which makes the ids of the parts.
    """
    out, claims = _strangers(links, history)
    together = _components(links, [identities for _, identities in claims])
    if len(together) == 1:
        return out
    owners = {event_id: _owner(links, event_id, identities) for event_id, identities in claims}
    for part in together:
        if links.born_with in part:
            continue
        ids = {event_id for event_id, owner in owners.items() if owner in part}
        if len(part) == 1 and not ids:
            out += _alone(links, part[0])  # nothing is left that speaks of it
        else:
            out += _part(links, part, ids, record, history)
    return out


def _strangers(links: CustomerLinks, history: History) -> tuple[list[Outgoing], Claims]:
    """Lets go the events that were here for their thread, which they do not join any more; the others."""
    out: list[Outgoing] = []
    stay: Claims = []
    for event in list(history.carried()):
        identities = _claimed(links, event)
        kept = _kept(links, identities)
        here = [kept[0], event.thread] if event.thread in kept else kept[:1]
        if event.id in links.placements or not links.members.keys().isdisjoint(here):
            stay.append((event.id, identities))
        else:
            part = history.part(links.id, (event.id,), apart=True)
            out.append(to_identity("moved", kept[0], id=event.id, u=links.mark(), h=part, r=[]))
    return out, stay


def _claimed(links: CustomerLinks, event: Carried) -> list[str]:
    """What an event joins. One on a public thread, which is nobody's, joins no thread, whatever it names."""
    own, identities = event.thread, event.identities
    if own not in identities or own in links.members or any(links.is_cut(own, other) for other in identities):
        return identities
    return [identity for identity in identities if not identity.startswith("thread:")]


def _kept(links: CustomerLinks, identities: Sequence[str]) -> list[str]:
    """The identities that an event joins: none that has been unlinked from a stronger one."""
    return [
        identity
        for rank, identity in enumerate(identities)
        if not any(links.is_cut(identity, stronger) for stronger in identities[:rank])
    ]


def _alone(links: CustomerLinks, identity: str) -> list[Outgoing]:
    member = links.members.pop(identity)
    return [to_identity("relabel", identity, c=None, n=member.number + 1)]


def _part(
    links: CustomerLinks, part: list[str], event_ids: set[str], record: tuple[int, str], history: History
) -> list[Outgoing]:
    """The part as a customer of its own, on the same partition, so that it is told of before anybody points to it."""
    strongest = min(part, key=strength)
    first_event_at = history.seniority(event_ids)[1]
    born_at = first_event_at if first_event_at < FOREVER else record[0]
    links.turn += 1
    new_id = f"{birth_id(born_at, strongest, f'{record[1]}/{links.id}/{links.turn}')}.{home_of(links.id)}"
    inside = set(part)
    members = {identity: links.members.pop(identity) for identity in part}
    whole = CustomerLinks(new_id, strongest)
    whole.members = {identity: m._replace(number=m.number + 1) for identity, m in members.items()}
    whole.pairs = {pair: known for pair, known in links.pairs.items() if inside.intersection(pair)}
    whole.refused = {pair: reason for pair, reason in links.refused.items() if inside.intersection(pair)}
    whole.ties = {tie: None for tie in links.ties if inside.intersection(tie)}
    whole.placements, links.placements = divide(links.placements, inside)
    whole.heard = dict(links.heard)
    whole.aliases = {
        id_: alias._replace(number=alias.number + 1)
        for id_, alias in links.aliases.items()
        if alias.born_with in inside
    }
    for id_ in whole.aliases:
        del links.aliases[id_]
    links.parts.append(new_id)
    h = history.part(new_id, event_ids, apart=True)
    return [
        to_customer("part", new_id, **{"from": links.id}, l=whole.encode(), h=h),
        *(to_identity("relabel", identity, c=new_id, n=member.number) for identity, member in whole.members.items()),
        *(to_customer("realias", id_, by=new_id, n=alias.number) for id_, alias in whole.aliases.items()),
    ]


def _owner(links: CustomerLinks, event_id: str, identities: Iterable[str]) -> str | None:
    """Whose an event is: of the one it was placed with, else of the strongest identity that it carries."""
    placement = links.placements.get(event_id)
    if placement is not None:
        return placement.identity
    return next((identity for identity in identities if identity in links.members), None)


def _components(links: CustomerLinks, claims: Iterable[list[str]]) -> list[list[str]]:
    """The members, divided into those that events and links still hold together."""
    parent = {identity: identity for identity in links.members}

    def root(identity: str) -> str:
        while parent[identity] != identity:
            parent[identity] = identity = parent[parent[identity]]
        return identity

    for a, b in _edges(links, claims):
        if a in parent and b in parent:
            parent[root(b)] = root(a)
    parts: dict[str, list[str]] = {}
    for identity in links.members:
        parts.setdefault(root(identity), []).append(identity)
    return list(parts.values())


def _edges(links: CustomerLinks, claims: Iterable[list[str]]) -> Iterator[tuple[str, str]]:
    yield from links.linked()
    for identities in {tuple(identities): None for identities in claims} | links.ties:
        kept = _kept(links, identities)
        for rank, identity in enumerate(kept):
            for other in kept[:rank]:
                if not links.is_refused(other, identity):
                    yield other, identity
