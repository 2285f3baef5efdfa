"""The channel gap over a whole run, estimated from the interactions themselves.

An estimate: threads are told apart by author, customers by a plain union of identities without limits, and an
issue is one customer's threads of one topic. It serves a closing summary; the processor measures windows.
"""

from bisect import bisect_right, insort
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from math import inf
from typing import Any

from schemas.identity import is_blocked, normalise
from schemas.times import SECOND, parse_time
from schemas.vocabulary import BY_CUSTOMER

PUBLIC_CHANNELS = frozenset({"social", "community"})


@dataclass(frozen=True, slots=True)
class GapRow:
    """One channel, or a group of them. Percentiles in seconds; None where nothing was answered."""

    name: str
    public: bool
    threads: int
    answered: int
    p50_s: float | None
    p90_s: float | None
    ratio_to_public: float | None


@dataclass(frozen=True, slots=True)
class Gap:
    """The gap between channels. `private` sums all private channels up, `public` the public ones."""

    rows: tuple[GapRow, ...]
    private: GapRow
    public: GapRow
    queue_jumps: int
    overtaken: int


@dataclass(slots=True)
class _Thread:
    channel: str
    public: bool
    topic: str | None
    author: str
    begun: int
    answered: int | None = None
    ended: int | None = None


@dataclass(slots=True)
class GapEstimate:
    """Takes interactions and links in any order; `gap` says what they amount to.

    `is_public` tells whether a channel is public where an interaction does not say so itself.
    """

    is_public: Callable[[str], bool] = PUBLIC_CHANNELS.__contains__
    _asked: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    _answers: dict[str, list[tuple[int, str | None]]] = field(default_factory=dict)
    _ends: dict[str, list[int]] = field(default_factory=dict)
    _authors: dict[str, str] = field(default_factory=dict)
    _parents: dict[str, str] = field(default_factory=dict)

    def add(self, value: Mapping[str, Any]) -> None:
        """Take one valid interaction, or one link record."""
        if "action" in value:
            if value["action"] == "link":
                self._join(_names([value["a"], value["b"]]))
            return
        kind, thread = value["kind"], value.get("thread")
        if thread is None:
            return
        public = value.get("public")
        public = self.is_public(value["channel"]) if public is None else public
        names = _names(value.get("identities") or ())
        if not public:
            names.append(f"thread:{thread}")
        self._join(names)
        actor = (value.get("actor") or {}).get("type") or ("customer" if kind in BY_CUSTOMER else "agent")
        if kind == "contact" and actor == "customer":
            self._ask(value, thread, names[0] if public and names else f"thread:{thread}", public=public)
        elif actor == "agent" and _answers(kind, value.get("data") or {}):
            self._answers.setdefault(thread, []).append((parse_time(value["occurred_at"]), value.get("in_reply_to")))
        if _ends(kind, value.get("data") or {}):
            self._ends.setdefault(thread, []).append(parse_time(value["occurred_at"]))

    def _ask(self, value: Mapping[str, Any], thread: str, author: str, *, public: bool) -> None:
        at = parse_time(value["occurred_at"])
        self._authors[value["id"]] = author
        known = self._asked.get((thread, author))
        if known is None or at < known["begun"]:
            topic = value.get("topic") or (known and known["topic"])
            self._asked[thread, author] = {"channel": value["channel"], "public": public, "topic": topic, "begun": at}

    def _join(self, names: list[str]) -> None:
        for name in names[1:]:
            first, second = self._root(names[0]), self._root(name)
            if first != second:
                self._parents[max(first, second)] = min(first, second)

    def _root(self, name: str) -> str:
        while (parent := self._parents.get(name, name)) != name:
            self._parents[name] = self._parents.get(parent, parent)
            name = parent
        return name

    def gap(self) -> Gap:
        """The gap over all that was taken."""
        threads = self._threads()
        public = [thread for thread in threads if thread.public]
        private = [thread for thread in threads if not thread.public]
        base = _row("public", public, None, public=True)
        channels = sorted({(thread.public, thread.channel) for thread in threads})
        rows = [_row(name, _on(threads, name, side), base.p50_s, public=side) for side, name in channels]
        return Gap(
            tuple(sorted(rows, key=lambda row: -(row.p50_s or 0))),
            _row("private", private, base.p50_s, public=False),
            base,
            self._jumps(public, private),
            _overtaken(public, private),
        )

    def _threads(self) -> list[_Thread]:
        """The threads, each with its first answer that is not older than its first contact."""
        found = []
        for (thread, author), asked in self._asked.items():
            answers = [
                at
                for at, reply_to in self._answers.get(thread, ())
                if at >= asked["begun"] and (not asked["public"] or self._authors.get(reply_to or "", author) == author)
            ]
            ends = [at for at in self._ends.get(thread, ()) if at >= asked["begun"]]
            answered, ended = min(answers, default=None), min(ends, default=None)
            found.append(_Thread(**asked, author=author, answered=answered, ended=ended))
        return found

    def _jumps(self, public: list[_Thread], private: list[_Thread]) -> int:
        waiting: dict[str, list[_Thread]] = {}
        for thread in private:
            waiting.setdefault(self._root(thread.author), []).append(thread)
        return sum(
            any(
                other.begun < thread.begun and _end(other) > thread.answered and _same(other.topic, thread.topic)
                for other in waiting.get(self._root(thread.author), ())
            )
            for thread in public
            if thread.answered is not None
        )


