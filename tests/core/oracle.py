"""The clocks of one issue, told plainly: half a minute at a time, straight from the contract, slow and without intervals."""

from dataclasses import dataclass, field
from typing import Any

from schemas.times import MINUTE, SECOND, format_time, parse_time
from schemas.vocabulary import KINDS

TICK = 30 * SECOND
TARGETS = {"first_response": 5.5, "next_response": 3.5, "resolution": 12.5, "issue_resolution": 17.5}
"""Minutes; never whole, so that no event coincides with a due time."""
GRACE = MINUTE // 2


@dataclass
class Timer:
    """One clock. Times in ms."""

    metric: str
    thread: str | None
    cycle: int
    started: int
    due: int | None = None
    stopped: int | None = None
    outcome: str = ""
    covered_by: str | None = None
    counted: int = 0
    breached: int | None = None


@dataclass
class Talk:
    """One thread."""

    id: str
    status: str = "open"
    solved: bool = False
    last: tuple | None = None
    responses: list[Timer] = field(default_factory=list)
    resolution: Timer | None = None
    promises: list[tuple[tuple, Timer]] = field(default_factory=list)
    overstaying: bool = False
    overstayed: int = 0

    @property
    def running(self) -> Timer | None:
        """The response clock that runs, if any."""
        newest = self.responses[-1] if self.responses else None
        return newest if newest and newest.stopped is None else None


