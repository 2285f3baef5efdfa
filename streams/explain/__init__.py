"""story(customer, policies, records): one customer's history as lines that a person can read, in order.

It tells what came in, who was joined with whom, what each clock did and why, when each pattern held and by which
events, what was escalated, and how things stand.
"""

from collections.abc import Iterable, Iterator
from itertools import chain

from streams.customer import Customer
from streams.explain.clocks import clock_lines
from streams.explain.ending import ending
from streams.explain.identities import Change, identity_lines
from streams.explain.inputs import input_lines
from streams.explain.line import ORDER, StoryLine
from streams.explain.patterns import pattern_lines
from streams.explain.records import record_lines
from streams.policy import PolicyHistory
from streams.reconcile import Record

__all__ = ["StoryLine", "story"]


def story(
    customer: Customer,
    policies: PolicyHistory,
    records: Iterable[Record] = (),
    now: int | None = None,
    *,
    changes: Iterable[Change] = (),
    texts: bool = False,
) -> list[StoryLine]:
    """The lines up to `now` (ms; default: when the customer was last settled), sorted by time.

    `records` are revisions of the customer's escalations, `changes` what the resolver said of the customer. With
    `texts`, excerpts of what was written are shown.
    """
    until = customer.emitted.settled_at if now is None else now
    derived = customer.derived(policies)
    lines = chain(
        input_lines(customer.log, texts=texts),
        identity_lines(changes),
        chain.from_iterable(clock_lines(clock, derived.history, until) for clock in derived.clocks),
        pattern_lines(derived, until),
        record_lines(records),
        _policy_lines(policies),
    )
    told = [line for line in lines if line.at <= until]
    told.sort(key=lambda line: (line.at, ORDER[line.kind]))
    return [*told, *ending(customer, policies, until)]


def _policy_lines(policies: PolicyHistory) -> Iterator[StoryLine]:
    for entry in policies.entries[1:]:
        which = "open clocks too" if entry.policy.apply == "open" else "clocks that start later"
        yield StoryLine(entry.since, "policy", f"policy {entry.policy.version} is in force, for {which}")
