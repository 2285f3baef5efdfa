"""The customer's side of aggregates: what a customer tells them, and what they tell a customer."""

from hashlib import blake2b
from typing import Any

from schemas.codec import dumps
from streams.aggregates.aggregate import posts_of
from streams.aggregates.messages import Message, Post, to_aggregate
from streams.customer import Customer
from streams.policy import Policy, PolicyHistory
from streams.shares import holds, is_old, learned, shares
from streams.stored import Stored, Told
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


def tell_shares(stored: Stored, live: Customer, policy: Policy, now: int) -> list[Post]:
    """What gatherings are told of the history as it is now, where that is not what they have been told."""
    found = shares(live.log, policy, now)
    posts = []
    for key in dict.fromkeys((*found, *stored.told)):
        items, told = found.get(key, ()), stored.told.get(key)
        mark = blake2b(dumps(items), digest_size=6).hexdigest()
        if told is not None and told.mark == mark:
            continue
        if items:
            stored.told[key] = Told(mark, stored.number + 1, items[-1][0])
        else:
            gone = stored.told.pop(key)
            if is_old([(gone.newest, "")], now):
                continue
        more: dict[str, Any] = {"h": True} if holds(live.outside, key, items) else {}
        if stored.links.aliases:
            more["a"] = list(stored.links.aliases)
        posts.append(_share(stored, key, s=items, **more))
    return posts


def withdraw(stored: Stored) -> list[Post]:
    """What gatherings are told of a customer who is an alias now, or has been forgotten."""
    into = {} if stored.links.alias_of is None else {"to": stored.links.alias_of}
    keys, stored.told = list(stored.told), {}
    return [_share(stored, key, s=(), **into) for key in keys]


def hear(stored: Stored, live: Customer, message: Message, policy: Policy, now: int) -> None:
    """Take in what a gathering answers, where that is about the share that it was told last."""
    key, told = message["k"], stored.told.get(message["k"])
    if told is None or told.number != message["q"] or message["n"] <= told.heard:
        return
    stored.told[key] = told._replace(heard=message["n"])
    items = shares(live.log, policy, now).get(key, ())
    live.look_around(learned(live.outside, key, items, message["v"], now))


def _share(stored: Stored, key: str, **fields: Any) -> Post:
    stored.number += 1
    kind, _, name = key.partition("/")
    return to_aggregate(kind, name, "share", c=stored.links.id, q=stored.number, **fields)