class Oracle:
    """Feed it the interactions of one customer and one issue; then ask for `clocks`."""

    def __init__(self, events: list[dict[str, Any]], start: int, end: int) -> None:
        self.talks: dict[str, Talk] = {}
        self.issue: Timer | None = None
        self.now = start
        todo = sorted(events, key=self.order)
        while self.now <= end:
            while todo and parse_time(todo[0]["occurred_at"]) == self.now:
                self.happen(todo.pop(0))
            if self.now < end:
                self.tick()
            self.now += TICK
        self.now = end

    @staticmethod
    def order(event: dict[str, Any]) -> tuple:
        return (parse_time(event["occurred_at"]), KINDS.index(event["kind"]), event["id"])

    def tick(self) -> None:
        """Let half a minute pass."""
        for talk in self.talks.values():
            clock = talk.resolution
            if clock and not talk.solved and talk.status != "pending":
                self.count(clock)
            if talk.running:
                self.count(talk.running)
            if talk.overstaying and clock and not talk.solved:
                talk.overstayed += TICK
            for _, promise in talk.promises:
                if promise.stopped is None and promise.breached is None and self.now + TICK > promise.due:
                    promise.breached = max(promise.due, promise.started)
        unsolved = [talk for talk in self.talks.values() if not talk.solved]
        if self.issue and unsolved and any(talk.status != "pending" for talk in unsolved):
            self.count(self.issue)

    def count(self, clock: Timer) -> None:
        clock.counted += TICK
        if clock.breached is None and clock.counted == TARGETS[clock.metric] * MINUTE:
            clock.breached = self.now + TICK

    def happen(self, event: dict[str, Any]) -> None:
        kind, data, actor = event["kind"], event.get("data", {}), event.get("actor", {}).get("type")
        if (kind in ("note", "feedback") or actor == "peer") and event["thread"] not in self.talks:
            return
        talk = self.talks.setdefault(event["thread"], Talk(event["thread"]))
        human = (actor or "agent") == "agent" and not data.get("auto") and not data.get("canned")
        if kind == "contact" and actor in (None, "customer"):
            self.contact(talk, self.order(event))
        elif kind in ("reply", "answered") and human:
            self.answer(talk, self.order(event))
        elif kind == "confirmed" or (kind == "status" and data["status"] in ("solved", "closed")):
            self.solve(talk)
        elif kind == "status" and talk.solved:
            if data["status"] in ("new", "open"):
                self.reopen(talk)
        elif kind == "status":
            talk.status, talk.overstaying = data["status"], False
        elif kind == "promise":
            due = parse_time(data["due_at"]) + GRACE
            talk.promises.append((self.order(event), Timer("promise", talk.id, len(talk.promises) + 1, self.now, due)))
        elif kind == "promise_kept":
            self.keep(talk, "kept")
        if self.issue and any(not each.solved for each in self.talks.values()):
            self.issue.stopped = None
        elif self.issue and self.issue.stopped is None:
            self.issue.stopped = self.now

    def contact(self, talk: Talk, order: tuple) -> None:
        if talk.solved:
            self.reopen(talk)
        if talk.status == "pending":
            talk.status, talk.overstaying = "open", True
        talk.last = order
        self.issue = self.issue or Timer("issue_resolution", None, 1, self.now)
        talk.resolution = talk.resolution or Timer("resolution", talk.id, 1, self.now)
        if talk.running is None:
            cycle = len(talk.responses)
            metric = "next_response" if cycle else "first_response"
            talk.responses.append(Timer(metric, talk.id, max(cycle, 1), self.now))

    def reopen(self, talk: Talk) -> None:
        talk.solved, talk.status = False, "open"
        if talk.resolution:
            talk.resolution.stopped = talk.resolution.covered_by = None

    def answer(self, talk: Talk, order: tuple) -> None:
        if talk.running:
            talk.running.outcome, talk.running.stopped = "met", self.now
        for each in self.talks.values():
            for promised, clock in each.promises:
                if promised[0] < order[0] and clock.stopped is None:  # later by the clock, not by the kind
                    clock.stopped = self.now

    def keep(self, talk: Talk, _how: str, by: str | None = None) -> None:
        for _, clock in talk.promises:
            if clock.stopped is None:
                clock.stopped, clock.covered_by = self.now, by

    def solve(self, talk: Talk) -> None:
        self.end(talk, None)
        for other in self.talks.values():
            earlier = other.last is None or (talk.last is not None and other.last <= talk.last)
            if other is not talk and earlier:
                self.end(other, talk.id)

    def end(self, talk: Talk, by: str | None) -> None:
        self.keep(talk, "solved", by)
        if talk.solved:
            return
        for clock in (talk.running, talk.resolution):
            if clock:
                clock.stopped, clock.covered_by = self.now, by
                clock.outcome = clock.outcome or "cancelled"
        talk.solved, talk.overstaying, talk.status = True, False, "solved"

    def clocks(self) -> list[dict[str, Any]]:
        """The clocks at the end, with the fields of the clock record that matter."""
        found = [self.issue] if self.issue else []
        overstayed = {}
        for talk in self.talks.values():
            found += [*talk.responses, *(clock for _, clock in talk.promises)]
            if talk.resolution:
                found.append(talk.resolution)
                overstayed[id(talk.resolution)] = talk.overstayed
        return [self.record(clock, overstayed.get(id(clock), 0)) for clock in found]

    def record(self, clock: Timer, overstayed: int) -> dict[str, Any]:
        return {
            "metric": clock.metric,
            "thread": clock.thread,
            "cycle": clock.cycle,
            "state": self.state(clock),
            "started_at": format_time(clock.started),
            "stopped_at": None if clock.stopped is None else format_time(clock.stopped),
            "counted_s": None if clock.metric == "promise" else clock.counted // SECOND,
            "illegitimate_pause_s": overstayed // SECOND,
            "breached": None if clock.breached is None else format_time(clock.breached),
            "covered_by": clock.covered_by,
        }

    def state(self, clock: Timer) -> str:
        if clock.breached is not None:
            return "breached"
        if clock.stopped is not None:
            cancelled = clock.metric.endswith("_response") and clock.outcome != "met"
            return "cancelled" if cancelled else "met"
        if clock.metric == "resolution" and clock.thread:
            return "paused" if self.talks[clock.thread].status == "pending" else "running"
        if clock.metric == "issue_resolution":
            unsolved = [talk for talk in self.talks.values() if not talk.solved]
            return "paused" if all(talk.status == "pending" for talk in unsolved) else "running"
        return "running"
