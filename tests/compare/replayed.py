"""Runs made in this process: input lines -> the four outputs that are compared."""

from collections.abc import Iterable
from random import Random
from typing import Any

from schemas.policy import PolicyDocument
from schemas.times import DAY, parse_time
from streams.compare import Run
from streams.facts import clock_records, customer_record, episode_records
from streams.policy import PolicyHistory, compile_policy
from streams.replay import Line, Replay
from streams.simulate import Simulation
from streams.stored import Stored
from streams.stored_facts import stored_facts

START = parse_time("2026-06-01T04:00:00Z")

POLICY = compile_policy(
    PolicyDocument.model_validate(
        {
            "version": "1",
            "calendars": {
                "office": {"zone": "America/New_York", "week": {"mon-fri": ["09:00-17:00"]}},
                "always": {"zone": "UTC", "week": {"mon-sun": ["00:00-24:00"]}},
            },
            "channels": {
                "email": {"calendar": "office"},
                "social": {"calendar": "always", "public": True},
                "community": {"calendar": "always", "public": True},
            },
            "targets": [
                {"when": {"public": True}, "first_response": "1h", "next_response": "1h", "resolution": "24h"},
                {"when": {"channel": ["phone", "chat"]}, "first_response": "5m", "resolution": "20h"},
                {"first_response": "4h", "next_response": "4h", "resolution": "20h", "calendar": "office"},
            ],
            "issue_resolution": {"target": "72h", "calendar": "always"},
            # whom a limit keeps apart depends on who comes first: here nobody is
            "identities": {"limits": dict.fromkeys(("customer_id", "email", "phone", "handle"), 1000), "max": 10000},
        }
    )
)


def simulated(seed: int, customers: int = 25, days: float = 6) -> list[Line]:
    """Input in order of arrival; no event is stamped after its arrival, for those take the arrival's time."""
    lines = []
    for line in Simulation(seed, START, int(days * DAY), customers):
        record = line.as_record()
        arrived_at = parse_time(record["arrived_at"])
        value = record["value"]
        if parse_time(value["occurred_at"]) > arrived_at:
            value = {**value, "occurred_at": record["arrived_at"]}
        lines.append(Line(arrived_at, record["topic"], value))
    return lines


def all_at_the_end(lines: list[Line], random: Random) -> list[Line]:
    """A backlog: everything arrives at once, in any order."""
    end = max(line.arrived_at for line in lines)
    late = [line._replace(arrived_at=end) for line in lines]
    random.shuffle(late)
    return late


def delayed(lines: list[Line], random: Random, longest: int, share: float = 1.0) -> list[Line]:
    """Some lines arrive up to `longest` ms later, but not after the last one did."""
    end = max(line.arrived_at for line in lines)
    late = [
        line._replace(arrived_at=min(end, line.arrived_at + random.randrange(longest)))
        if random.random() < share
        else line
        for line in lines
    ]
    return sorted(late, key=lambda line: line.arrived_at)


def replayed(lines: Iterable[Line], until: int, replay: Replay | None = None) -> Run:
    """What a replay of the lines writes."""
    replay = replay or Replay(POLICY)
    said = [record for outcome in replay.run(lines, until) for record in outcome.escalations]
    policies, now = replay.policies, replay.now
    customers = [
        customer_record(found, known.aliases, known.identities, policies, now)
        for known, found in replay.population.known()
    ]
    everybody = list(replay.population.customers.values())
    clocks = [record for each in everybody for record in clock_records(each, policies, now)]
    episodes = [record for each in everybody for record in episode_records(each, policies, now)]
    return Run(lambda: customers, lambda: clocks, lambda: episodes, lambda: said)


def stored_run(everybody: Iterable[Stored], policies: PolicyHistory, now: int, said: list[dict[str, Any]]) -> Run:
    """What `mindgap snapshot` would write of these customers, who have said that."""
    found = [facts for stored in everybody if (facts := stored_facts(stored, policies, now)) is not None]
    clocks = [record for facts in found for record in facts.clocks]
    episodes = [record for facts in found for record in facts.episodes]
    return Run(lambda: [facts.customer for facts in found], lambda: clocks, lambda: episodes, lambda: said)
