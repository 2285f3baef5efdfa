"""Who spoke on a public thread, and whose the events are that name nobody: `threads`, for one record of the protocol.

An event without an author that answers one whose author is known follows it for good. The others stay here, each with
the number of its placement, so that it can be placed anew when an earlier first contact, or the event that it answers,
comes late. Its first customer gets it from here; the old ones are told whose it is, and who has it hands it on
(`placements`). The higher number counts wherever both end up. An author is known by the identity that spoke, so that an
event finds its customer after merges and splits. An event answered on another thread is not looked for.

The record is bounded (`bounds`). Where there is no room for one more event, the oldest that have moved to whom they
answer are decided, then the oldest that were placed as soon as they came: they stay with whom they follow, and only
that is remembered. If there is none, the new one is decided when it comes; without an author it is a customer of its
own. Nothing else may be let go: an event that waits, or may move yet, is sent from here again where a message was lost.
One that is decided comes again with its own message. What told it to move was sent before hundreds of others came; if
a crash took all of that in one batch, it stays where it was first.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from schemas.codec import dumps
from streams.identity import bounds
from streams.identity.messages import Message, Outgoing, counted, to_customer, to_identity

Order = tuple[int, int, str]


class Speaker(NamedTuple):
    """Who spoke: the identity, and its customer then (perhaps an alias by now, or one that it has left).

    A record of the first version does not tell the identity. The customer is None for an event of nobody's, which is
    an identity of its own.
    """

    identity: str | None
    customer: str | None


@dataclass(slots=True)
class Loose:
    """An event without an author. `author` is the event whose customer, `speaker`, it follows.

    `past`: with whom it was before. `by`: the event whose coming placed it last; None where a former version did.
    """

    event: Any
    reply_to: str | None
    author: str | None = None
    number: int = 0
    past: list[Speaker] = field(default_factory=list)
    speaker: Speaker | None = None
    by: str | None = None
    room: int = 0
    """Bytes that it takes."""

    def encode(self) -> list[Any]:
        """As a JSON list."""
        speaker = [list(self.speaker)] if self.speaker is not None else []
        past = [list(speaker) for speaker in self.past]
        return [self.event, self.reply_to, self.author, self.number, past, self.by, self.room, *speaker]


@dataclass(slots=True)
class Speakers:
    """The speakers by event id, the first contact, and the loose events by id. What is decided has a speaker, too."""

    spoken: dict[str, Speaker] = field(default_factory=dict)
    first: Order | None = None
    loose: dict[str, Loose] = field(default_factory=dict)
    spoken_room: int = 0
    """Bytes that the speakers take, and"""
    loose_room: int = 0
    """the loose events, and"""
    past_room: int = 0
    """of that with whom they were."""
    counts: Counter[str] = field(default_factory=Counter, compare=False)
    """What the message being taken has led to, for the metrics."""

    def take(self, message: Message) -> tuple[list[Outgoing], bool]:
        """Takes a `spoke`, `loose` or `unspoke` message; what to send, and whether anything changed."""
        out: list[Outgoing] = []
        changed = True
        match message["t"]:
            case "loose":
                out, changed = self._loose(message)
            case "spoke":
                out, changed = self._spoke(message)
            case _:
                self._forget(set(message["by"]))
        counts, self.counts = self.counts, Counter()
        return out + [counted(what, number) for what, number in counts.items()], changed

    def _loose(self, message: Message) -> tuple[list[Outgoing], bool]:
        id_ = message["id"]
        if id_ in self.loose:
            return self._sends(id_, None), False
        if id_ in self.spoken:
            return [_event(id_, self.spoken[id_], 1, message["e"]), *self._sends(id_, None)], False
        loose = self.loose[id_] = Loose(message["e"], message["r"])
        self._place(id_, id_)
        self._measure(id_, loose)
        out: list[Outgoing] = []
        if _is_settled(loose):
            out.append(_event(id_, self._decide(id_), 1, message["e"]))
        elif self._has_no_room(but=id_):
            self.counts["thread_events_alone" if loose.speaker is None else "thread_events_decided"] += 1
            out.append(_event(id_, self._decide(id_), 1, message["e"]))
        self._place_answers(id_)
        return out + self._sends(id_), True

    def _spoke(self, message: Message) -> tuple[list[Outgoing], bool]:
        id_, order = message["id"], (message["o"][0], message["o"][1], message["o"][2])
        if id_ in self.spoken:
            return self._sends(id_, None), False
        earlier = message["k"] and (self.first is None or order < self.first)
        self.first = order if earlier else self.first
        self._note(id_, Speaker(message["by"], message["c"]))
        if earlier:
            for other in self.loose:
                self._place(other, id_)
        else:
            self._place_answers(id_)
        return self._sends(id_), True

    def _place_answers(self, id_: str) -> None:
        """Places anew what answers this event, over any number of steps."""
        if any(loose.reply_to == id_ for loose in self.loose.values()):
            for other in self.loose:
                self._place(other, id_)

    def _place(self, id_: str, by: str) -> None:
        loose, found = self.loose[id_], self._author(id_)
        if found is None or found[0] == loose.author:
            return
        author, speaker = found
        if speaker != loose.speaker:
            if loose.speaker is not None and loose.speaker not in loose.past:
                if self.past_room > bounds.PAST_BYTES_MAX:
                    self.counts["thread_moves_refused"] += 1
                    return
                loose.past.append(loose.speaker)
                self.past_room += _past_room([loose.speaker])
            loose.speaker, loose.by = speaker, by
            loose.number += 1
        loose.author = author
        self._measure(id_, loose)

    def _author(self, id_: str) -> tuple[str, Speaker] | None:
        """The event that it follows, and by whom that is."""
        seen, step = {id_}, self.loose[id_]
        while (named := step.reply_to) is not None and named not in seen:
            if named in self.spoken:
                return named, self.spoken[named]
            if named == step.author and step.speaker is not None:  # has been let go since
                return named, step.speaker
            if named not in self.loose:
                break
            seen.add(named)
            step = self.loose[named]
        return (self.first[2], self.spoken[self.first[2]]) if self.first is not None else None

    def _sends(self, *by: str | None) -> list[Outgoing]:
        """Sends what the coming of this event has placed: when it comes again that may not have been sent.

        What others have placed since is sent when those come again.
        """
        out = []
        for other, loose in self.loose.items():
            if loose.speaker is None or loose.by not in by:
                continue
            first, number = (loose.past[0], 1) if loose.past else (loose.speaker, loose.number)
            out.append(_event(other, first, number, loose.event))
            released = {"id": other, "num": loose.number, "to": loose.speaker.identity}
            past = (one for one in loose.past if one != loose.speaker and one.customer is not None)
            out += [to_customer("release", str(one.customer), i=one.identity, **released) for one in past]
        return out

    # -- bounds -----------------------------------------------------------------------------------------

    def _measure(self, id_: str, loose: Loose) -> None:
        room = len(dumps([id_, loose.encode()]))
        self.loose_room += room - loose.room
        loose.room = room

    def _has_no_room(self, but: str) -> bool:
        """Decides events, the oldest first; True if there is no room all the same.

        First those that have moved to whom they answer, which are here only to be sent again; then those that were
        placed when they came.
        """
        if not self._is_full():
            return False
        for id_ in [id_ for id_, loose in self.loose.items() if loose.past and _is_settled(loose)]:
            if self._is_full():
                self._decide(id_)
        placed = [id_ for id_, loose in self.loose.items() if loose.by == id_ and loose.number == 1 and id_ != but]
        for id_ in placed:
            if self._is_full():
                self.counts["thread_events_decided"] += 1
                self._decide(id_)
        return self._is_full()

    def _is_full(self) -> bool:
        return len(self.loose) > bounds.LOOSE_MAX or self.loose_room - self.past_room > bounds.LOOSE_BYTES_MAX

    def _decide(self, id_: str) -> Speaker:
        """The event stays where it is; without an author it is a customer of its own."""
        decided = self.loose.pop(id_)
        self.loose_room -= decided.room
        self.past_room -= _past_room(decided.past)
        speaker = decided.speaker or Speaker(f"event:{id_}", None)
        for loose in self.loose.values():
            if loose.reply_to == id_ and loose.speaker == speaker:
                loose.author = id_
        self._note(id_, speaker)
        return speaker

    def _note(self, id_: str, speaker: Speaker) -> None:
        """Remembers who spoke, and forgets the oldest where they are too many, but not the first contact."""
        self.spoken[id_] = speaker
        self.spoken_room += _room(id_, speaker)
        kept = (id_, self.first[2] if self.first is not None else None)
        while self.spoken_room > bounds.SPOKEN_BYTES_MAX:
            oldest = next((other for other in self.spoken if other not in kept), None)
            if oldest is None:
                break
            self.spoken_room -= _room(oldest, self.spoken.pop(oldest))
            self.counts["thread_speakers_let_go"] += 1

    def _forget(self, identities: set[str]) -> None:
        """Erases what these have said, and what was said to them."""
        gone = {id_ for id_, speaker in self.spoken.items() if speaker.identity in identities}
        self.spoken = {id_: speaker for id_, speaker in self.spoken.items() if id_ not in gone}
        self.spoken_room = _total(self.spoken)
        self.loose = {
            id_: loose
            for id_, loose in self.loose.items()
            if loose.speaker is None or loose.speaker.identity not in identities
        }
        for loose in self.loose.values():
            loose.past = [speaker for speaker in loose.past if speaker.identity not in identities]
        self.loose_room, self.past_room = _rooms(self.loose)
        if self.first is not None and self.first[2] in gone:
            self.first = None

    # -- stored -----------------------------------------------------------------------------------------

    def encode(self) -> dict[str, Any]:
        """As a JSON object."""
        loose = {id_: loose.encode() for id_, loose in self.loose.items()}
        return {"a": {id_: list(speaker) for id_, speaker in self.spoken.items()}, "f": self.first, "l": loose}

    @classmethod
    def decode(cls, stored: dict[str, Any]) -> "Speakers":
        """What `encode` stored; former versions did not tell who placed an event, nor name its speaker."""
        first = stored["f"]
        spoken = {id_: _speaker(speaker) for id_, speaker in stored["a"].items()}
        loose = {id_: _loose(id_, fields, spoken) for id_, fields in stored["l"].items()}
        return cls(spoken, (first[0], first[1], first[2]) if first else None, loose, _total(spoken), *_rooms(loose))


def _is_settled(loose: Loose) -> bool:
    """It follows the event that it answers."""
    return loose.author is not None and loose.author == loose.reply_to


def _event(id_: str, speaker: Speaker, number: int, event: Any) -> Outgoing:
    fields = {"id": id_, "num": number, "n": [], "e": event, "f": 1}
    if speaker.customer is None:
        return to_identity("event", str(speaker.identity), **fields)
    return to_customer("event", speaker.customer, i=speaker.identity, **fields)


def _room(id_: str, speaker: Speaker) -> int:
    return len(dumps([id_, *speaker]))


def _past_room(past: Iterable[Speaker]) -> int:
    return sum(len(dumps([*speaker])) for speaker in past)


def _rooms(loose: Mapping[str, Loose]) -> tuple[int, int]:
    return sum(one.room for one in loose.values()), sum(_past_room(one.past) for one in loose.values())


def _total(spoken: dict[str, Speaker]) -> int:
    return sum(_room(id_, speaker) for id_, speaker in spoken.items())


def _speaker(stored: Any) -> Speaker:
    return Speaker(None, stored) if isinstance(stored, str) else Speaker(*stored)


def _loose(id_: str, fields: list[Any], spoken: dict[str, Speaker]) -> Loose:
    event, reply_to, author, number, past, *more = fields
    before = [_speaker(speaker) for speaker in past]
    if not more:
        loose = Loose(event, reply_to, author, number, before, spoken[author] if author else None)
        loose.room = len(dumps([id_, loose.encode()]))
        return loose
    by, room, *speaker = more
    return Loose(event, reply_to, author, number, before, _speaker(speaker[0]) if speaker else None, by, room)
