"""Runs of the core in this process, and the facts that are left at the end."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import groupby
from typing import Any

from schemas.codec import dumps, loads
from schemas.times import MINUTE, format_time, parse_time
from streams.facts import clock_records, customer_record, episode_records
from streams.policy import Policy, compile_policy
from streams.policy_file import read_policy_value
from streams.replay import Line, Replay
from tests.core.strategies import CUSTOMERS, END, POLICY, START, identity

Record = dict[str, Any]


@lru_cache(maxsize=64)
def _policy(text: bytes) -> Policy:
    return compile_policy(read_policy_value(loads(text), "test"))


def policy_of(document: Record) -> Policy:
    """The compiled policy of a document."""
    return _policy(dumps(document))


def lines(
    events: Sequence[Record], delays: Sequence[int] = (), versions: Iterable[tuple[int, Record]] = ()
) -> list[Line]:
    """The input, sorted by arrival; events without a delay arrive when they happen."""
    late = [*delays, *[0] * len(events)]
    found = [Line(at, "policies", document) for at, document in versions]
    found += [
        Line(parse_time(event["occurred_at"]) + delay, "interactions", event)
        for event, delay in zip(events, late, strict=False)
    ]
    return sorted(found, key=lambda line: line.arrived_at)


def happened(id_: str, minute: float, kind: str, thread: str | None = None, **more: Any) -> Line:
    """An interaction of Kim's, so many minutes after the start; it arrives then, or at the minute `arrives`."""
    arrives = more.pop("arrives", minute)
    value = {"id": id_, "occurred_at": format_time(START + round(minute * MINUTE)), "kind": kind, "channel": "email"}
    value |= {"identities": [identity(CUSTOMERS[0])]} | ({"thread": thread} if thread is not None else {})
    return Line(START + round(arrives * MINUTE), "interactions", value | more)


def played(input_: Sequence[Line], until: int = END, policy: Record = POLICY) -> tuple[Replay, list[Record]]:
    """The run over the input, and every revision that it sent."""
    run = Replay(policy_of(policy))
    sent = [record for outcome in run.run(input_, until) for record in outcome.escalations]
    return run, sent


def steps(run: Replay, input_: Sequence[Line], until: int = END) -> Iterable[tuple[int, list[Record]]]:
    """The run instant by instant."""
    for outcome in run.run(input_, until):
        yield outcome.at, outcome.escalations


def instants(input_: Sequence[Line]) -> list[list[Line]]:
    """The input by arrival."""
    return [list(group) for _, group in groupby(input_, key=lambda line: line.arrived_at)]


def facts(run: Replay) -> Record:
    """What two runs over the same input agree on (contract, section 11), without the customers' ids."""
    population, policies = run.population, run.policies
    customers, clocks, episodes = [], [], []
    for known, customer in population.known():
        record = customer_record(customer, (), known.identities, policies, run.now)
        customers.append(_bare(record))
        clocks += [_bare(clock) for clock in clock_records(customer, policies, run.now)]
        episodes += [_bare(episode) for episode in episode_records(customer, policies, run.now)]
    return {"customers": _sorted(customers), "clocks": _sorted(clocks), "episodes": _sorted(episodes)}


def _bare(record: Record) -> Record:
    return {name: value for name, value in record.items() if name not in ("customer_id", "aliases")}


def _sorted(records: list[Record]) -> list[Record]:
    return sorted(records, key=dumps)
