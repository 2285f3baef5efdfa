"""What the notifier remembers: standing escalations, the groups that they page in, and when each is due.

Times in ms. Both kinds of state are plain data and JSON-able.
"""

from dataclasses import asdict, dataclass, field
from typing import Any

from schemas.policy import GroupField, Notify
from streams.fingerprint import fingerprint
from streams.policy import Policy, TargetFacts
from streams.severity import RANKS

KEY_MAX = 255
"""Longest group key, in characters: what pagers take as a dedup key."""
LEAD_MAX = 300
"""How much of an escalation's summary is kept until it has been paged."""

Label = str | bool

_PLAIN: tuple[GroupField, ...] = ("kind", "topic", "channel", "severity", "metric", "public", "customer_id", "issue_id")
_KNOWN_BESIDE = ("priority", "difficulty", "tier", "team")


@dataclass(slots=True)
class Member:
    """An escalation that is not resolved."""

    id: str
    status: str
    severity: str
    labels: dict[str, Label]
    """What it is grouped and silenced by; unknown ones are left out."""
    key: str = ""
    """The group that it is in; empty while it pages nobody: not severe enough, or in somebody's hands unpaged."""
    since: int = 0
    """Since when it waits to be paged."""
    told: str = ""
    """The severity with which it was paged; empty before that."""
    lead: str = ""
    """Start of its summary, until it has been paged."""

    @property
    def open(self) -> bool:
        """Nobody has acknowledged or suppressed it."""
        return self.status == "open"

    @property
    def facts(self) -> TargetFacts:
        """What a silence is matched by."""
        return TargetFacts(**{name: self.labels.get(name) for name in TargetFacts._fields})  # type: ignore[arg-type]

    def silenced(self, policy: Policy, now: int) -> int | None:
        """Until when the silence lasts that covers it at `now`; None where none does."""
        silence = policy.silence(self.facts, now)
        return None if silence is None else silence.until

    def wanted_key(self, notify: Notify) -> str:
        """The group that it belongs to under these settings; empty where it is not severe enough."""
        return group_key(self.labels, notify.group_by) if RANKS[self.severity] >= RANKS[notify.min_severity] else ""


@dataclass(slots=True)
class Group:
    """Escalations that page together. It lives until nothing of it stands and that has been said."""

    key: str
    fresh: dict[str, None] = field(default_factory=dict)
    """Ids to be paged: never paged yet, more severe than when they were, or open again."""
    told: dict[str, None] = field(default_factory=dict)
    """Ids that have been paged and stand."""
    loud: dict[str, None] = field(default_factory=dict)
    """Those of `told` that are open (neither acknowledged nor suppressed), and not to be paged again anyway."""
    paged: bool = False
    """A page is out that no `resolved` has followed."""
    last_at: int = 0
    """When it was last heard of."""
    joined_at: int = 0
    """Since when the oldest of `fresh` waits."""
    held_until: int = 0
    """No sooner are `fresh` paged: they are silenced. 0: they are not."""
    quiet_until: int = 0
    """Likewise for repeats."""
    named: list[str] = field(default_factory=list)
    """The ids of the last page."""
    peak: str = ""
    """Its severity."""

    @property
    def over(self) -> bool:
        """True where nothing is left to be said."""
        return not (self.fresh or self.told or self.paged)

    def add(self, member: Member) -> None:
        """`member` is to be paged."""
        if not self.fresh or self.held_until:
            self.joined_at = member.since
        self.joined_at = min(self.joined_at, member.since)
        self.held_until = 0
        self.fresh[member.id] = None
        self.loud.pop(member.id, None)

    def drop(self, id_: str) -> None:
        """The escalation has left."""
        for ids in (self.fresh, self.told, self.loud):
            ids.pop(id_, None)

    def due(self, notify: Notify) -> int | None:
        """When it is to be looked at: to page, to repeat, or to say that it is over. None: not by itself."""
        soonest = self.last_at + notify.group_interval
        moments = []
        if self.fresh:
            at = max(self.joined_at + notify.group_wait, self.held_until)
            moments.append(max(at, soonest) if self.paged else at)
        if self.paged and not self.told:
            moments.append(soonest)
        elif self.repeats:
            moments.append(max(self.repeat_at(notify), soonest, self.quiet_until))
        return min(moments, default=None)

    @property
    def repeats(self) -> bool:
        """True where it has paged, and something of that is open."""
        return self.paged and bool(self.loud)

    def repeat_at(self, notify: Notify) -> int:
        """When the next repeat is due, silences aside."""
        return self.last_at + notify.repeat_interval


def labels_of(record: dict[str, Any], beside: TargetFacts | None) -> dict[str, Label]:
    """What an escalation is grouped and silenced by; `beside` tells what the record itself does not."""
    labels: dict[str, Label] = {name: record[name] for name in _PLAIN if record.get(name) is not None}
    labels["role"] = record["route"]["role"]
    if beside is not None:
        for name in _KNOWN_BESIDE:
            value = getattr(beside, name)
            if value is not None:
                labels[name] = value
    return labels


def group_key(labels: dict[str, Label], fields: tuple[GroupField, ...]) -> str:
    """`kind=sla/topic=billing/channel=phone`: different values give different keys, of at most 255 characters."""
    text = "/".join(f"{name}={_escape(labels.get(name))}" for name in fields) or "all"
    if len(text) <= KEY_MAX:
        return text
    mark = fingerprint("", text)
    return text[: KEY_MAX - len(mark)] + mark


def _escape(value: Label | None) -> str:
    if value is None:
        return ""
    text = str(value).lower() if isinstance(value, bool) else value
    return text.replace("%", "%25").replace("/", "%2F")


_SETS = ("fresh", "told", "loud")


def encode_member(member: Member) -> dict[str, Any]:
    """As a JSON object."""
    return asdict(member)


def decode_member(stored: dict[str, Any]) -> Member:
    """The member that `encode_member` stored."""
    return Member(**stored)


def encode_group(group: Group) -> dict[str, Any]:
    """As a JSON object; sets of ids become lists."""
    return {name: list(value) if name in _SETS else value for name, value in asdict(group).items()}


def decode_group(stored: dict[str, Any]) -> Group:
    """The group that `encode_group` stored."""
    values: dict[str, Any] = {**stored, **{name: dict.fromkeys(stored[name]) for name in _SETS}}
    return Group(**values)
