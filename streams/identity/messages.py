"""The messages of the protocol: JSON objects with a tag `t`, to an identity's shard or to a customer.

To the shard of identity `i`:

- `event`: an event that belongs with `i`. `n`: its other identities; `th`: its private thread, where it has one; `s`:
  the public thread it is on; `id`, `o` (order), `k` (says who opens the thread), `at` (arrival, ms), `e` (the event,
  opaque), `r` (the event that it answers); with `num`: an event without an author, and the number of its placement;
  with `h`: its history, from customer `u`, who had it before
- `link`, `cut`: a link or unlink record `id` of the time `at` about `i` and `j`; `ar`: its arrival. `cut` has `far` on
  its way to the weaker identity. `uncut`: the link record has joined them
- `edge`: the event `id`, which carries `x`, joins `i` and the identities `n`, which its own customer could not join
- `ask`: customer `from` asks, as its question number `q`, for `i`, which an event joins to the stronger `x` (its own
  are `y`), or a link record of that time and id (`l`). `full`: the limit that forbids it whoever has `i`
- `relabel`: the customer of `i` is `c` since change number `n`; None: nobody's
- `ungrant`: the customer that it was granted to with number `n` does not want it
- `moved`: a history `h` that belongs with the thread `i`; `r`: the edges refused in it; `u`: a mark of this message
- `rejoin`: the join `v` belongs to the customer of `i` now
- `spoke`: on the public thread `i` the event `id` is by the identity `by` of a customer `c`
- `loose`: an event without an author on the public thread `i`; `r`: the event that it answers
- `unspoke`: the identities `by` are to be forgotten on the public thread `i`
- `release`: the event `id`, placed with `i`, follows the identity `to` since placement `num`
- `forget`: erase the customer of `i`. `erase`: erase what is known about `i`, up to change number `n`;
  `by`: the mark that is to hear of it, as of number `k`

To customer `c`, from a shard (`pn`: the number of the shard's pointer; `born`: the customer begins with it; `cuts`:
what was unlinked from `i`, perhaps before anybody was there to be told, as with a `grant`): `event`, `link`, `cut`,
`edge`, `ask`, `moved`, `rejoin`, `release`, `forget`, as above. A customer that does not have `i` any more sends them
back to the shard, an alias to the survivor.

To customer `c`, from another; `q` is the number of the question that it belongs to:

- `ask`, without `i`: from the smaller customer that was asked question `q0`, and comes back to it
- `grant`: the identity was nobody's, and is yours since change number `n`. `refused`: somebody else's (`by`), for
  `reason`, or none where it was refused before (`was`). `barred`: the edges `p` are cut by link records. `later`: I am
  the smaller one, and shall come back to you
- `here`: my identities (counts `n`) and seniority (`s`) wait for what you decide. Then `free`: go on, we remain two
  (`q0`, `reason`: the answer to your own question), or `give`: give me your history, or `absorb`: take mine
- `absorb`: the whole of customer `from`. `absorbed`: I have it, or the part or event of yours
- `again`: ask your question `q0` again. `realias`: the alias `c` is one of `by` since change number `n`
- `part`: a part of customer `from`, which is you
- `command`: `v`, for whoever the customer is by now; `p`: who has been asked, `nx`: whom to ask next
- `erase`: as an alias, be forgotten. `erased`: the identity of number `k` does not point to you any more
"""

from typing import Any, Literal, NamedTuple

Message = dict[str, Any]


class Outgoing(NamedTuple):
    """A message and where it goes: to the shard of identity `key`, or to the customer `key`.

    Three are not for the protocol: a `conflict` about identity `key` to publish, a `tombstone` for escalation `key`,
    and a `count` of what `key` names, for the metrics: it is not sent, nor kept.
    """

    to: Literal["identity", "customer", "conflict", "tombstone", "count"]
    key: str
    message: Message


def may_be_local(message: Message) -> bool:
    """Whether a batch may handle this message, which it made itself, at once instead of sending it.

    Only an event on its first way. All others keep their order, and stay behind the state of their sender.
    """
    return message["t"] == "event" and not message.get("f")


def to_identity(tag: str, identity: str, **fields: Any) -> Outgoing:
    """A message to the shard of `identity`."""
    return Outgoing("identity", identity, {"t": tag, "i": identity, **fields})


def to_customer(tag: str, customer_id: str, **fields: Any) -> Outgoing:
    """A message to a customer."""
    return Outgoing("customer", customer_id, {"t": tag, "c": customer_id, **fields})


def counted(what: str, number: int = 1) -> Outgoing:
    """So many of what was named, for the metrics."""
    return Outgoing("count", what, {"n": number})


def forwarded(message: Message, customer_id: str) -> Outgoing:
    """The message on to another customer."""
    return Outgoing("customer", customer_id, {**message, "c": customer_id, "f": 1})


def back(message: Message) -> Outgoing:
    """The message back to the shard of its identity, which knows better by the time it gets there."""
    fields = {name: value for name, value in message.items() if name not in ("c", "pn", "born", "cuts")}
    return Outgoing("identity", message["i"], {**fields, "f": 1})


def home_of(customer_id: str) -> int:
    """The partition that a customer lives on: its id says so. Raises ValueError for an id that says nothing."""
    return int(customer_id.rpartition(".")[2])
