"""The consumer group, as its coordinator at the broker sees it: members, generations, assignments, committed offsets."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import NamedTuple

from aiokafka.errors import IllegalGenerationError, UnknownMemberIdError
from faust.types import TP

from tests.shellsim.broker import OUTSIDE
from tests.shellsim.loop import VirtualLoop

OK, REJOIN, UNKNOWN = "ok", "rejoin", "unknown"


class Share(NamedTuple):
    """What a member gets: its id, the generation, and the numbers of its partitions."""

    member: int
    generation: int
    numbers: tuple[int, ...]


@dataclass
class Member:
    """`joined`: the answer that it waits for while partitions are shared out anew."""

    heard_at: float
    joined: "asyncio.Future[Share] | None" = None


class Group:
    """Shares partitions out, eagerly: everybody gives all back, then everybody gets some. Seconds are the loop's."""

    def __init__(
        self, loop: VirtualLoop, random: Random, partitions: int, session_s: float, rebalance_s: float
    ) -> None:
        self._loop = loop
        self._random = random
        self._partitions = partitions
        self._session_s = session_s
        self._rebalance_s = rebalance_s
        self._last_member = 0
        self._round = 0
        self.generation = 0
        self.preparing = False
        self.members: dict[int, Member] = {}
        self.heard_at: dict[int, float] = {}
        """When each member that ever was has given its last sign of life."""
        self.shares: dict[int, tuple[int, ...]] = {}
        self.committed: dict[TP, int] = {}
        self.on_commit: Callable[[TP, int], None] = lambda *_: None

    def may_write(self, member: int | None, number: int) -> bool:
        """May this member believe that a partition is its own? It may while nobody has told it otherwise."""
        if member in self.shares:
            return number in self.shares[member]
        return self._loop.time() <= self.heard_at.get(member or 0, 0.0) + self._session_s

    def join(self, member: int | None) -> "asyncio.Future[Share]":
        """Ask for a share; done once all have asked, or time is up for those who have not."""
        if member is None or member not in self.members:
            self._last_member += 1
            member = self._last_member
            self.members[member] = Member(self._loop.time())
            self._watch(member)
        self.members[member].joined = self._loop.create_future()
        self.heard_at[member] = self._loop.time()
        self._prepare()
        self._complete_if_all()
        waiting = self.members[member].joined if member in self.members else None
        return waiting or self._answered[member]

    def leave(self, member: int | None) -> None:
        """Give everything back at once."""
        if member is not None and self.members.pop(member, None) is not None:
            self._prepare()
            self._complete_if_all()

    def heartbeat(self, member: int | None, generation: int) -> str:
        """A sign of life."""
        known = self.members.get(member or 0)
        if known is None or (generation != self.generation and not self.preparing):
            return UNKNOWN
        known.heard_at = self.heard_at[member or 0] = self._loop.time()
        return REJOIN if self.preparing else OK

    def commit(self, member: int | None, generation: int, offsets: Mapping[TP, int]) -> None:
        """Note offsets. Raises UnknownMemberIdError and IllegalGenerationError."""
        if member not in self.members:
            raise UnknownMemberIdError
        if generation != self.generation:
            raise IllegalGenerationError
        for tp, offset in offsets.items():
            self.on_commit(tp, offset)
            self.committed[tp] = offset

    # -- sharing out --------------------------------------------------------------------------------------------

    _answered: dict[int, "asyncio.Future[Share]"]

    def _prepare(self) -> None:
        if self.preparing or not self.members:
            return
        self.preparing = True
        self._answered = {}
        self._round += 1
        self._loop.call_later(self._rebalance_s, self._time_is_up, self._round, context=OUTSIDE)

    def _time_is_up(self, number: int) -> None:
        if self.preparing and number == self._round:
            self.members = {id_: member for id_, member in self.members.items() if member.joined is not None}
            self._complete_if_all()

    def _complete_if_all(self) -> None:
        if not self.preparing or any(member.joined is None for member in self.members.values()):
            return
        self.preparing = False
        self.generation += 1
        ids = sorted(self.members)
        self.shares = dict.fromkeys(ids, ())
        self._random.shuffle(ids)
        for number in range(self._partitions if ids else 0):
            id_ = ids[number % len(ids)] if self._random.random() < 0.8 else self._random.choice(ids)
            self.shares[id_] = (*self.shares[id_], number)
        for id_, member in self.members.items():
            waiting, member.joined, member.heard_at = member.joined, None, self._loop.time()
            if waiting is not None:
                self._answered[id_] = waiting
                waiting.set_result(Share(id_, self.generation, self.shares[id_]))

    def _watch(self, member: int) -> None:
        """Look, when its session would end, whether a member is still there."""
        known = self.members.get(member)
        if known is None:
            return
        ends = known.heard_at + self._session_s
        if known.joined is not None:
            ends = self._loop.time() + self._session_s
        if ends <= self._loop.time():
            del self.members[member]
            self._prepare()
            self._complete_if_all()
            return
        self._loop.call_at(ends, self._watch, member, context=OUTSIDE)
