"""Joins: what an event, an edge or a link record asks for, one identity after the other, the strongest first."""

from streams.identity.history import History
from streams.identity.limits import Limits, count, counts_of
from streams.identity.links import CustomerLinks
from streams.identity.messages import Message, Outgoing, to_identity
from streams.identity.pairs import LINKED, Assertion, pair_of
from streams.identity.questions import ask

Out = list[Outgoing]

KNOWN = ""
"""The reason why an identity is not joined where that is known from before: nobody is told of it again."""


def join_of(message: Message) -> Message:
    """The join that an event, an edge or a link record asks for."""
    carried = message.get("x") or [message["i"], *message["n"]]
    join = {
        "k": "join",
        "a": message["i"],
        "n": list(message["n"]),
        "x": carried,
        "id": message["id"],
        "at": message["at"],
    }
    return join | {"th": message.get("th"), "tag": message["t"], "r": []}


def join(links: CustomerLinks, join: Message, history: History, limits: Limits) -> Out:
    """One step of a join: the next identity, or the end."""
    if join["a"] not in links.members:  # a split has taken it along while the join waited
        links.todo.pop(0)
        return [to_identity("rejoin", join["a"], v=join)]
    if not join["n"]:
        links.todo.pop(0)
        return _end(links, join, history)
    identity, linking = join["n"][0], join["tag"] == "link"
    if identity in links.members:
        join["n"].pop(0)
        return _linked(links, join, identity) if linking else []
    stronger = join["x"][: join["x"].index(identity)]
    if linking:
        known = links.pairs.get(pair_of(join["a"], identity))
        if known is not None and (known.at, known.id) > tuple(join["as"]):
            join["n"].pop(0)
            return []
    elif any(links.is_cut(other, identity) for other in stronger):
        join["n"].pop(0)
        return []
    full = limits.over(count(links.members), counts_of(identity.partition(":")[0]))
    if not linking and any(links.is_refused(other, identity) for other in join["x"] if other in links.members):
        if identity != join["th"] or all(other in links.members for other in stronger):
            not_joined(links, join, KNOWN, None)
            return []
        full = KNOWN  # but an unlink from one that is not ours may keep the event from its thread: others know of it
    ours = [] if linking else [other for other in stronger if other in links.members]
    fields = {"from": links.id, "q": ask(links), "x": stronger, "y": ours, "l": join.get("as"), "full": full}
    return [to_identity("ask", identity, **fields)]


def not_joined(links: CustomerLinks, task: Message, reason: str | None, by: str | None) -> None:
    """The identity in question stays where it is, with the customer `by` or nobody."""
    links.asking = None
    if task["k"] == "want":
        links.todo.pop(0)
        return
    identity = task["n"].pop(0)
    if reason == KNOWN:
        task["r"].append([identity, None, None])
        return
    task["r"].append([identity, reason, by])
    if task["tag"] != "link":
        links.refused[pair_of(task["a"], identity)] = reason or ""


def _linked(links: CustomerLinks, join: Message, identity: str) -> Out:
    """A link record has joined the two: it holds until a newer one, and ends an unlink."""
    at, id_ = join["as"]
    pair = pair_of(join["a"], identity)
    known = links.pairs.get(pair)
    if known is not None and known[:2] != (at, id_):
        return []  # a newer record has come meanwhile
    links.pairs[pair] = Assertion(at, id_, LINKED)
    return [to_identity("uncut", one, j=other, at=at, id=id_) for one, other in (pair, pair[::-1])]


def _end(links: CustomerLinks, join: Message, history: History) -> Out:
    """Tells what was refused, and gives the event to its private thread's customer where that is another."""
    thread, event_id = join["th"], join["id"]
    fresh = [(identity, reason, by) for identity, reason, by in join["r"] if reason]
    if join["tag"] != "link":
        apart = [pair_of(a, b) for a in join["x"] if a in links.members for b, _, _ in join["r"]]
        links.refused = dict.fromkeys(apart, fresh[0][1] if fresh else "") | links.refused
    if join["tag"] == "edge":
        links.ties[tuple(join["x"])] = None  # the event that holds them together is another's
        return []
    lost = [entry for entry in join["r"] if entry[0] == thread]
    if lost and join["tag"] == "event" and history.has(event_id):
        by = lost[0][2]
        reason = lost[0][1] or next((why for _, why, other in fresh if other == by), join.get("was"))
        edges = [[*pair_of(other, thread), links.refused.get(pair_of(other, thread), "")] for other in join["x"][:1]]
        part = history.part(links.id, (event_id,), apart=False)
        links.ties[tuple(join["x"])] = None
        conflicts = [_conflict(join, join["a"], by, reason)] if reason and by else []
        conflicts += [_conflict(join, identity, by, why) for identity, why, other in fresh if by and other != by]
        return [to_identity("moved", thread, id=event_id, u=links.mark(), h=part, r=edges), *conflicts, *_others(join)]
    seen: set[str | None] = set()
    conflicts = []
    for identity, reason, by in fresh:
        if by is None or by not in seen:
            conflicts.append(_conflict(join, identity, links.id, reason))
        seen.add(by)
    return conflicts + _others(join)


def _others(join: Message) -> Out:
    """What this customer may not have may still belong together: that is for the strongest of them to find out."""
    if len({by or identity for identity, _, by in join["r"]}) < 2 or not any(reason for _, reason, _ in join["r"]):
        return []
    first, *rest = [identity for identity, _, _ in join["r"]]
    return [to_identity("edge", first, n=rest, x=join["x"], id=join["id"], at=join["at"])]


def _conflict(join: Message, identity: str, refused_by: str, reason: str) -> Outgoing:
    record = {
        "identity": identity,
        "refused_by": refused_by,
        "reason": reason,
        "record_id": join["id"],
        "seen_at": join["at"],
    }
    return Outgoing("conflict", identity, record)
