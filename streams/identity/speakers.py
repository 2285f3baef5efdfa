"""Who spoke on a public thread, and whose the events are that name nobody: `threads`, for one record of the protocol.

The events without an author stay here, each with the number of its placement, so that it can be placed anew when an
earlier first contact, or the event that it answers, comes late. Its first customer gets it from here; the old ones are
told whose it is, and who has it hands it on (`placements`). The higher number counts wherever both end up. An author is
known by the identity that spoke, so that an event finds its customer after merges and splits. An event answered on
another thread is not looked for.
"""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from streams.identity.messages import Message, Outgoing, to_customer

Order = tuple[int, int, str]


class Speaker(NamedTuple):
    """Who spoke: the identity, and its customer then (perhaps an alias by now, or one that it has left).

    A record of the first version does not tell the identity.
    """

    identity: str | None
    customer: str


@dataclass(slots=True)
class Loose:
    """An event without an author. `author` is the event whose customer it follows, `past` with whom it was before."""

    event: Any
    reply_to: str | None
    author: str | None = None
    number: int = 0
    past: list[Speaker] = field(default_factory=list)


@dataclass(slots=True)
class Speakers:
    """The speakers by event id, the first contact, and the loose events by id."""

    spoken: dict[str, Speaker] = field(default_factory=dict)
    first: Order | None = None
    loose: dict[str, Loose] = field(default_factory=dict)

    def take(self, message: Message) -> tuple[list[Outgoing], bool]:
        """Takes a `spoke`, `loose` or `unspoke` message; what to send, and whether anything changed."""
        match message["t"]:
            case "loose":
                return self._loose(message)
            case "spoke":
                return self._spoke(message)
            case _:
                self._forget(set(message["by"]))
                return [], True

    def _loose(self, message: Message) -> tuple[list[Outgoing], bool]:
        id_ = message["id"]
        if id_ in self.loose:
            return self._sends(*self.loose), False  # what it moved may not have been sent the first time
        self.loose[id_] = Loose(message["e"], message["r"])
        return self._sends(*[other for other in self.loose if self._place(other)]), True

    def _spoke(self, message: Message) -> tuple[list[Outgoing], bool]:
        id_, order = message["id"], (message["o"][0], message["o"][1], message["o"][2])
        fresh = id_ not in self.spoken
        if fresh:
            self.spoken[id_] = Speaker(message["by"], message["c"])
            if message["k"] and (self.first is None or order < self.first):
                self.first = order
            for other in self.loose:
                self._place(other)
        return self._sends(*(other for other, loose in self.loose.items() if loose.author == id_)), fresh

    def _place(self, id_: str) -> bool:
        """Whether its author is another one now."""
        loose = self.loose[id_]
        author = self._author(id_)
        if author == loose.author:
            return False
        if loose.author is not None and self.spoken[loose.author] not in loose.past:
            loose.past.append(self.spoken[loose.author])
        loose.author = author
        loose.number += 1
        return True

    def _author(self, id_: str) -> str | None:
        first = self.first[2] if self.first else None
        seen = {id_}
        named = self.loose[id_].reply_to
        while named is not None and named not in seen:
            if named in self.spoken:
                return named
            if named not in self.loose:
                break
            seen.add(named)
            named = self.loose[named].reply_to
        return first

    def _sends(self, *ids: str) -> list[Outgoing]:
        out = []
        for id_ in ids:
            loose = self.loose[id_]
            if loose.author is None:
                continue
            author = self.spoken[loose.author]
            first, number = (loose.past[0], 1) if loose.past else (author, loose.number)
            fields = {"i": first.identity, "id": id_, "num": number, "n": [], "e": loose.event, "f": 1}
            out.append(to_customer("event", first.customer, **fields))
            released = {"id": id_, "num": loose.number, "to": author.identity}
            past = (other for other in loose.past if other != author)
            out += [to_customer("release", other.customer, i=other.identity, **released) for other in past]
        return out

    def _forget(self, identities: set[str]) -> None:
        """Erases what these have said, and what was said to them."""
        gone = {id_ for id_, speaker in self.spoken.items() if speaker.identity in identities}
        self.spoken = {id_: speaker for id_, speaker in self.spoken.items() if id_ not in gone}
        self.loose = {id_: loose for id_, loose in self.loose.items() if loose.author not in gone}
        for loose in self.loose.values():
            loose.past = [speaker for speaker in loose.past if speaker.identity not in identities]
        if self.first is not None and self.first[2] in gone:
            self.first = None

    def encode(self) -> dict[str, Any]:
        """As a JSON object."""
        loose = {
            id_: [x.event, x.reply_to, x.author, x.number, [list(speaker) for speaker in x.past]]
            for id_, x in self.loose.items()
        }
        return {"a": {id_: list(speaker) for id_, speaker in self.spoken.items()}, "f": self.first, "l": loose}

    @classmethod
    def decode(cls, stored: dict[str, Any]) -> "Speakers":
        """What `encode` stored."""
        first = stored["f"]
        spoken = {id_: _speaker(speaker) for id_, speaker in stored["a"].items()}
        loose = {
            id_: Loose(event, reply_to, author, number, [_speaker(speaker) for speaker in past])
            for id_, (event, reply_to, author, number, past) in stored["l"].items()
        }
        return cls(spoken, (first[0], first[1], first[2]) if first else None, loose)


def _speaker(stored: Any) -> Speaker:
    return Speaker(None, stored) if isinstance(stored, str) else Speaker(*stored)