def _overtaken(public: list[_Thread], private: list[_Thread]) -> int:
    """How often a private thread had waited longer than a public one at the moment of the latter's first answer."""
    older = sorted(private, key=lambda thread: thread.begun, reverse=True)
    ends: list[float] = []
    found = 0
    for thread in sorted(public, key=lambda thread: thread.begun):
        if thread.answered is None:
            continue
        while older and older[-1].begun < thread.begun:
            insort(ends, _end(older.pop()))
        found += len(ends) - bisect_right(ends, thread.answered)
    return found


def _names(identities: Iterable[Mapping[str, str]]) -> list[str]:
    found = [normalise(identity["type"], identity["value"]) for identity in identities]
    return [str(identity) for identity in found if not is_blocked(identity)]


def _answers(kind: str, data: Mapping[str, Any]) -> bool:
    return kind == "answered" or (kind == "reply" and not data.get("auto") and not data.get("canned"))


def _ends(kind: str, data: Mapping[str, Any]) -> bool:
    return kind in ("abandoned", "confirmed") or (kind == "status" and data.get("status") in ("solved", "closed"))


def _on(threads: list[_Thread], channel: str, public: bool) -> list[_Thread]:  # noqa: FBT001 - half of a pair
    return [thread for thread in threads if thread.channel == channel and thread.public == public]


def _end(thread: _Thread) -> float:
    """When the thread ceased to wait for a first answer."""
    return min((end for end in (thread.answered, thread.ended) if end is not None), default=inf)


def _same(one: str | None, other: str | None) -> bool:
    return one is None or other is None or one == other


def _row(name: str, threads: list[_Thread], base_s: float | None, *, public: bool) -> GapRow:
    waits = sorted((t.answered - t.begun) / SECOND for t in threads if t.answered is not None)
    p50 = percentile(waits, 0.5)
    return GapRow(
        name=name,
        public=public,
        threads=len(threads),
        answered=len(waits),
        p50_s=p50,
        p90_s=percentile(waits, 0.9),
        ratio_to_public=p50 / base_s if p50 is not None and base_s else None,
    )


def percentile(ordered: list[float], share: float) -> float | None:
    """The nearest-rank percentile of an ascending list; None where it is empty."""
    return ordered[min(len(ordered) - 1, max(0, -int(-share * len(ordered) // 1) - 1))] if ordered else None
