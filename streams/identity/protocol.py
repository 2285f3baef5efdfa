"""Who is who over partitions: a protocol of messages between the shards of identities and customers. First version.

Each identity has a record on the partition of its key, with a pointer to its customer; each customer lives on the
partition that its id ends with, which is that of the identity it was born with, so that most events need no second
hop. An event goes to the shard of its strongest identity, from there to its customer, and tells the neighbours that
do not know yet. Where two customers prove to be one, the larger id becomes an alias, gives its whole history to the
smaller, which relabels the members; what still reaches the alias is forwarded.

It relies on this: every input is delivered until its state has been written and its messages are sent. Repetition and
order do not change the customers and logs; that messages from one partition to another arrive in the order in which
they were sent keeps the survivor from saying anew what the alias had said. A batch may handle a message that it made
itself where `may_be_local`. The record of an identity must be safe before the state of its customer is written: a
customer that only its own state knows of would be lost.

Not yet spread over partitions: the limits and what they refuse, unlink and split (`streams.identity.resolver` has
them); the survivor is the customer that was born first, whose first contact may be the later one where events come
late; an event answered on another public thread is not found; a thread first seen as private stays private.
"""

from streams.identity.member import Clear, CustomerLinks, Drop, Effect, Fold, Obey, Union, on_customer
from streams.identity.messages import NEVER_LOCAL, Message, Outgoing, home_of, may_be_local, to_customer, to_identity
from streams.identity.shard import IdentityRecord, on_identity

__all__ = [
    "NEVER_LOCAL",
    "Clear",
    "CustomerLinks",
    "Drop",
    "Effect",
    "Fold",
    "IdentityRecord",
    "Message",
    "Obey",
    "Outgoing",
    "Union",
    "home_of",
    "may_be_local",
    "on_customer",
    "on_identity",
    "to_customer",
    "to_identity",
]
