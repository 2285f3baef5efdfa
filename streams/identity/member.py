"""The customer's side of the protocol: what a message does to a customer, its members, its aliases and its history.

A history is united once, however often it comes, and what was decided is sent again until it is confirmed: the
messages of a customer are kept with its state (`streams.stored`) and stay in order. What reaches an alias goes on to
the survivor, and what is about an identity that has left goes back to the identity's shard, which was told before.
"""

from collections.abc import Callable

from streams.identity import merging
from streams.identity.history import History
from streams.identity.joins import join_of
from streams.identity.limits import Limits
from streams.identity.links import Alias, CustomerLinks, Member
from streams.identity.messages import Message, Outgoing, back, forwarded, to_customer, to_identity
from streams.identity.pairs import CUT, OPEN, Assertion, pair_of
from streams.identity.placements import place, release, unite
from streams.identity.tasks import proceed

Out = list[Outgoing]
_FOR_AN_IDENTITY = frozenset({"event", "link", "cut", "edge", "rejoin", "ask", "moved", "release", "forget"})
_PASSED_ON = _FOR_AN_IDENTITY | {"command"}


def on_customer(
    links: CustomerLinks | None, message: Message, history: History, limits: Limits
) -> tuple[CustomerLinks | None, Out]:
    """Takes a message to a customer; its links, changed in place, and what to send. None: there still is none."""
    if links is None or links.forgotten:
        begun = _begin(links, message, history)
        if not isinstance(begun, CustomerLinks):
            return links, begun
        links = begun
    if links.alias_of is not None:
        return links, _at_alias(links, links.alias_of, message)
    identity = message.get("i")
    if message["t"] in _FOR_AN_IDENTITY and identity is not None and identity not in links.members:
        return links, [back(message)]
    out = _take(links, message, history, limits)
    return links, out + proceed(links, history, limits)


def _begin(links: CustomerLinks | None, message: Message, history: History) -> CustomerLinks | Out:
    """A customer is born with the first message about the identity that points to it; what is said if there is none."""
    tag = message["t"]
    if tag == "part":
        return CustomerLinks(message["c"])
    if tag in _FOR_AN_IDENTITY and message.get("i") is not None:
        born: bool = message.get("born", False)
        if "pn" not in message or (links is not None and (not born or links.erasing)):
            return [back(message)]
        if not born:  # it comes behind, through the same topic
            return [forwarded(message, message["c"])]
        at: int = message["ar"] if "ar" in message else message.get("at", 0)
        member = Member(message["pn"], message.get("id", ""), at)
        links = CustomerLinks(message["c"], message["i"], members={message["i"]: member})
        links.assert_pairs(message.get("cuts", ()))
        return links
    match tag:
        case "ask":
            return [to_customer("refused", message["from"], q=message["q"], reason=None, by=None)]
        case "here":
            return [to_customer("free", message["from"], **{"from": message["c"]}, q=message["q"])]
        case "grant":
            return [merging.ungrant(message)]
        case "command":
            history.refuse(message["v"])
        case "erased" if links is not None:
            links.erasing.pop(message["k"], None)
    return []


def _at_alias(links: CustomerLinks, survivor: str, message: Message) -> Out:
    match message["t"]:
        case "ask" if "q0" in message:  # who wanted it asks anew, as a part of the survivor
            return [to_customer("refused", message["from"], q=message["q"], reason=None, by=None)]
        case "grant":  # the survivor knows whether it is wanted; it is no answer to a question of its own
            return [forwarded({**message, "q": 0}, survivor)]
        case tag if tag in _PASSED_ON:
            return [forwarded(message, survivor)]
        case "here":
            return [to_customer("free", message["from"], **{"from": links.id}, q=message["q"])]
        case "absorb":
            return [to_customer("absorbed", message["from"])]  # came twice
        case "realias" if message["n"] > links.alias_number:
            links.alias_of, links.alias_number = message["by"], message["n"]
        case "erase":
            links.forget()
        case _:
            pass
    return []


def _take(links: CustomerLinks, message: Message, history: History, limits: Limits) -> Out:
    take = _HANDLERS.get(message["t"])
    return take(links, message, history) if take is not None else merging.hear(links, message, history, limits)


def _event(links: CustomerLinks, message: Message, history: History) -> Out:
    if "num" in message:
        return place(links, message, history)
    if history.has(message["id"]):
        history.correct(message["e"])
        return []
    history.fold(message["e"])
    if any(identity not in links.members for identity in message["n"]):
        links.todo.append(join_of(message))
    return []


def _moved(links: CustomerLinks, message: Message, history: History) -> Out:
    mark = str(message.get("u", message["id"]))
    if links.first_time(mark):
        links.refused |= {(a, b): reason for a, b, reason in message["r"]}
        history.union(message["h"], apart=False)
    return [to_customer("absorbed", mark.rpartition("/")[0])] if "u" in message else []


