"""The customer's side of the protocol: members, aliases, merges, and what is to be done to the history.

Of two ids that are one customer's, the larger becomes an alias of the smaller, so aliases point to ever smaller ids
and in no circle. Ids begin with the time of birth: the older customer survives. A history is united once, however often
it comes: an alias gives it to one customer only, which knows its aliases, and what it gives does not change any more.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from streams.identity.messages import Message, Outgoing, merge_of, to_customer, to_identity

LINKS_VERSION = 1

Placement = tuple[int, bool]
"""The number of a placement, and whether the event is here since. The larger one counts."""


@dataclass(frozen=True, slots=True)
class Fold:
    """Put the event into the log."""

    event: Any


@dataclass(frozen=True, slots=True)
class Union:
    """Unite the log with that of another customer."""

    history: Any


@dataclass(frozen=True, slots=True)
class Drop:
    """Take the event out of the log."""

    event_id: str


@dataclass(frozen=True, slots=True)
class Clear:
    """The history is safe elsewhere."""


@dataclass(frozen=True, slots=True)
class Obey:
    """A command for this customer."""

    command: Any


Effect = Fold | Union | Drop | Clear | Obey


@dataclass(slots=True)
class CustomerLinks:
    """Who a customer is. `held`: an alias that still keeps its history, until the survivor says that it has it."""

    id: str
    alias_of: str | None = None
    held: bool = False
    members: dict[str, None] = field(default_factory=dict)
    aliases: dict[str, None] = field(default_factory=dict)
    placements: dict[str, Placement] = field(default_factory=dict)

    def encode(self) -> dict[str, Any]:
        """As a JSON object."""
        return {
            "v": LINKS_VERSION,
            "id": self.id,
            "of": self.alias_of,
            "h": self.held,
            "m": list(self.members),
            "a": list(self.aliases),
            "p": self.placements,
        }

    @classmethod
    def decode(cls, stored: dict[str, Any]) -> "CustomerLinks":
        """What `encode` stored; raises ValueError for a state of a newer version."""
        if stored["v"] > LINKS_VERSION:
            msg = f"links of version {stored['v']} are newer than this program's {LINKS_VERSION}"
            raise ValueError(msg)
        placements = {id_: (number, here) for id_, (number, here) in stored["p"].items()}
        members, aliases = dict.fromkeys(stored["m"]), dict.fromkeys(stored["a"])
        return cls(stored["id"], stored["of"], stored["h"], members, aliases, placements)


def on_customer(
    links: CustomerLinks | None, message: Message, history: Callable[[], Any]
) -> tuple[CustomerLinks, list[Outgoing], list[Effect]]:
    """Takes a message to a customer; the links, changed in place, what to send, and what to do to the history.

    `history` gives the whole history, opaque, for the survivor of a merge.
    """
    links = links or CustomerLinks(message["c"])
    if links.alias_of is not None:
        return links, *_at_alias(links, links.alias_of, message, history)
    out: list[Outgoing] = []
    effects: list[Effect] = []
    match message["t"]:
        case "event":
            if message["i"] is not None:
                links.members[message["i"]] = None
            out = _relabel_forwarded(links, message)
            if "n" not in message or _placed(links, message["id"], (message["n"], True)):
                effects.append(Fold(message["e"]))
        case "release":
            if _placed(links, message["id"], (message["n"], False)):
                effects.append(Drop(message["id"]))
        case "joined":
            links.members[message["i"]] = None
            out = _relabel_forwarded(links, message)
        case "merge":
            links.alias_of, links.held = message["x"], True
            out = [_absorb(links, message["x"], history)]
        case "absorb":
            effects = _take_over(links, message) if message["from"] not in links.aliases else []
            out = [*_relabel(message["m"], links.id), to_customer("absorbed", message["from"], by=links.id)]
        case "command":
            effects.append(Obey(message["v"]))
        case "absorbed":
            pass
        case tag:
            msg = f"unknown message to a customer: {tag}"
            raise ValueError(msg)
    return links, out, effects


def _at_alias(
    links: CustomerLinks, survivor: str, message: Message, history: Callable[[], Any]
) -> tuple[list[Outgoing], list[Effect]]:
    match message["t"]:
        case "merge":
            again = [_absorb(links, survivor, history)] if links.held else []
            return again + merge_of(survivor, message["x"]), []
        case "absorbed":
            links.alias_of = min(survivor, message["by"])
            was_held, links.held = links.held, False
            return [], [Clear()] if was_held else []
        case "absorb" if message["from"] in links.aliases:  # taken before; it goes with this one's own history
            return [to_customer("absorbed", message["from"], by=links.id)], []
        case "event" | "joined" | "absorb" | "release" | "command":
            forward = Outgoing("customer", survivor, {**message, "c": survivor, "f": True})
            if links.held and message["t"] in ("event", "command"):
                # The survivor must know the history first, or it would say anew what has been said about the event.
                return [_absorb(links, survivor, history), forward], []
            return [forward], []
        case tag:
            msg = f"unknown message to a customer: {tag}"
            raise ValueError(msg)


def _absorb(links: CustomerLinks, survivor: str, history: Callable[[], Any]) -> Outgoing:
    whole = {"m": list(links.members), "a": list(links.aliases), "p": dict(links.placements), "h": history()}
    return to_customer("absorb", survivor, **{"from": links.id}, **whole)


def _relabel_forwarded(links: CustomerLinks, message: Message) -> list[Outgoing]:
    """Who came by an alias is told the way: by the one who knows the member, so that no later merge forgets it."""
    return _relabel([message["i"]], links.id) if message.get("f") and message["i"] is not None else []


def _relabel(members: list[str], survivor: str) -> list[Outgoing]:
    return [to_identity("relabel", identity, c=survivor) for identity in members]


def _take_over(links: CustomerLinks, message: Message) -> list[Effect]:
    links.members.update(dict.fromkeys(message["m"]))
    links.aliases.update(dict.fromkeys([message["from"], *message["a"]]))
    for id_, (number, here) in message["p"].items():
        _placed(links, id_, (number, here))
    gone = [id_ for id_, (_, here) in links.placements.items() if not here]
    return [Union(message["h"]), *map(Drop, gone)]


def _placed(links: CustomerLinks, event_id: str, placement: Placement) -> bool:
    """Notes a placement; False where a later one is known."""
    known = links.placements.get(event_id)
    if known is not None and known > placement:
        return False
    links.placements[event_id] = placement
    return True
