"""The customer's side of aggregates: what a customer tells them, and what they tell a customer."""

from typing import Any

from streams.aggregates.aggregate import posts_of
from streams.aggregates.messages import Post
from streams.customer import Customer
from streams.policy import PolicyHistory
from streams.storm_message import beside

Record = dict[str, Any]


def tell_storm(live: Customer, records: list[Record], policies: PolicyHistory, now: int) -> list[Post]:
    """What groups and topics are told of these revisions, and of the policy in force at `now` (ms)."""
    addresses = live.addresses
    if not records and not len(addresses):
        return []
    policy = policies.at(now)
    envelopes = addresses.follow(policy)
    for record in records:
        known = None if record["backfilled"] else beside(live.derived(policies).history, record, now)
        envelopes += addresses.take(record, policy, known)
    return posts_of(envelopes)
