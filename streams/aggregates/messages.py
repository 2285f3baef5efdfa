"""The messages to aggregates, and those of aggregates to customers.

To the aggregate `k`:

- `storm`: `m` about an escalation, to a group or a topic (`streams.storm_message`)
- `storms`: `ms`, several of these, from one batch
- `stands`, `over`: the hotspot of this id stands, on the topic `o`; it does not any more
- `command`: `v`, a command on a hotspot: the record as it came, with its partition, offset and arrival
- `share`: customer `c` says as its message number `q` that its own are `s`: (time, id) of contacts or replies. `h`: it
  holds something that the aggregate has said. `a`: its aliases, whose shares are in its own. `to`: it is an alias of
  that customer now
- `whole`: store all of it anew, without what has left it
- `gap`: `m`, a part of the channel gaps (`streams.gaps.messages`)

To the customer `c`:

- `around`: `v` follows from all shares in the aggregate `k`, that of the customer's message number `q` among them; `n`
  rises from message to message of the aggregate
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal, NamedTuple

from schemas.codec import dumps, encoded
from streams.shares import CANNED, CROWD

__all__ = ["AROUND", "CANNED", "CROWD", "GAP", "HOT", "ORDER", "PAGE", "STORM", "Message", "Post"]

Message = dict[str, Any]

PAGE, HOT, ORDER, GAP = "page", "hot", "order", "gap"
AROUND, WHOLE = "around", "whole"
STORM, STORMS = "storm", "storms"
PARCEL_MAX = 64
"""How many messages about escalations go in one,"""
PARCEL_BYTES_MAX = 128 * 1024
"""and how many bytes of them: most have below 2 KiB, but one that names many channels has more."""


class Post(NamedTuple):
    """A message and where it goes: to the aggregate `key`, or to the customer `key`."""

    to: Literal["aggregate", "customer"]
    key: str
    message: Message


def to_aggregate(kind: str, name: str, tag: str, **fields: Any) -> Post:
    """A message to the aggregate of this kind and name."""
    key = f"{kind}/{name}"
    return Post("aggregate", key, {"k": key, "t": tag, **fields})


def to_customer(customer_id: str, **fields: Any) -> Post:
    """A message to a customer."""
    return Post("customer", customer_id, {"c": customer_id, "t": AROUND, **fields})


def in_parcels(storms: Mapping[str, list[Message]]) -> Iterator[Post]:
    """What aggregates, by key, are told of escalations, in as few messages as may be: timers say much to few."""
    for key, told in storms.items():
        for some in _parcels(told):
            parts = [encoded(part) for part in some]
            more = {"t": STORM, "m": parts[0]} if len(parts) == 1 else {"t": STORMS, "ms": parts}
            yield Post("aggregate", key, {"k": key, **more})


def _parcels(told: Iterable[Message]) -> Iterator[list[bytes]]:
    """In order, encoded; one that is too large is by itself, so that no other is refused with it."""
    some: list[bytes] = []
    room = PARCEL_BYTES_MAX
    for part in map(dumps, told):
        if some and (len(some) == PARCEL_MAX or len(part) > room):
            yield some
            some, room = [], PARCEL_BYTES_MAX
        some.append(part)
        room -= len(part)
    if some:
        yield some


def unpacked(message: Message) -> Iterator[Message]:
    """The messages of which it is made."""
    if message["t"] != STORMS:
        yield message
        return
    for told in message["ms"]:
        yield {"k": message["k"], "t": STORM, "m": told}


def kind_of(key: str) -> str:
    """What kind of aggregate it is."""
    return key.partition("/")[0]


def name_of(key: str) -> str:
    """Its name within its kind."""
    return key.partition("/")[2]
