"""Who else spoke on a public thread: what a customer's own log cannot tell."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence

from streams.gathering import Gathering, View
from streams.policy import PolicyHistory

Contact = tuple[int, str, str]


def crowd_views(gathering: Gathering, policies: PolicyHistory) -> dict[str, View]:
    """By customer when (ms) which others made contact: as many as can matter to the pattern `spreading`, sorted.

    Whether a contact lies in a window with so many customers follows from those of that number who were the last before
    it, and the first after it. Where there are not so many customers at all, nobody need know.
    """
    asked = [
        entry.policy.patterns["spreading"].customers
        for entry in policies.entries
        if "spreading" in entry.policy.patterns
    ]
    contacts = gathering.contacts()
    if not asked or len({owner for _, owner, _ in contacts}) < min(asked):
        return {}
    views: dict[str, View] = {}
    for id_ in {owner for _, owner, _ in contacts}:
        mine = {at for at, owner, _ in contacts if owner == id_}
        near = {other for at in mine for other in _near(contacts, at, id_, max(asked) - 1)}
        if near:
            views[id_] = [list(other) for other in sorted(near)]
    return views


def _near(contacts: Sequence[Contact], at: int, me: str, most: int) -> Iterator[tuple[int, str]]:
    place = bisect_right(contacts, at, key=lambda contact: contact[0])
    for side in (range(place - 1, -1, -1), range(place, len(contacts))):
        seen = {me}
        for index in side:
            when, owner, _ = contacts[index]
            if len(seen) > most:
                break
            if owner not in seen:
                seen.add(owner)
                yield when, owner
