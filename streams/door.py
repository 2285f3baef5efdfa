"""The door of a node: which message a record makes, and to whom; or why it is set aside."""

from typing import Any

from schemas.codec import loads
from streams.aggregates.messages import ORDER, Post, to_aggregate
from streams.effects import Incoming
from streams.identity.claims import claim_of_event, claim_of_link
from streams.identity.messages import Outgoing, home_of, to_customer
from streams.intake import Rejected, admit, admit_command, admit_link, parse
from streams.policy import PolicyHistory

LINKS = "identities.links"
COMMANDS = "escalations.commands"
IDENTITY_INBOX = "identity-inbox"
CUSTOMER_INBOX = "customer-inbox"
AGGREGATE_INBOX = "aggregate-inbox"
INTERACTIONS = "interactions."
_INBOXES = frozenset({IDENTITY_INBOX, CUSTOMER_INBOX, AGGREGATE_INBOX})


def enter(record: Incoming, policies: PolicyHistory, partitions: int) -> Outgoing | Post | Rejected | None:
    """The message that a record makes; None for one that asks for nothing that can be done."""
    if record.topic in _INBOXES:
        return _from_inbox(record.topic, loads(record.value or b""))
    policy = policies.at(record.arrived_at)
    if record.topic == LINKS and record.value is None:
        return None  # a compacted pair was deleted: what it once joined stays joined
    value = parse(record.value or b"", policy.max_bytes)
    if isinstance(value, Rejected):
        return value
    if record.topic == LINKS:
        return _link(value, record.arrived_at, policy.blocked)
    if record.topic == COMMANDS:
        return _command(record, value, partitions)
    if not record.topic.startswith(INTERACTIONS):
        msg = f"no way in for topic {record.topic}"
        raise ValueError(msg)
    event = admit(value, record.arrived_at, policy)
    if isinstance(event, Rejected):
        return event
    public = policy.is_public(event.channel) if event.public is None else event.public
    return claim_of_event(event, public=public, blocked=policy.blocked)


def _from_inbox(topic: str, message: dict[str, Any]) -> Outgoing | Post:
    if topic == AGGREGATE_INBOX:
        return Post("aggregate", message["k"], message)
    if topic == IDENTITY_INBOX:
        return Outgoing("identity", message["i"], message)
    return Outgoing("customer", message["c"], message)


def _link(value: Any, arrived_at: int, blocked: frozenset[str]) -> Outgoing | Rejected | None:
    record = admit_link(value)
    return record if isinstance(record, Rejected) else claim_of_link(record, arrived_at, blocked)


def _command(record: Incoming, value: Any, partitions: int) -> Outgoing | Post | Rejected:
    """To the customer; to where a hotspot of that id is known, if there is no such customer."""
    command = admit_command(value)
    if isinstance(command, Rejected):
        return command
    whole = {"command": value, "p": record.partition, "o": record.offset, "at": record.arrived_at}
    try:
        known = 0 <= home_of(command.customer_id) < partitions
    except ValueError:
        known = False
    if known:
        return to_customer("command", command.customer_id, v=whole)
    return to_aggregate(ORDER, command.escalation_id, "command", v=whole)
