"""How two customers become one: questions, answers, and the decision by the one with the smaller id.

A customer takes its joins one at a time. For each identity that it lacks it asks the identity's shard, which grants what is
nobody's and passes the question to the customer that has it. Of the two the smaller one decides: the larger tells its counts
and keeps still until it hears. So whoever waits keeping still waits for a smaller id, which never waits keeping still for a
larger one that waits for it: there is no circle, and the limits hold although nobody sees more than two customers.
"""

from typing import Any

from streams.identity.history import History
from streams.identity.limits import Limits, count, counts_of
from streams.identity.links import Asking, CustomerLinks, Member
from streams.identity.messages import Message, Outgoing, back, to_customer, to_identity
from streams.identity.pairs import LINKED, Assertion, barred, pair_of
from streams.identity.splitting import split

Out = list[Outgoing]


def join_of(message: Message) -> Message:
    """The join that an event, an edge or a link record asks for."""
    carried = [message["i"], *message["n"]]
    join = {
        "k": "join",
        "a": message["i"],
        "n": list(message["n"]),
        "x": carried,
        "id": message["id"],
        "at": message["at"],
    }
    return join | {"th": message.get("th"), "tag": message["t"], "r": []}


def proceed(links: CustomerLinks, history: History, limits: Limits) -> Out:
    """Goes on with what waits, as far as it goes without an answer."""
    out: Out = []
    while links.alias_of is None and not links.forgotten:
        if links.waiting and links.lockable:
            out += answer(links, links.waiting.pop(0), history)
        elif links.asking is not None or links.locked is not None or not links.todo:
            break
        else:
            out += _STEPS[links.todo[0]["k"]](links, links.todo[0], history, limits)
    return out


def answer(links: CustomerLinks, message: Message, history: History) -> Out:
    """Answers a question; a larger customer's becomes a task of our own."""
    asker, number, identity = message["from"], message["q"], message.get("i")
    if asker == links.id:
        _answered(links, number)
        return []
    if identity is not None and identity not in links.members:
        return [back(message)]
    if identity is not None:
        known = {other: links.pairs.get(pair_of(other, identity)) for other in message["x"]}
        if cut := barred(identity, known, message["l"]):
            return [to_customer("barred", asker, q=number, p=cut)]
        if any(links.is_refused(other, identity) for other in message["y"]):
            return [to_customer("refused", asker, q=number, reason=None, by=links.id)]
        if message["full"] is not None:
            return [to_customer("refused", asker, q=number, reason=message["full"], by=links.id)]
    if "q0" in message:
        if links.asking is None or links.asking.number != message["q0"] or links.asking.giver is not None:
            return [to_customer("refused", asker, q=number, reason=None, by=None)]  # asked anew, or of no interest now
        links.asking.below = True  # the survivor of whom we asked may be faster than its `later`
    if asker > links.id:
        want = {"k": "want", "w": asker, "a": identity, "q0": number}
        if want not in links.todo:
            links.todo.append(want)
        return [to_customer("later", asker, q=number)]
    if links.locked == (asker, number):
        return [_here(links, history, asker, number)]
    if not links.lockable:
        if message not in links.waiting:
            links.waiting.append(message)
        return []
    links.locked = (asker, number)
    return [_here(links, history, asker, number)]


def hear(links: CustomerLinks, message: Message, history: History, limits: Limits) -> Out:
    """Takes a message of another customer, or a shard's answer, about a question."""
    match message["t"]:
        case "here":
            return _decide(links, message, history, limits)
        case "give" if links.locked == (message["from"], message["q"]):
            return _give(links, message["from"], history)
        case "free":
            if links.locked == (message["from"], message["q"]):
                links.locked = None
            if "q0" in message and _is_open(links, message["q0"], below=True):
                _not_joined(links, links.todo[0], message["reason"], message["from"])
        case "grant" if _is_open(links, message["q"]):
            join = links.todo[0]
            links.members[message["i"]] = Member(message["n"], join["id"], join["at"])
            links.asking = None
        case "refused" if _is_open(links, message["q"]):
            _not_joined(links, links.todo[0], message["reason"], message["by"])
        case "barred" if _is_open(links, message["q"]):
            for a, b, *assertion in message["p"]:
                links.assert_pair((a, b), Assertion(*assertion))
            links.todo[0]["n"].pop(0)
            links.asking = None
        case "later" if _is_open(links, message["q"]) and links.asking is not None:
            links.asking.below = True
        case "again" if links.asking is not None and links.asking.number == message["q0"] and not links.asking.giver:
            links.asking = None  # it may overtake the `later` of the one that we asked
        case _:
            pass  # an answer that came twice
    return []


