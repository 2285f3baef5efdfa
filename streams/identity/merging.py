"""How two customers become one: questions, answers, and the decision by the one with the smaller id.

A customer takes its joins one at a time. For each identity that it lacks it asks the identity's shard, which grants
what is nobody's and passes the question to the customer that has it. Of the two the smaller one decides: the larger
tells its counts and keeps still until it hears. A smaller one that is asked says `later`, comes back with a question
of its own, and does not keep the other still meanwhile. So who keeps still waits for a smaller id, and there is no
circle; and the limits hold although nobody sees more than two customers.
"""

from streams.identity.history import History
from streams.identity.joins import KNOWN, not_joined
from streams.identity.limits import Limits, count
from streams.identity.links import CustomerLinks, Member
from streams.identity.messages import Message, Outgoing, back, to_customer, to_identity
from streams.identity.pairs import barred, pair_of
from streams.identity.questions import ask, is_open

Out = list[Outgoing]


def answer(links: CustomerLinks, message: Message, history: History) -> Out:
    """Answers a question; a larger customer's becomes a task of our own."""
    asker, number, identity = message["from"], message["q"], message.get("i")
    if asker == links.id:  # our own question has come back: what we asked for is ours by now
        if is_open(links, number):
            links.asking = None
        return []
    if identity is not None and identity not in links.members:
        return [back(message)]
    refusal = _refusal(links, message, identity) if identity is not None else _unwanted(links, message)
    if refusal is not None:
        return [refusal]
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
            if "q0" in message and is_open(links, message["q0"], below=True):
                not_joined(links, links.todo[0], message["reason"], message["from"])
        case "grant" if is_open(links, message["q"]):
            join = links.todo[0]
            links.members[message["i"]] = Member(message["n"], join["id"], join["at"])
            links.assert_pairs(message.get("cuts", ()))
            links.asking = None
        case "grant" if message["i"] not in links.members and not _is_asked_for(links, message["i"]):
            return [ungrant(message)]
        case "refused" if is_open(links, message["q"]):
            links.todo[0]["was"] = message.get("was")
            not_joined(links, links.todo[0], message["reason"], message["by"])
        case "barred" if is_open(links, message["q"]):
            links.assert_pairs(message["p"])
            links.todo[0]["n"].pop(0)
            links.asking = None
        case "later" if is_open(links, message["q"]) and links.asking is not None:
            links.asking.below = True
        case "again" if links.asking is not None and links.asking.number == message["q0"] and not links.asking.giver:
            links.asking = None  # it may overtake the `later` of the one that we asked
        case _:
            pass  # an answer that came twice
    return []


def ungrant(message: Message) -> Outgoing:
    """Gives back what nobody asked for (any more): an old question was delivered once more."""
    return to_identity("ungrant", message["i"], n=message["n"])


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


def want(links: CustomerLinks, want: Message, _history: History, _limits: Limits) -> Out:
    """Comes back to a larger customer that has asked us."""
    other = want["w"]
    if other == links.id or other in links.taken:
        links.todo.pop(0)
        return []
    if (want["a"] is not None and want["a"] not in links.members) or other < links.id:
        links.todo.pop(0)
        return [to_customer("again", other, q0=want["q0"])]
    return [to_customer("ask", other, **{"from": links.id}, q=ask(links), q0=want["q0"], x=[], l=None)]


def _refusal(links: CustomerLinks, message: Message, identity: str) -> Outgoing | None:
    """Why the identity may not be joined to the asker, where that is known without looking at both."""
    asker, number = message["from"], message["q"]
    known = {other: links.pairs.get(pair_of(other, identity)) for other in message["x"]}
    if cut := barred(identity, known, message["l"]):
        return to_customer("barred", asker, q=number, p=cut)
    before = [links.refused[pair_of(other, identity)] for other in message["y"] if links.is_refused(other, identity)]
    if before and message["full"] != KNOWN:
        return to_customer("refused", asker, q=number, reason=None, was=before[0], by=links.id)
    if message["full"] is not None:
        return to_customer("refused", asker, q=number, reason=message["full"], by=links.id)
    return None


def _is_asked_for(links: CustomerLinks, identity: str) -> bool:
    return links.asking is not None and links.todo[0]["k"] == "join" and links.todo[0]["n"][0] == identity


def _unwanted(links: CustomerLinks, message: Message) -> Outgoing | None:
    """One who comes back is sent away where the question has been asked anew, or is of no interest any more."""
    asking = links.asking
    if asking is None or asking.number != message["q0"] or asking.giver is not None:
        return to_customer("refused", message["from"], q=message["q"], reason=None, by=None)
    asking.below = True  # the survivor of the one that was asked may be faster than its `later`
    return None


def _here(links: CustomerLinks, history: History, asker: str, number: int) -> Outgoing:
    counts = count(links.members)
    return to_customer("here", asker, **{"from": links.id}, q=number, n=counts, s=list(history.seniority()))


def _decide(links: CustomerLinks, message: Message, history: History, limits: Limits) -> Out:
    other, number = message["from"], message["q"]
    mine = {"from": links.id, "q": number}
    if not is_open(links, number) or links.asking is None:
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
    not_joined(links, task, reason, other)
    return [to_customer("free", other, **mine)]


def _give(links: CustomerLinks, survivor: str, history: History) -> Out:
    """Becomes an alias: all that this customer has and knows is the survivor's."""
    links.asking = links.locked = None
    whole = links.encode()
    fields = {name: whole[name] for name in ("m", "a", "t", "q", "k", "r", "e", "p", "u", "d", "w") if name in whole}
    out = to_customer("absorb", survivor, **{"from": links.id}, b=links.born_with, l=fields, h=history.give())
    for name in ("members", "aliases", "parts", "pairs", "refused", "ties", "placements", "heard", "todo", "waiting"):
        setattr(links, name, type(getattr(links, name))())  # not cleared: the message holds some of them
    links.alias_of, links.alias_number = survivor, 0
    return [out]
