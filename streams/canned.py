"""Canned replies that no source marks: the same text, sent to many customers within a day. Hashes are kept, no text."""

from collections import Counter

from schemas.times import DAY
from streams.gathering import Gathering, View


def canned_views(gathering: Gathering, customers: int) -> dict[str, View]:
    """By customer the ids of its replies that lie in a day in which so many customers got the text, sorted."""
    sent = gathering.contacts()
    within: Counter[str] = Counter()
    views: dict[str, View] = {}
    first = marked = 0
    for last, (at, owner, _) in enumerate(sent):
        within[owner] += 1
        while sent[first][0] < at - DAY:
            within[sent[first][1]] -= 1
            if not within[sent[first][1]]:
                del within[sent[first][1]]
            first += 1
        if len(within) >= customers:
            for _, whose, id_ in sent[max(first, marked) : last + 1]:
                views.setdefault(whose, []).append(id_)
            marked = last + 1
    return {id_: sorted(view) for id_, view in views.items()}
