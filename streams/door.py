"""The door of a node: which message of the identity protocol a record makes, or why it is set aside."""

from typing import Any

from schemas.codec import loads
from streams.effects import Incoming
from streams.identity.claims import claim_of_event, claim_of_link
from streams.identity.messages import Outgoing, home_of, to_customer
from streams.intake import Rejected, admit, admit_command, admit_link, parse
from streams.policy import PolicyHistory

LINKS = "identities.links"
COMMANDS = "escalations.commands"
IDENTITY_INBOX = "identity-inbox"
CUSTOMER_INBOX = "customer-inbox"
INTERACTIONS = "interactions."


def enter(record: Incoming, policies: PolicyHistory, partitions: int) -> Outgoing | Rejected | None:
    """The message that a record makes; None for one that asks for nothing that can be done."""
    if record.topic == IDENTITY_INBOX:
        message = loads(record.value or b"")
        return Outgoing("identity", message["i"], message)
    if record.topic == CUSTOMER_INBOX:
        message = loads(record.value or b"")
        return Outgoing("customer", message["c"], message)
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


def _link(value: Any, arrived_at: int, blocked: frozenset[str]) -> Outgoing | Rejected | None:
    record = admit_link(value)
    return record if isinstance(record, Rejected) else claim_of_link(record, arrived_at, blocked)


def _command(record: Incoming, value: Any, partitions: int) -> Outgoing | Rejected:
    command = admit_command(value)
    if isinstance(command, Rejected):
        return command
    try:
        known = 0 <= home_of(command.customer_id) < partitions
    except ValueError:
        known = False
    if not known:
        return Rejected("unknown_escalation", "customer_id: not an id that this system gives")
    whole = {"command": value, "p": record.partition, "o": record.offset, "at": record.arrived_at}
    return to_customer("command", command.customer_id, v=whole)
