"""Scenarios as timelines on virtual time.

    told = tell(policy(targets=[{"first_response": "1h"}]), email("10:00", "contact"), email("11:01", "reply"))
    assert told.sla("first_response") == ["10:48 opened warning", "11:00 raised error", "11:01 resolved answered"]

Times are of Monday 8 June 2026, UTC: `10:00`, `10:00:30`, `10:00:00.001`, with days before them: `2d 10:00`. A test
that fails prints its stories.
"""

import re
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from schemas.escalation import validate_escalation
from schemas.policy_patterns import PATTERNS
from schemas.times import DAY, HOUR, MINUTE, SECOND, format_time, parse_time
from streams.facts import clock_records, customer_record, episode_records
from streams.policy import compile_policy
from streams.policy_file import read_policy_value
from streams.replay import Dead, Line, Replay

Record = dict[str, Any]

MONDAY = parse_time("2026-06-08T00:00:00Z")
KIM = "email:kim@example.com"
STORIES: list["Told"] = []
"""The stories that the running test has told; `conftest` prints them where it fails."""

_TIME = re.compile(r"(?:(-?\d+)d )?(\d+):(\d\d)(?::(\d\d)(?:\.(\d{3}))?)?$")
_numbers = count(1)


def ms(text: str) -> int:
    """The instant of a time of the story."""
    found = _TIME.match(text)
    assert found, text
    day, hour, minute, second, milli = (int(part or 0) for part in found.groups())
    return MONDAY + day * DAY + hour * HOUR + minute * MINUTE + second * SECOND + milli


def iso(text: str) -> str:
    """The time of the story as records have it."""
    return format_time(ms(text))


def told_at(instant: str) -> str:
    """The other way round, as short as it can be."""
    days, rest = divmod(parse_time(instant) - MONDAY, DAY)
    clock = f"{rest // HOUR:02}:{rest // MINUTE % 60:02}"
    if rest % MINUTE:
        clock += f":{rest // SECOND % 60:02}"
    if rest % SECOND:
        clock += f".{rest % SECOND:03}"
    return f"{days}d {clock}" if days else clock


def interaction(
    channel: str,
    at: str,
    kind: str,
    thread: str | None = None,
    *,
    arrives: str | None = None,
    who: str | tuple[str, ...] = KIM,
    by: str | None = None,
    **fields: Any,
) -> Line:
    """One event; `who` are identities, `by` the actor's type, `fields` the record's own or parts of its `data`."""
    names = (who,) if isinstance(who, str) else who
    record: Record = {
        "id": fields.pop("id", None) or f"{channel}-{kind}-{next(_numbers)}",
        "occurred_at": iso(at),
        "channel": channel,
        "kind": kind,
        "identities": [dict(zip(("type", "value"), name.split(":", 1), strict=True)) for name in names],
    }
    if thread != "":
        record["thread"] = thread or f"{channel}:1"
    if by is not None:
        record["actor"] = {"type": by}
    for name in ("topic", "issue", "priority", "difficulty", "tier", "public", "in_reply_to", "text", "actor"):
        if name in fields:
            record[name] = fields.pop(name)
    if "due_at" in fields:
        fields["due_at"] = iso(fields["due_at"])
    if fields:
        record["data"] = fields
    return Line(ms(arrives or at), "interactions", record)


def _channel(name: str) -> Any:
    def event(at: str, kind: str, thread: str | None = None, **fields: Any) -> Line:
        return interaction(name, at, kind, thread, **fields)

    return event


phone, email, chat, social = _channel("phone"), _channel("email"), _channel("chat"), _channel("social")
web, community, messaging = _channel("web"), _channel("community"), _channel("messaging")


def link(at: str, a: str, b: str, action: str = "link") -> Line:
    """A link or unlink record."""
    pair = [dict(zip(("type", "value"), name.split(":", 1), strict=True)) for name in (a, b)]
    record = {"id": f"link-{next(_numbers)}", "occurred_at": iso(at), "action": action, "a": pair[0], "b": pair[1]}
    return Line(ms(at), "identities.links", record)


def version(at: str, document: Record, **parts: Any) -> Line:
    """A version of the policy that arrives at `at`."""
    return Line(ms(at), "policies", {**document, "version": f"v{next(_numbers)}", **parts})


@dataclass
class Order:
    """A command on the newest escalation of a kind at that time (or on `of`, whatever that is)."""

    at: str
    action: str
    kind: str = "sla"
    of: str | None = None
    fields: Record = field(default_factory=dict)


def command(at: str, action: str, kind: str = "sla", *, of: str | None = None, **fields: Any) -> Order:
    """An order that a person gives."""
    if "until" in fields:
        fields["until"] = iso(fields["until"])
    return Order(at, action, kind, of, fields)


def policy(**parts: Any) -> Record:
    """A policy by which only the patterns named in `patterns` are on."""
    document: Record = {
        "version": "1",
        "calendars": {"office": {"zone": "UTC", "week": {"mon-fri": ["09:00-17:00"]}}, "never": {"zone": "UTC"}},
        "channels": {"social": {"public": True}, "community": {"public": True}},
    }
    document |= parts
    on = parts.get("patterns", {})
    document["patterns"] = {name: on.get(name, "off") for name in PATTERNS}
    return document