def unlock(links: CustomerLinks, giver: str) -> None:
    """The history of `giver` has come."""
    if links.locked is not None and links.locked[0] == giver:
        links.locked = None
    if links.asking is not None and (links.asking.giver == giver or links.asking.below):
        links.asking = None  # one that a smaller customer has is asked again, if it is still to be asked


def hand_back(links: CustomerLinks) -> Out:
    """Lets those ask again whom a smaller customer, whose tasks are ours now, had promised to come back to."""
    smaller = [task for task in links.todo if task["k"] == "want" and task["w"] < links.id]
    links.todo = [task for task in links.todo if task not in smaller]
    return [to_customer("again", want["w"], q0=want["q0"]) for want in smaller]


def _is_open(links: CustomerLinks, number: int, *, below: bool = False) -> bool:
    asking = links.asking
    return asking is not None and asking.number == number and asking.below == below and asking.giver is None


def _answered(links: CustomerLinks, number: int) -> None:
    """Our own question has come back to us: what we asked for is ours by now."""
    if _is_open(links, number):
        links.asking = None


def _ask(links: CustomerLinks) -> int:
    links.turn += 1
    links.asking = Asking(links.turn)
    return links.turn


def _here(links: CustomerLinks, history: History, asker: str, number: int) -> Outgoing:
    counts = count(links.members)
    return to_customer("here", asker, **{"from": links.id}, q=number, n=counts, s=list(history.seniority()))


def _decide(links: CustomerLinks, message: Message, history: History, limits: Limits) -> Out:
    other, number = message["from"], message["q"]
    mine = {"from": links.id, "q": number}
    if not _is_open(links, number) or links.asking is None:
        return [to_customer("free", other, **mine)]
    reason = limits.over(count(links.members), message["n"])
    task = links.todo[0]
    if reason is None:
        if (*history.seniority(), links.id) <= (*message["s"], other):
            links.asking.giver = other
            return [to_customer("give", other, **mine)]
        return _give(links, other, history)
    if task["k"] == "want":
        links.asking = None
        links.todo.pop(0)
        return [to_customer("free", other, **mine, q0=task["q0"], reason=reason)]
    _not_joined(links, task, reason, other)
    return [to_customer("free", other, **mine)]


def _give(links: CustomerLinks, survivor: str, history: History) -> Out:
    """Becomes an alias: all that this customer has and knows is the survivor's."""
    links.asking = links.locked = None
    whole = links.encode()
    fields = {name: whole[name] for name in ("m", "a", "t", "q", "k", "r", "e", "p", "d", "w") if name in whole}
    out = to_customer("absorb", survivor, **{"from": links.id}, b=links.born_with, l=fields, h=history.give())
    for name in ("members", "aliases", "parts", "pairs", "refused", "ties", "placements", "todo", "waiting"):
        setattr(links, name, type(getattr(links, name))())  # not cleared: the message holds some of them
    links.alias_of, links.alias_number = survivor, 0
    return [out]


# -- tasks -----------------------------------------------------------------------------------------------------


def _join(links: CustomerLinks, join: Message, history: History, limits: Limits) -> Out:
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
    else:
        if any(links.is_cut(other, identity) for other in stronger):
            join["n"].pop(0)
            return []
        if any(links.is_refused(other, identity) for other in join["x"] if other in links.members):
            join["n"].pop(0)
            join["r"].append([identity, None, None])
            return []
    full = limits.over(count(links.members), counts_of(identity.partition(":")[0]))
    ours = [] if linking else [other for other in stronger if other in links.members]
    fields = {"from": links.id, "q": _ask(links), "x": stronger, "y": ours, "l": join.get("as"), "full": full}
    return [to_identity("ask", identity, **fields)]


