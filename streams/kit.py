"""The kit: makes the nodes of a worker, and keeps the policies that they share."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from schemas.codec import loads
from streams.effects import Effects, Incoming
from streams.node import Node
from streams.policy import Policy, PolicyHistory, compile_policy
from streams.policy_file import read_policy_value
from streams.soundness import is_sound


class CoreKit:
    """Nodes over the given state. `policy` is in force from the beginning."""

    def __init__(self, policy: Policy) -> None:
        self.policies = PolicyHistory(policy)

    def node(
        self,
        partition: int,
        partitions: int,
        identities: Mapping[bytes, bytes],
        customers: Mapping[bytes, bytes],
        aggregates: Mapping[bytes, bytes],
        owner: Callable[[str], int],
    ) -> Node:
        """A node over these stores, not yet rebuilt."""
        return Node(partition, partitions, identities, customers, aggregates, self.policies, owner)

    def is_sound(self, table: str, key: bytes, value: bytes) -> bool:
        """Can the value of a key of this table be read whole? Raises ValueError for one that a newer program wrote."""
        return is_sound(table, key, value)

    def records(self, incoming: Iterable[Incoming]) -> Sequence[Incoming]:
        """The records as a node wants them: as they are."""
        return list(incoming)

    def policy(self, value: bytes, arrived_at: int) -> bool:
        """Take a policy document in; True where it is new. Raises ValueError for one that cannot be used."""
        return self.policies.add(compile_policy(read_policy_value(loads(value), "policies")), arrived_at)

    def policy_changed(self, node: Node, now: int) -> Effects:
        """Have all customers and aggregates of the node settled under the policies that hold now."""
        return node.settle_all(now)
