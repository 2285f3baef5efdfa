"""Which happenings of one customer are one problem, and when it was unresolved: the observer's own bookkeeping.

Written from the contract (section 4), apart from the core, so that the two can be held against each other. Known is
more than the core has: the true customer, and every event in its order.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from schemas.times import HOUR
from streams.simulation.stories import Happening

REPEAT_WINDOW = 168 * HOUR
QUIET_AFTER = 336 * HOUR
DROP_AFTER = 2160 * HOUR
FOREVER = 2**62
"""An end that has not come."""

Span = tuple[int, int]


@dataclass(slots=True, eq=False)
class CaseThread:
    """A conversation: when the customer last wrote (ms), whether it is open, and how it ended."""

    id: str
    public: bool
    asked_at: int | None = None
    state: str = "open"
    """open, solved, ended (it fell quiet) or merged."""
    solved_at: int = 0
    into: "CaseThread | None" = None

    @property
    def root(self) -> "CaseThread":
        """The thread that this one is part of by now."""
        return self if self.into is None else self.into.root


@dataclass(slots=True, eq=False)
class Case:
    """One problem of one customer, over however many threads and channels."""

    topic: str
    happenings: list[Happening] = field(default_factory=list)
    threads: dict[str, CaseThread] = field(default_factory=dict)
    unresolved: list[list[int]] = field(default_factory=list)
    """[from, to) in ms; `FOREVER` while it lasts."""
    settled: list[tuple[int, frozenset[str]]] = field(default_factory=list)
    """Each solve, and the threads that it settled: its own, and the earlier attempts at the same thing."""
    reopened: list[int] = field(default_factory=list)
    """When the customer came back to a thread that had been solved."""
    searches: list[Happening] = field(default_factory=list)
    """The failed attempts of this customer to help themselves, of this topic or of no topic known."""
    _asked_at: int | None = None
    _answered_at: int | None = None

    @property
    def contacts(self) -> list[Happening]:
        """The customer's contacts, in order."""
        return [happening for happening in self.happenings if happening.kind == "contact"]

    @property
    def open(self) -> bool:
        """True while it is unresolved."""
        return bool(self.unresolved) and self.unresolved[-1][1] == FOREVER

    @property
    def solved_at(self) -> int | None:
        """When it was resolved for good; None where it was not."""
        return self.unresolved[-1][1] if self.unresolved and not self.open else None

    def alive(self, at: int) -> bool:
        """Unresolved at `at`, or resolved not longer ago than a new thread may continue it."""
        self.pass_time(at)
        return self.open or (bool(self.unresolved) and self.unresolved[-1][1] >= at - REPEAT_WINDOW)

    def pass_time(self, until: int) -> None:
        """Just before `until`: has it fallen quiet, or been given up?"""
        if not self.open or self._asked_at is None:
            return
        over = self._asked_at + DROP_AFTER
        if self._answered_at is not None:
            over = max(self._asked_at + QUIET_AFTER, self._answered_at)
        if over < until:
            self.unresolved[-1][1] = over
            for thread in self.threads.values():
                if thread.state == "open":
                    thread.state, thread.solved_at = "ended", over

    def take(self, happening: Happening) -> None:
        """The next thing that happens; in order."""
        self.pass_time(happening.at)
        self.happenings.append(happening)
        assert happening.thread is not None
        known = self.threads.setdefault(happening.thread, CaseThread(happening.thread, happening.public))
        thread = known.root
        if happening.kind == "contact":
            self._contact(happening, thread)
        elif happening.solves:
            self._solve(happening, thread)
        elif happening.human and self._asked_at is not None and self._answered_at is None:
            self._answered_at = happening.at
        elif happening.kind == "merge":
            self._merge(happening, thread)
        self._settle(happening.at)

    def _contact(self, happening: Happening, thread: CaseThread) -> None:
        if thread.state == "solved":
            self.reopened.append(happening.at)
        thread.state, thread.asked_at = "open", happening.at
        self._asked_at, self._answered_at = happening.at, None

    def _solve(self, happening: Happening, thread: CaseThread) -> None:
        roots = [other for other in self.threads.values() if other.into is None]
        earlier = {id(other) for other in roots if other is thread or _not_after(other, thread)}
        for other in roots:
            if id(other) in earlier and other.state == "open":
                other.state, other.solved_at = "solved", happening.at
        names = frozenset(other.id for other in self.threads.values() if id(other.root) in earlier)
        self.settled.append((happening.at, names))

    def _merge(self, happening: Happening, thread: CaseThread) -> None:
        name = str(happening.data["into"])
        target = self.threads.setdefault(name, CaseThread(name, thread.public)).root
        if target is thread:
            return
        asked = thread.asked_at if thread.state == "open" else None
        if asked is not None and target.state != "open" and asked > target.solved_at:
            target.state = "open"
        target.asked_at = max((at for at in (thread.asked_at, target.asked_at) if at is not None), default=None)
        thread.state, thread.into = "merged", target

    def _settle(self, at: int) -> None:
        if any(thread.state == "open" for thread in self.threads.values()):
            if not self.open:
                if self.unresolved and self.unresolved[-1][1] == at:
                    self.unresolved[-1][1] = FOREVER
                else:
                    self.unresolved.append([at, FOREVER])
        elif self.open:
            self.unresolved[-1][1] = at


def _not_after(other: CaseThread, thread: CaseThread) -> bool:
    """The customer last wrote on `other` no later than on `thread`: that was an earlier attempt."""
    return other.asked_at is None or (thread.asked_at is not None and other.asked_at <= thread.asked_at)


def cases_of(happenings: Iterable[Happening], topics: dict[str, str]) -> list[Case]:
    """The problems of one customer, from all that happened; `topics` says what each thread is about.

    A thread belongs to one problem. A new one continues a problem of its topic that is unresolved, or was resolved a
    week ago at the most; tickets that are merged at any time belong to the same.
    """
    events = sorted(happenings, key=lambda happening: happening.order)
    together = _merged(events)
    cases: list[Case] = []
    by_thread: dict[str, Case] = {}
    for event in events:
        if event.thread is None or event.kind == "feedback" or event.by == "peer":
            if event.thread in by_thread:
                by_thread[event.thread].happenings.append(event)
            continue
        root = together.get(event.thread, event.thread)
        case = by_thread.get(root)
        if case is None:
            case = _continued(cases, topics[event.thread], event.at)
            if case is None:
                case = Case(topics[event.thread])
                cases.append(case)
        by_thread[root] = by_thread[event.thread] = case
        case.take(event)
    for case in cases:
        case.pass_time(FOREVER)
        case.searches = [e for e in events if e.thread is None and e.topic in (None, case.topic)]
    return cases


def _continued(cases: Iterable[Case], topic: str, at: int) -> Case | None:
    fitting = [case for case in cases if case.topic == topic and case.alive(at)]
    return max(fitting, key=lambda case: case.happenings[-1].at, default=None)


def _merged(events: Iterable[Happening]) -> dict[str, str]:
    """For threads that are merged at any time: one name for all of them."""
    name: dict[str, str] = {}
    for event in events:
        if event.kind == "merge" and event.thread is not None:
            one, other = (name.get(thread, thread) for thread in (event.thread, str(event.data["into"])))
            for thread in (event.thread, str(event.data["into"]), *[t for t in name if name[t] == other]):
                name[thread] = one
    return name
