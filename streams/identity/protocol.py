"""Who is who over partitions: a protocol of messages between the shards of identities and customers.

Each identity has a record on the partition of its key, with a pointer to its customer; each customer lives on the
partition that its id ends with, which is that of the identity it was born with, so that most events need no second
hop. An event goes to the shard of its strongest identity, and from there to its customer, which knows its members:
where all that the event carries is among them, that is all. Otherwise the customer asks for what it lacks (`joins`),
within the limits; of two customers one becomes an alias and gives its whole history to the other, which relabels the
members (`merging`). An unlink makes parts (`splitting`). What still reaches an alias is forwarded, and what is about
an identity that has left goes back to its shard.

It relies on this: every input is delivered until its state has been written and its messages are sent; messages of one
sender to one receiver arrive in the order in which they were sent, though some may come again. The messages of a
customer are kept with its state until they are confirmed. The record of an identity must be safe before the state of
its customer is written: a customer that only its own state knows of would be lost.

Not spread over partitions: an event answered on another public thread is not found. Where one event names several
identities that no customer may have together, which of them end up together, and which refusals are told, may differ
from `mindgap replay`.
"""

from streams.identity.history import History
from streams.identity.keeping import keep_small
from streams.identity.limits import Limits
from streams.identity.links import CustomerLinks
from streams.identity.member import on_customer
from streams.identity.messages import Message, Outgoing, home_of, may_be_local, to_customer, to_identity
from streams.identity.shard import IdentityRecord, on_identity

__all__ = [
    "CustomerLinks",
    "History",
    "IdentityRecord",
    "Limits",
    "Message",
    "Outgoing",
    "home_of",
    "keep_small",
    "may_be_local",
    "on_customer",
    "on_identity",
    "to_customer",
    "to_identity",
]