class Told:
    """What came of a story."""

    def __init__(self, document: Record) -> None:
        self.run = Replay(compile_policy(read_policy_value(document, "story")))
        self.lines: list[Line] = []
        self.records: list[Record] = []
        self.dead: list[Dead] = []

    def take(self, lines: list[Line], until: int) -> None:
        """Take lines in, and let time pass."""
        self.lines += lines
        for outcome in self.run.run(lines, until):
            self.records += outcome.escalations
            self.dead += outcome.dead
        for record in self.records:
            validate_escalation(record)

    def find(self, **wanted: Any) -> list[Record]:
        """The revisions that have these values."""
        return [r for r in self.records if all(r.get(name) == value for name, value in wanted.items())]

    def sla(self, metric: str | None = None, **wanted: Any) -> list[str]:
        """What was said of the clocks of a metric."""
        if metric:
            wanted["metric"] = metric
        return [_line(record) for record in self.find(kind="sla", **wanted)]

    def history(self, **wanted: Any) -> list[str]:
        """What was said of the histories, with their patterns."""
        return [_line(record) for record in self.find(kind="history", **wanted)]

    def clock(self, metric: str, thread: str | None = None, cycle: int = 1) -> Record:
        """The record of a clock at the end."""
        found = [c for c in self.clocks() if (c["metric"], c["cycle"]) == (metric, cycle)]
        found = [c for c in found if thread in (None, c["thread"])]
        assert len(found) == 1, f"{len(found)} clocks"
        return found[0]

    def clocks(self) -> list[Record]:
        """All clocks at the end."""
        run = self.run
        return [
            clock
            for _, customer in sorted(run.population.customers.items())
            for clock in clock_records(customer, run.policies, run.now)
        ]

    def customers(self) -> list[Record]:
        """All customers at the end."""
        run = self.run
        return [
            customer_record(customer, known.aliases, known.identities, run.policies, run.now)
            for known, customer in run.population.known()
        ]

    def issues(self) -> list[Record]:
        """All issues at the end."""
        return [issue for customer in self.customers() for issue in customer["issues"]]

    def episodes(self) -> list[Record]:
        """The episodes that should be on record."""
        run = self.run
        customers = run.population.customers.values()
        return [episode for customer in customers for episode in episode_records(customer, run.policies, run.now)]

    def __str__(self) -> str:
        parts = [(line.arrived_at, 0, f"  <- {_input(line)}") for line in self.lines]
        parts += [
            (parse_time(r["detected_at"]), 1, f"  -> {r['kind']} {r.get('metric', '')} {_line(r)}: {r['summary']}")
            for r in self.records
        ]
        parts.sort(key=lambda part: part[:2])
        ends = [f"     clock {_clock(clock)}" for clock in self.clocks()]
        ends += [f"     issue {issue}" for issue in self.issues()]
        return "\n".join([text for _, _, text in parts] + ends)


def tell(document: Record, *story: Line | Order, until: str | None = None) -> Told:
    """Run a story: lines in any order (they arrive in the order of arrival), to `until` or the last arrival."""
    told = Told(document)
    STORIES.append(told)
    steps = [(ms(s.at) if isinstance(s, Order) else s.arrived_at, isinstance(s, Order), s) for s in story]
    steps.sort(key=lambda step: step[:2])
    waiting: list[Line] = []
    for at, ordered, step in steps:
        if not ordered:
            waiting.append(step)
            continue
        told.take(waiting, at - 1 if not waiting or waiting[-1].arrived_at < at else at)
        waiting = []
        told.take([_command(told, step)], at)
    last = steps[-1][0] if steps else 0
    told.take(waiting, ms(until) if until else last)
    return told


def _command(told: Told, order: Order) -> Line:
    named = [r for r in told.records if r["kind"] == order.kind]
    record = {
        "id": f"command-{next(_numbers)}",
        "at": iso(order.at),
        "customer_id": named[-1]["customer_id"] if named else "cus_0",
        "escalation_id": order.of or (named[-1]["escalation_id"] if named else "esc_0"),
        "action": order.action,
        "by": "sam",
        **order.fields,
    }
    return Line(ms(order.at), "escalations.commands", record)


def _line(record: Record) -> str:
    parts = [told_at(record["detected_at"]), record["change"]]
    if record["change"] == "resolved":
        parts.append(record["reason"])
    else:
        parts.append(record["severity"])
        if record["kind"] == "history":
            parts.append("+".join(record["patterns"]))
    if record["backfilled"]:
        parts.append("backfilled")
    return " ".join(parts)


def _input(line: Line) -> str:
    value = dict(line.value)
    at = value.pop("occurred_at", None) or value.pop("at", None)
    when = told_at(format_time(line.arrived_at))
    late = f" (of {told_at(at)})" if at and parse_time(at) != line.arrived_at else ""
    return f"{when}{late} {line.topic} " + " ".join(f"{k}={v}" for k, v in value.items() if k != "identities")


def _clock(clock: Record) -> str:
    shown = ("metric", "thread", "cycle", "state", "started_at", "due_at", "stopped_at", "counted_s", "paused")
    return " ".join(f"{name}={clock[name]}" for name in shown)
