"""The messages of the protocol: JSON objects with a tag `t`, to an identity's shard or to a customer.

To the shard of identity `i`:

- `event`: an event whose strongest identity is `i`. `n`: its other identities; `s`: the public thread it is on, or
  None; `id`, `o` (order), `k` (says who opens the thread), `e` (the event, opaque)
- `link`: `i` and `j` are one customer's; `at`, ms
- `edge`: `i` and `from` are one customer's, and `from` belongs to `c`
- `known`: the shard of `j` has taken the edge from `i`; it need not be told again
- `relabel`: the customer of `i` is `c` now
- `spoke`: on the public thread `i` the event `id` is by a customer `c`
- `loose`: an event without an author on the public thread `i`; `r`: the event that it answers

To customer `c`:

- `event`: into the log; `i`: the identity it came by. With `n`, the number of the placement: an event without an author
  A forwarded message has `f`: an alias was asked, so whoever is left relabels `i`
- `release`: the event `id` is somebody else's since placement `n`
- `joined`: `i` is this customer's
- `merge`: this customer and `x`, which is the smaller id, are one
- `absorb`: the whole of customer `from`: members `m`, aliases `a`, placements `p`, history `h` (opaque)
- `absorbed`: `by` holds what this customer gave up
- `command`: `v`, for whoever the customer is by now
"""

from typing import Any, Literal, NamedTuple

Message = dict[str, Any]

IDENTITY_TAGS = frozenset({"event", "link", "edge", "known", "relabel", "spoke", "loose"})
CUSTOMER_TAGS = frozenset({"event", "release", "joined", "merge", "absorb", "absorbed", "command"})
NEVER_LOCAL = frozenset({"edge", "known", "merge", "absorb", "absorbed", "relabel"})
"""Go through a topic even to the same partition: they must not overtake the state of their sender, and each must come
again by itself where what it led to was lost. What made them may not make them twice: an edge that is known by then,
a pointer that was relabelled by then."""


def may_be_local(message: Message) -> bool:
    """Whether a batch may handle this message, which it made itself. What is forwarded stays behind its history."""
    return message["t"] not in NEVER_LOCAL and not message.get("f")


class Outgoing(NamedTuple):
    """A message and where it goes: to the shard of identity `key`, or to the customer `key`."""

    to: Literal["identity", "customer"]
    key: str
    message: Message


def to_identity(tag: str, identity: str, **fields: Any) -> Outgoing:
    """A message to the shard of `identity`."""
    return Outgoing("identity", identity, {"t": tag, "i": identity, **fields})


def to_customer(tag: str, customer_id: str, **fields: Any) -> Outgoing:
    """A message to a customer."""
    return Outgoing("customer", customer_id, {"t": tag, "c": customer_id, **fields})


def merge_of(one: str, other: str) -> list[Outgoing]:
    """What makes one customer of two ids: a word to the larger, which becomes an alias; nothing where they are one."""
    if one == other:
        return []
    return [to_customer("merge", max(one, other), x=min(one, other))]


def home_of(customer_id: str) -> int:
    """The partition that a customer lives on: its id says so. Raises ValueError for an id that says nothing."""
    return int(customer_id.rpartition(".")[2])
