"""What a customer's state says about who it is: its identities, its aliases, and what it is about to find out."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, NamedTuple

from streams.header import check_version
from streams.identity.messages import Message
from streams.identity.pairs import CUT, LINKED, Assertion, Pair, pair_of

LINKS_VERSION = 3
"""Since 3 a placement says who has the event instead: a program that does not know that would leave it behind."""
HEARD_MAX = 1_000
"""How many single events are remembered to have come or gone, so that one that comes twice is taken once."""


class Member(NamedTuple):
    """An identity of a customer. `number` counts its customers so far; `by` (event or link) joined it at `at` (ms)."""

    number: int
    by: str
    at: int


class Alias(NamedTuple):
    """A former id: the identity that it was born with, and how often it has been passed on."""

    born_with: str
    number: int


class Placement(NamedTuple):
    """An event without an author: the number of the placement, whether it is here since, and whom of us it follows.

    `to`: the identity that it follows instead, where it is not here. The first records of version 2 do not tell.
    """

    number: int
    here: bool
    identity: str
    to: str | None = None


@dataclass(slots=True)
class Asking:
    """A question that has not been answered: its number. `below`: a smaller customer has it, and will come back.

    `giver`: the customer whose history is on its way to us.
    """

    number: int
    below: bool = False
    giver: str | None = None


@dataclass(slots=True)
class CustomerLinks:
    """Who a customer is.

    `todo` are the joins, splits and requests that wait for their turn, as messages; `waiting` are the questions of
    others, and `locked` is the one (customer, number) that was answered: until it is decided no member changes.
    """

    id: str
    born_with: str = ""
    alias_of: str | None = None
    alias_number: int = 0
    forgotten: bool = False
    members: dict[str, Member] = field(default_factory=dict)
    aliases: dict[str, Alias] = field(default_factory=dict)
    taken: dict[str, None] = field(default_factory=dict)
    """Customers whose history was taken over. A history that comes again is not taken again."""
    parts: list[str] = field(default_factory=list)
    """Customers that were split off."""
    pairs: dict[Pair, Assertion] = field(default_factory=dict)
    refused: dict[Pair, str] = field(default_factory=dict)
    """Edges of events that a limit has refused, and why: they stay refused."""
    ties: dict[tuple[str, ...], None] = field(default_factory=dict)
    """What events carried together that the log has let go."""
    placements: dict[str, Placement] = field(default_factory=dict)
    heard: dict[str, None] = field(default_factory=dict)
    """Messages that brought the history of a single event, and events without an author that were handed on."""
    todo: list[Message] = field(default_factory=list)
    asking: Asking | None = None
    locked: tuple[str, int] | None = None
    waiting: list[Message] = field(default_factory=list)
    turn: int = 0
    erasing: dict[int, None] = field(default_factory=dict)
    """Of a mark: the identities, by number, that may still point to it."""
    looked: dict[str, int] = field(default_factory=dict, compare=False)
    """Up to what length each of the above need not be measured again (`keeping`); not stored."""

    @property
    def lockable(self) -> bool:
        """Whether a smaller customer's question can be answered now."""
        return self.locked is None and (self.asking is None or self.asking.below)

    def is_cut(self, a: str, b: str) -> bool:
        """Whether the two have been unlinked."""
        assertion = self.pairs.get(pair_of(a, b))
        return assertion is not None and assertion.state == CUT

    def is_refused(self, a: str, b: str) -> bool:
        """Whether a limit has refused the edge."""
        return pair_of(a, b) in self.refused

    def first_time(self, mark: str) -> bool:
        """Whether the message that is marked so has not come before."""
        if mark in self.heard:
            return False
        self.note_heard((mark,))
        return True

    def note_heard(self, marks: Iterable[str]) -> None:
        """Remembers that these messages have come, and forgets the oldest where they are too many."""
        self.heard |= dict.fromkeys(marks)
        for mark in list(islice(self.heard, max(len(self.heard) - HEARD_MAX, 0))):
            del self.heard[mark]

    def mark(self) -> str:
        """A mark for a message, which no other message has."""
        self.turn += 1
        return f"{self.id}/{self.turn}"

    def linked(self) -> Iterator[Pair]:
        """The pairs that a link record joins."""
        return (pair for pair, assertion in self.pairs.items() if assertion.state == LINKED)

    def assert_pair(self, pair: Pair, assertion: Assertion) -> None:
        """Notes what a link record says, unless a newer one is known. Of one record, that it has joined them counts."""
        known = self.pairs.get(pair)
        if assertion.newer_than(known) or (known is not None and known[:2] == assertion[:2] and known.state != LINKED):
            self.pairs[pair] = assertion

    def assert_pairs(self, stored: Iterable[list[Any]]) -> None:
        """Notes what link records say, as JSON lists."""
        for pair, assertion in decode_pairs(stored).items():
            self.assert_pair(pair, assertion)

    def forget(self, erasing: Iterable[int] = ()) -> None:
        """Keep nothing but a mark that the id was once somebody's. `erasing`: the numbers of what is on its way."""
        blank = CustomerLinks(self.id, forgotten=True)
        for name in self.__slots__:
            setattr(self, name, getattr(blank, name))
        self.erasing = dict.fromkeys(erasing)

    def encode(self) -> dict[str, Any]:
        """As a JSON object, without what is empty."""
        stored: dict[str, Any] = {"v": LINKS_VERSION, "id": self.id, "b": self.born_with}
        stored |= {"of": self.alias_of, "on": self.alias_number} if self.alias_of is not None else {}
        lists: dict[str, Any] = {
            "m": {identity: list(member) for identity, member in self.members.items()},
            "a": {id_: list(alias) for id_, alias in self.aliases.items()},
            "t": list(self.taken),
            "q": self.parts,
            "k": encode_pairs(self.pairs),
            "r": [[*pair, reason] for pair, reason in self.refused.items()],
            "e": [list(tie) for tie in self.ties],
            "p": {id_: list(placement) for id_, placement in self.placements.items()},
            "u": list(self.heard),
            "d": self.todo,
            "w": self.waiting,
            "n": self.turn,
            "f": self.forgotten,
            "g": list(self.erasing),
            "l": list(self.locked) if self.locked else None,
            "s": [self.asking.number, self.asking.below, self.asking.giver] if self.asking else None,
        }
        return stored | {name: value for name, value in lists.items() if value}

    @classmethod
    def decode(cls, stored: dict[str, Any]) -> "CustomerLinks":
        """What `encode` stored, or version 1; raises ValueError for a state of a newer version."""
        check_version(stored["v"], LINKS_VERSION)
        if stored["v"] == 1:
            return _first_version(stored)
        links = cls(stored["id"], stored["b"], stored.get("of"), stored.get("on", 0), stored.get("f", False))
        links.members = {identity: Member(*member) for identity, member in stored.get("m", {}).items()}
        links.aliases = {id_: Alias(*alias) for id_, alias in stored.get("a", {}).items()}
        links.taken = dict.fromkeys(stored.get("t", ()))
        links.parts = list(stored.get("q", ()))
        links.pairs = decode_pairs(stored.get("k", ()))
        links.refused = {(a, b): reason for a, b, reason in stored.get("r", ())}
        links.ties = {tuple(tie): None for tie in stored.get("e", ())}
        links.placements = {id_: Placement(*placement) for id_, placement in stored.get("p", {}).items()}
        links.heard = dict.fromkeys(stored.get("u", ()))
        links.todo, links.waiting = list(stored.get("d", ())), list(stored.get("w", ()))
        links.turn, links.erasing = stored.get("n", 0), dict.fromkeys(stored.get("g", ()))
        links.locked = tuple(stored["l"]) if "l" in stored else None
        links.asking = Asking(*stored["s"]) if "s" in stored else None
        return links


def encode_pairs(pairs: dict[Pair, Assertion]) -> list[list[Any]]:
    """As JSON lists."""
    return [[*pair, *assertion] for pair, assertion in pairs.items()]


def decode_pairs(stored: Iterable[list[Any]]) -> dict[Pair, Assertion]:
    """What `encode_pairs` stored."""
    return {(a, b): Assertion(at, id_, state) for a, b, at, id_, state in stored}


def _first_version(stored: dict[str, Any]) -> CustomerLinks:
    """Version 1 knew no splits: who joined a member, and with whom an alias was born, is not in it."""
    members = {identity: Member(1, "", 0) for identity in stored["m"]}
    links = CustomerLinks(stored["id"], next(iter(members), ""), stored["of"], members=members)
    links.aliases = {id_: Alias(links.born_with, 0) for id_ in stored["a"]}
    links.taken = dict.fromkeys(stored["a"])
    links.placements = {id_: Placement(number, here, links.born_with) for id_, (number, here) in stored["p"].items()}
    return links