def _queue(links: CustomerLinks, message: Message, _history: History) -> Out:
    """What waits for its turn."""
    match message["t"]:
        case "edge":
            links.todo.append(join_of(message))
        case "rejoin":
            links.todo.append(message["v"])
        case _:
            links.todo.append({"k": "forget"})
    return []


def _settled(_links: CustomerLinks, _message: Message, _history: History) -> Out:
    """What is only for an alias; this one is none (any more)."""
    return []


def _link(links: CustomerLinks, message: Message, _history: History) -> Out:
    pair = pair_of(message["i"], message["j"])
    known = links.pairs.get(pair)
    if known is not None and (known.at, known.id) >= (message["at"], message["id"]):
        return []
    links.pairs[pair] = Assertion(
        message["at"], message["id"], CUT if known is not None and known.state == CUT else OPEN
    )
    join = join_of({**message, "n": [message["j"]], "at": message["ar"]})
    links.todo.append(join | {"as": [message["at"], message["id"]]})
    return []


def _cut(links: CustomerLinks, message: Message, _history: History) -> Out:
    pair = pair_of(message["i"], message["j"])
    known = links.pairs.get(pair)
    if known is None or (known.at, known.id) <= (message["at"], message["id"]):
        links.pairs[pair] = Assertion(message["at"], message["id"], CUT)
        links.todo.append({"k": "split", "at": message["at"], "id": message["id"]})
    return []


def _absorb(links: CustomerLinks, message: Message, history: History) -> Out:
    giver = message["from"]
    taken = [to_customer("absorbed", giver)]
    if giver in links.taken:
        return taken
    other = CustomerLinks.decode({"v": 2, "id": giver, "b": message["b"], **message["l"]})
    members = {identity: member._replace(number=member.number + 1) for identity, member in other.members.items()}
    aliases = {id_: alias._replace(number=alias.number + 1) for id_, alias in other.aliases.items()}
    links.members |= members
    links.aliases |= aliases | {giver: Alias(message["b"], 0)}
    links.taken |= other.taken | {giver: None}
    links.parts += other.parts
    for pair, assertion in other.pairs.items():
        links.assert_pair(pair, assertion)
    links.refused |= other.refused
    links.ties |= other.ties
    links.note_heard(other.heard)
    links.todo += other.todo
    for (a, b), assertion in links.pairs.items():
        if assertion.state == CUT and a in links.members and b in links.members:  # may be what joined the two
            links.todo.append({"k": "split", "at": assertion.at, "id": assertion.id})
    links.todo.sort(key=lambda task: task["k"] == "split")  # what has just joined the two is to be known before
    links.waiting += [question for question in other.waiting if question not in links.waiting]
    history.union(message["h"], apart=False)
    handed = unite(links, other.placements, history)
    merging.unlock(links, giver)
    larger = merging.hand_back(links)
    relabels = [to_identity("relabel", identity, c=links.id, n=member.number) for identity, member in members.items()]
    realiases = [to_customer("realias", id_, by=links.id, n=alias.number) for id_, alias in aliases.items()]
    return [*taken, *relabels, *realiases, *larger, *handed]


def _begin_part(links: CustomerLinks, message: Message, history: History) -> Out:
    taken = [to_customer("absorbed", message["from"])]
    if links.id in links.taken:
        return taken
    whole = CustomerLinks.decode(message["l"])
    for name in ("born_with", "members", "aliases", "pairs", "refused", "ties", "placements", "heard"):
        setattr(links, name, getattr(whole, name))
    links.taken[links.id] = None
    history.union(message["h"], apart=True)
    return taken


def _command(links: CustomerLinks, message: Message, history: History) -> Out:
    """Obeys, or asks those that were split off; the last of them sets the command aside."""
    if history.obey(message["v"]):
        return []
    seen = [*message.get("p", ()), links.id]
    others = [id_ for id_ in [*message.get("nx", ()), *links.parts] if id_ not in seen]
    if not others:
        history.refuse(message["v"])
        return []
    first, *rest = dict.fromkeys(others)
    return [Outgoing("customer", first, {**message, "c": first, "p": seen, "nx": rest})]


_HANDLERS: dict[str, Callable[[CustomerLinks, Message, History], Out]] = {
    "event": _event,
    "release": release,
    "moved": _moved,
    "link": _link,
    "cut": _cut,
    "edge": _queue,
    "rejoin": _queue,
    "forget": _queue,
    "ask": merging.answer,
    "absorb": _absorb,
    "part": _begin_part,
    "command": _command,
    "absorbed": _settled,
    "realias": _settled,
    "erase": _settled,
}
"""All else is a word about a question."""
