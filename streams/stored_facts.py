"""The facts of a stored customer, as the records by which runs are compared."""

from typing import Any, NamedTuple

from schemas.identity import parse_identity
from streams.facts import clock_records, customer_record, episode_records
from streams.policy import PolicyHistory
from streams.stored import Stored

Record = dict[str, Any]


class StoredFacts(NamedTuple):
    """A line of `--customers`, and those of `--clocks` and `--episodes` (contract, section 10)."""

    customer: Record
    clocks: list[Record]
    episodes: list[Record]


def stored_facts(stored: Stored, policies: PolicyHistory, now: int) -> StoredFacts | None:
    """The facts as of `now` (ms); None of an alias, and of who has no events."""
    customer = stored.live
    if customer is None or not len(customer.log):
        return None
    identities = tuple(sorted(parse_identity(i) for i in stored.links.members if not i.startswith("event:")))
    aliases = tuple(sorted(stored.links.aliases))
    return StoredFacts(
        customer_record(customer, aliases, identities, policies, now),
        clock_records(customer, policies, now),
        episode_records(customer, policies, now),
    )
