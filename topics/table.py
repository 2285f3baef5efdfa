"""The one table of all topics: what is said where, under which key, and how long it is kept.

Names here are logical; `physical` puts the prefix before them. Nothing else in the project spells a topic's name.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from schemas.times import DAY, HOUR, MINUTE
from schemas.vocabulary import CHANNELS

Cleanup = Literal["delete", "compact"]
Role = Literal["input", "inbox", "output", "changelog", "watermarks"]

_KIB = 1024
_MIB = 1024 * _KIB
INPUT_BYTES_MAX = 4 * _MIB
"""Larger than any limit a policy sensibly sets, so that an oversized event arrives and can be dead-lettered."""
COMPACTED_WITHIN = 7 * DAY
"""How long (ms) what has been overwritten or erased may stay in a compacted topic before the broker takes it away."""
STATE_COMPACTED_AFTER = 2 * MINUTE
"""How long (ms) the broker leaves a changelog's records beside newer ones of their keys: a newer one may be that of an
owner that overslept, and whoever owns the partition, or comes to own it meanwhile, writes its state again."""
SEGMENT_BYTES = 50 * _MIB
"""How much of a partition of a compacted topic is written before the broker may compact it: who recovers reads
all that is not compacted yet, and with Kafka's 1 GiB that is many times the state."""
DEAD_BYTES_MAX = 12 * _MIB
"""Holds the largest input, its key and its headers in base64."""


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic. `record` is `module:Model` of its values, None where they are the project's own business."""

    name: str
    role: Role
    key: str
    record: str | None
    cleanup: Cleanup
    retention_ms: int | None = None
    """How long records are kept; None for ever (compacted topics)."""
    single: bool = False
    """Exactly one partition; otherwise as many as all the others, because they are read side by side."""
    bytes_max: int = _MIB

    def partitions(self, count: int) -> int:
        """Number of partitions where the deployment uses `count`."""
        return 1 if self.single else count


def _interactions() -> Iterator[Topic]:
    for channel in CHANNELS:
        yield Topic(
            f"interactions.{channel}",
            "input",
            "primary identity, type:value",
            "schemas.interaction:Interaction",
            "delete",
            30 * DAY,
            bytes_max=INPUT_BYTES_MAX,
        )


_ALL = (
    *_interactions(),
    Topic("identities.links", "input", "the pair of identities, in order", "schemas.link:Link", "compact"),
    Topic("policies", "input", "version", "schemas.policy:PolicyDocument", "compact", single=True),
    Topic("escalations.commands", "input", "customer id", "schemas.command:Command", "delete", 30 * DAY),
    Topic("identity-inbox", "inbox", "identity", None, "delete", 7 * DAY, bytes_max=INPUT_BYTES_MAX),
    Topic("customer-inbox", "inbox", "customer id", None, "delete", 7 * DAY, bytes_max=INPUT_BYTES_MAX),
    Topic("aggregate-inbox", "inbox", "aggregate", None, "delete", 7 * DAY, bytes_max=INPUT_BYTES_MAX),
    Topic("watermarks", "watermarks", "worker", None, "delete", HOUR, single=True),
    Topic("escalations", "output", "customer id", "schemas.escalation:Escalation", "delete", 90 * DAY),
    Topic("escalations.current", "output", "escalation id", "schemas.escalation:Escalation", "compact"),
    Topic("notifications", "output", "group key", "schemas.notification:Notification", "delete", 30 * DAY),
    Topic("channel-gaps", "output", "channel", "schemas.gap:ChannelGap", "delete", 90 * DAY),
    Topic("identities.conflicts", "output", "identity", "schemas.conflict:Conflict", "delete", 90 * DAY),
    Topic(
        "interactions.dead",
        "output",
        "original key",
        "schemas.dead_letter:DeadLetter",
        "delete",
        90 * DAY,
        bytes_max=DEAD_BYTES_MAX,
    ),
    Topic("changelog.identities", "changelog", "identity", None, "compact", bytes_max=2 * _MIB),
    Topic("changelog.customers", "changelog", "customer id", None, "compact", bytes_max=2 * _MIB),
    Topic("changelog.aggregates", "changelog", "aggregate", None, "compact", bytes_max=2 * _MIB),
)

TOPICS: Mapping[str, Topic] = MappingProxyType({topic.name: topic for topic in _ALL})
"""Every topic by its logical name."""

INTERACTIONS: tuple[str, ...] = tuple(f"interactions.{channel}" for channel in CHANNELS)
LINKS = "identities.links"
POLICIES = "policies"
COMMANDS = "escalations.commands"
IDENTITY_INBOX = "identity-inbox"
CUSTOMER_INBOX = "customer-inbox"
AGGREGATE_INBOX = "aggregate-inbox"
INBOXES: tuple[str, ...] = tuple(topic.name for topic in _ALL if topic.role == "inbox")
"""What partitions send one another. Time waits for all that is in them (`agents.worker.tracking`)."""
WATERMARKS = "watermarks"
ESCALATIONS = "escalations"
CURRENT = "escalations.current"
NOTIFICATIONS = "notifications"
GAPS = "channel-gaps"
DEAD = "interactions.dead"
CHANGELOGS: Mapping[str, str] = MappingProxyType(
    {
        "identities": "changelog.identities",
        "customers": "changelog.customers",
        "aggregates": "changelog.aggregates",
    }
)
"""Changelog topic of each table, in the order in which they are written: an identity before its customer."""

CO_PARTITIONED: tuple[str, ...] = (*INTERACTIONS, LINKS, COMMANDS, *INBOXES)
"""What one worker reads side by side with the tables: the same number of partitions, the same subscribers."""


SHADOW = "|shadow."
"""Ends the prefix of a shadow: it reads the topics of the live system beside it, and has all others of its own."""


def physical(prefix: str, name: str) -> str:
    """The topic's name at the broker; raises KeyError for a name that is not in the table."""
    topic = TOPICS[name]
    live, _, own = prefix.partition("|")
    return live + topic.name if topic.role == "input" else live + own + topic.name


def logical(prefix: str, name: str) -> str:
    """The logical name of a topic at the broker; raises KeyError for one that is not ours."""
    live, _, own = prefix.partition("|")
    for start in dict.fromkeys((live + own, live)):
        topic = TOPICS.get(name.removeprefix(start)) if name.startswith(start) else None
        if topic is not None and physical(prefix, topic.name) == name:
            return topic.name
    raise KeyError(name)
