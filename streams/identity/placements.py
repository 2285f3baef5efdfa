"""Events without an author, at the customer that they follow: whose they are by now, and how they are handed on.

Who is followed may change when an earlier first contact comes late (`speakers`). Whoever has the event then hands it
on with all that was said about it, so that nobody is told of the same thing a second time, under the same number or
another. A customer that is told before it has the event hands it on when it comes, once: the thread sends it again.
"""

from collections.abc import Collection, Mapping

from streams.identity.history import History
from streams.identity.links import CustomerLinks, Placement
from streams.identity.messages import Message, Outgoing, to_customer, to_identity

Out = list[Outgoing]
Known = dict[str, Placement]


def place(links: CustomerLinks, message: Message, history: History) -> Out:
    """The event comes, from its public thread or from whom it followed before."""
    event_id, number = message["id"], message["num"]
    known = links.placements.get(event_id)
    taken = [to_customer("absorbed", message["u"])] if "u" in message else []
    if known is not None and (known.number, known.here) >= (number, True):
        if known.here or known.to is None:
            return taken
        if number == 1 and "h" not in message and not links.first_time(_handed(event_id)):
            return []  # the thread sends it again: that could overtake the first one, and what was said about it
        return [_to(known.to, {**message, "num": known.number})]
    links.placements[event_id] = Placement(number, here=True, identity=message["i"] or "")
    if "h" in message:
        history.union(message["h"], apart=False)
    elif history.has(event_id):
        history.correct(message["e"])
    else:
        history.fold(message["e"])
    return taken


def release(links: CustomerLinks, message: Message, history: History) -> Out:
    """The event follows somebody else now."""
    event_id, number, to = message["id"], message["num"], message.get("to")
    known = links.placements.get(event_id)
    if known is not None and (known.number, known.here) >= (number, False):
        return []
    if to in links.members and history.has(event_id):
        links.placements[event_id] = Placement(number, here=True, identity=to)
        return []
    links.placements[event_id] = Placement(number, here=False, identity=message["i"] or "", to=to)
    return _hand_on(links, event_id, history)


def unite(links: CustomerLinks, placements: Mapping[str, Placement], history: History) -> Out:
    """Takes over what a customer knew whose history has come. What is neither's is handed on."""
    out: Out = []
    for event_id, placement in placements.items():
        known = links.placements.get(event_id)
        if known is None or (known.number, known.here) <= (placement.number, placement.here):
            links.placements[event_id] = placement
    for event_id, placement in links.placements.items():
        if not placement.here:
            out += _hand_on(links, event_id, history)
    return out


def divide(placements: Mapping[str, Placement], inside: Collection[str]) -> tuple[Known, Known]:
    """What a part of a customer, these identities, is to know, and what the rest: each knows what the other one has."""
    part, rest = dict(placements), dict(placements)
    for event_id, placement in placements.items():
        if placement.here:
            other = rest if placement.identity in inside else part
            other[event_id] = placement._replace(here=False, to=placement.identity)
    return part, rest


def _hand_on(links: CustomerLinks, event_id: str, history: History) -> Out:
    placement = links.placements[event_id]
    if not history.has(event_id):
        return []
    if placement.to is None:  # said by an earlier version, which tells the other one itself
        history.drop(event_id)
        return []
    links.note_heard((_handed(event_id),))
    part = history.part(links.id, (event_id,), apart=False)
    return [_to(placement.to, {"id": event_id, "num": placement.number, "n": [], "h": part, "u": links.id})]


def _handed(event_id: str) -> str:
    """The mark of an event that was handed on."""
    return f"event/{event_id}"


def _to(identity: str, message: Message) -> Outgoing:
    fields = {name: value for name, value in message.items() if name in ("id", "num", "n", "e", "h", "u")}
    return to_identity("event", identity, **fields, f=1)
