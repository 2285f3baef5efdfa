"""The company's desks: opening hours, staff and queues. A long queue makes late answers."""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random

from schemas.times import DAY, HOUR, MINUTE, SECOND
from streams.simulation.world import World

_THURSDAY = 3  # 1970-01-01 was one; Monday is 0
BASE_CUSTOMERS = 400
"""The number of customers that the staff of the plans below is meant for."""


@dataclass(frozen=True, slots=True)
class DeskPlan:
    """How a desk is run. `busy` is the mean time (ms) that one answer takes from its staff.

    `opens` and `closes` are hours of the local day, `days` how many days from Monday on it is open.
    `outcomes` weighs what an answer turns out to be.
    """

    channel: str
    source: str
    staff: int
    busy: int
    opens: int
    closes: int
    days: int
    outcomes: Mapping[str, float]
    live: bool = False
    public: bool = False
    acknowledges: bool = False


_LETTERS = {"fix": 26, "canned": 24, "ask": 14, "promise": 12, "deflect": 11, "compensate": 6, "shrug": 7}
_CALLS = {"fix": 36, "promise": 19, "transfer": 19, "deflect": 12, "compensate": 7, "shrug": 7}
_CHATS = {"fix": 32, "deflect": 25, "transfer": 13, "canned": 10, "promise": 12, "ask": 8}
_NOTES = {"fix": 36, "canned": 16, "ask": 16, "deflect": 12, "promise": 12, "shrug": 8}
_PUBLIC = {"fix": 46, "handoff": 30, "shrug": 16, "compensate": 8}

PLANS: dict[str, DeskPlan] = {
    plan.channel: plan
    for plan in (
        DeskPlan("phone", "pbx:call", 2, 70 * MINUTE, 8, 18, 5, _CALLS, live=True),
        DeskPlan("chat", "livechat:chat", 1, 55 * MINUTE, 9, 20, 7, _CHATS, live=True),
        DeskPlan("email", "desk:ticket", 2, 24 * MINUTE, 9, 17, 5, _LETTERS, acknowledges=True),
        DeskPlan("web", "desk:form", 1, 28 * MINUTE, 9, 17, 5, _LETTERS, acknowledges=True),
        DeskPlan("app", "app:case", 1, 34 * MINUTE, 9, 18, 5, _NOTES),
        DeskPlan("messaging", "msg:conversation", 1, 25 * MINUTE, 9, 21, 7, _NOTES),
        DeskPlan("in_person", "shop:visit", 1, 60 * MINUTE, 10, 18, 6, _CALLS, live=True),
        DeskPlan("partner", "partner:case", 1, 90 * MINUTE, 9, 17, 5, _LETTERS),
        DeskPlan("social", "social:post", 3, 7 * MINUTE, 0, 24, 7, _PUBLIC, public=True),
        DeskPlan("community", "forum:topic", 1, 60 * MINUTE, 10, 16, 5, _PUBLIC, public=True),
    )
}


@dataclass(slots=True, eq=False)
class Ticket:
    """A place in a desk's queue. `taken` is called when a member of staff is free, with that desk."""

    joined_at: int
    taken: Callable[["Desk"], int]
    waiting: bool = True


@dataclass(slots=True, eq=False)
class Desk:
    """A queue in front of the staff of one channel.

    The staff is scaled to the number of customers, so that queues are as long for 40 as for 4,000.
    """

    world: World
    rng: Random
    plan: DeskPlan
    customers: int
    utc_offset: int
    free: int = 0
    queue: deque[Ticket] = field(default_factory=deque)
    busy: int = 0
    _wakes_at: int = -1

    def __post_init__(self) -> None:
        wanted = self.plan.staff * self.customers / BASE_CUSTOMERS
        self.free = max(1, round(wanted))
        self.busy = int(self.plan.busy * self.free / wanted)

    def join(self, taken: Callable[["Desk"], int], *, first: bool = False) -> Ticket:
        """Wait for an answer. `taken` does what the staff does, and returns for how long (ms) it keeps them."""
        ticket = Ticket(self.world.now, taken)
        if first:
            self.queue.appendleft(ticket)
        else:
            self.queue.append(ticket)
        ringing = self.rng.randint(5 * SECOND, 40 * SECOND) if self.plan.live else 0
        self.world.later(self.world.now + ringing, self.serve)
        return ticket

    def serve(self) -> None:
        """Give free staff the next tickets, or wait for the opening."""
        now = self.world.now
        opening = self.next_open(now)
        if opening > now:
            if self.queue and self._wakes_at < opening:
                self._wakes_at = opening
                self.world.later(opening, self.serve)
            return
        while self.free and self.queue:
            ticket = self.queue.popleft()
            if not ticket.waiting:
                continue
            ticket.waiting = False
            self.free -= 1
            self.world.later(now + ticket.taken(self), self._release)

    def _release(self) -> None:
        self.free += 1
        self.serve()

    def work_time(self) -> int:
        """How long one answer takes, in ms."""
        return max(MINUTE // 2, int(self.rng.gammavariate(2.0, self.busy / 2)))

    def next_open(self, at: int) -> int:
        """The first instant from `at` on when the desk is open (its hours never run over midnight)."""
        local = at + self.utc_offset
        for _ in range(8):
            day, within = divmod(local, DAY)
            weekday = (day + _THURSDAY) % 7
            if weekday < self.plan.days and within < self.plan.closes * HOUR:
                return max(local, day * DAY + self.plan.opens * HOUR) - self.utc_offset
            local = (day + 1) * DAY
        return local - self.utc_offset