def _want(links: CustomerLinks, want: Message, _history: History, _limits: Limits) -> Out:
    """Comes back to a larger customer that has asked us."""
    other = want["w"]
    if other == links.id or other in links.taken:
        links.todo.pop(0)
        return []
    if want["a"] is not None and want["a"] not in links.members or other < links.id:
        links.todo.pop(0)
        return [to_customer("again", other, q0=want["q0"])]
    return [to_customer("ask", other, **{"from": links.id}, q=_ask(links), q0=want["q0"], x=[], l=None)]


def _split(links: CustomerLinks, task: Message, history: History, _limits: Limits) -> Out:
    links.todo.pop(0)
    return split(links, (task["at"], task["id"]), history)


def _forget(links: CustomerLinks, _task: Message, history: History, _limits: Limits) -> Out:
    """Erases the customer, and lets those go on who wait for it. A mark stays, so that its id is known to be nobody's."""
    out = [to_customer("again", want["w"], q0=want["q0"]) for want in links.todo if want["k"] == "want"]
    out += [to_customer("refused", ask["from"], q=ask["q"], reason=None, by=None) for ask in links.waiting]
    out += [to_identity("erase", identity, n=member.number) for identity, member in links.members.items()]
    out += [to_customer("erase", id_) for id_ in links.aliases]
    escalations, threads = history.forget()
    out += [Outgoing("tombstone", id_, {}) for id_ in escalations]
    out += [to_identity("unspoke", thread, by=list(links.members)) for thread in threads if thread not in links.members]
    blank = CustomerLinks(links.id, forgotten=True)
    for name in CustomerLinks.__slots__:
        setattr(links, name, getattr(blank, name))
    return out


_STEPS: dict[str, Any] = {"join": _join, "want": _want, "split": _split, "forget": _forget}


def _linked(links: CustomerLinks, join: Message, identity: str) -> Out:
    """A link record has joined the two: it holds until a newer one, and ends an unlink."""
    at, id_ = join["as"]
    pair = pair_of(join["a"], identity)
    known = links.pairs.get(pair)
    if known is not None and known[:2] != (at, id_):
        return []  # a newer record has come meanwhile
    links.pairs[pair] = Assertion(at, id_, LINKED)
    return [to_identity("uncut", one, j=other, at=at, id=id_) for one, other in (pair, pair[::-1])]


def _not_joined(links: CustomerLinks, task: Message, reason: str | None, by: str | None) -> None:
    """The identity in question stays where it is, with the customer `by` or nobody."""
    links.asking = None
    if task["k"] == "want":
        links.todo.pop(0)
        return
    identity = task["n"].pop(0)
    task["r"].append([identity, reason, by])
    if task["tag"] != "link":
        links.refused[pair_of(task["a"], identity)] = reason or ""


def _end(links: CustomerLinks, join: Message, history: History) -> Out:
    """Tells what was refused, and gives the event to its private thread's customer where that is another."""
    thread, event_id = join["th"], join["id"]
    if join["tag"] != "link":
        edges = (pair_of(a, b) for a in join["x"] if a in links.members for b, _, _ in join["r"])
        links.refused = {pair: "" for pair in edges} | links.refused
    fresh = [(identity, reason, by) for identity, reason, by in join["r"] if reason]
    if join["tag"] == "edge":
        links.ties[tuple(join["x"])] = None  # the event that holds them together is another's
        return []
    lost = [entry for entry in join["r"] if entry[0] == thread]
    if lost and join["tag"] == "event" and history.has(event_id):
        by = lost[0][2]
        reason = lost[0][1] or next((reason for _, reason, other in fresh if other == by), None)
        edges = [[*pair_of(other, thread), links.refused.get(pair_of(other, thread), "")] for other in join["x"][:1]]
        part = history.part(links.id, (event_id,), apart=False)
        links.ties[tuple(join["x"])] = None
        conflicts = [_conflict(join, join["a"], by, reason)] if reason and by else []
        return [to_identity("moved", thread, id=event_id, h=part, r=edges), *conflicts, *_others(join)]
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
    return [to_identity("edge", first, n=rest, id=join["id"], at=join["at"])]


def _conflict(join: Message, identity: str, refused_by: str, reason: str) -> Outgoing:
    record = {
        "identity": identity,
        "refused_by": refused_by,
        "reason": reason,
        "record_id": join["id"],
        "seen_at": join["at"],
    }
    return Outgoing("conflict", identity, record)
