"""What a customer does next: answers those that wait, and takes its tasks one at a time."""

from collections.abc import Callable

from streams.identity.history import History
from streams.identity.joins import join
from streams.identity.limits import Limits
from streams.identity.links import CustomerLinks
from streams.identity.merging import answer, want
from streams.identity.messages import Message, Outgoing, to_customer, to_identity
from streams.identity.splitting import split

Out = list[Outgoing]


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


def _split(links: CustomerLinks, task: Message, history: History, _limits: Limits) -> Out:
    links.todo.pop(0)
    return split(links, (task["at"], task["id"]), history)


def _forget(links: CustomerLinks, _task: Message, history: History, _limits: Limits) -> Out:
    """Erases the customer, and lets those go on who wait for it. A mark stays: its id is nobody's now."""
    out = [to_customer("again", want["w"], q0=want["q0"]) for want in links.todo if want["k"] == "want"]
    out += [to_customer("refused", ask["from"], q=ask["q"], reason=None, by=None) for ask in links.waiting]
    erasing = range(len(links.members))
    for number, (identity, member) in zip(erasing, links.members.items(), strict=True):
        out.append(to_identity("erase", identity, n=member.number, by=links.id, k=number))
    out += [to_customer("erase", id_) for id_ in links.aliases]
    escalations, threads = history.forget()
    out += [Outgoing("tombstone", id_, {}) for id_ in escalations]
    out += [to_identity("unspoke", thread, by=list(links.members)) for thread in threads if thread not in links.members]
    links.forget(erasing)
    return out


_STEPS: dict[str, Callable[[CustomerLinks, Message, History, Limits], Out]] = {
    "join": join,
    "want": want,
    "split": _split,
    "forget": _forget,
}
