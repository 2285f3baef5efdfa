"""The notifier: groups escalations, so that a storm pages once (contract, section 7).

What a user of Alertmanager expects, on virtual time:

- `first`, `group_wait` after the first escalation of a group came;
- `more`, `group_wait` after another joined, at the earliest `group_interval` after the group was last heard of;
- `repeat`, `repeat_interval` after that, while something that was paged is open;
- `resolved`, likewise no sooner than `group_interval`, when nothing that was paged stands any more.

An escalation joins when it reaches `min_severity`. It joins anew, and so pages again, when it becomes more severe
than it was paged with, when it is open again after an acknowledgement or a suppression, and when its group changes
(a topic learned later): the old group may then be resolved, the new one pages. It leaves when it is resolved or
falls below `min_severity`. A step of the ladder alone pages nobody anew, unless `group_by` has `role`.

One that is acknowledged or suppressed stands, so its group is not resolved, but it is neither paged nor repeated.
A silenced one waits, and pages when the silence ends, if it is still open; those paged before a silence are not
repeated in it. Backfilled records are passed over. `count` and `severity` are of those that were paged and stand.
"""

from heapq import heappop, heappush
from typing import Any

from schemas.notification import ESCALATION_IDS_MAX
from schemas.times import format_time
from streams.notification_group import (
    LEAD_MAX,
    Group,
    Member,
    decode_group,
    decode_member,
    encode_group,
    encode_member,
    labels_of,
)
from streams.policy import Policy, TargetFacts
from streams.revisions import Revisions
from streams.severity import RANKS, highest

STATE_VERSION = 1
_KEY_SHOWN = 200

Record = dict[str, Any]


class Notifier:
    """Takes the revisions of escalations and says when which group is paged.

    `observe` what is sent, and `wake` at `next_wake` and when another policy takes effect; at one instant what
    happened comes before the wake-up. Time never runs backwards. A revision that was seen changes nothing.
    """

    def __init__(self) -> None:
        self._members: dict[str, Member] = {}
        self._groups: dict[str, Group] = {}
        self._revisions = Revisions()
        self._version: str | None = None
        self._alarms: list[tuple[int, str]] = []
        self._due: dict[str, int] = {}

    def observe(self, record: Record, policy: Policy, now: int, beside: TargetFacts | None = None) -> list[Record]:
        """Take a revision in at `now` (ms); returns only notifications that were overdue.

        `beside` tells the priority, difficulty, tier and team of the subject, which a record does not carry: a
        silence by one of these matches nothing without it.
        """
        sent = self._sound(policy, now - 1, now)
        if not self._revisions.take(record):
            return sent
        id_ = record["escalation_id"]
        member = self._members.get(id_)
        if record["status"] == "resolved" or record["backfilled"]:
            if member is not None:
                self._leave(member, policy, now)
                del self._members[id_]
            return sent
        was_open = member is None or member.open
        if member is None:
            member = self._members[id_] = Member(id_, record["status"], record["severity"], {})
        member.status, member.severity = record["status"], record["severity"]
        member.labels, member.lead = labels_of(record, beside), record["summary"][:LEAD_MAX]
        self._place(member, policy, now, back=member.open and not was_open)
        return sent

    def wake(self, now: int, policy: Policy) -> list[Record]:
        """The notifications that are due at `now` (ms)."""
        return self._sound(policy, now, now)

    @property
    def next_wake(self) -> int | None:
        """The next instant (ms) at which something may be due if nothing happens; None where nothing will be."""
        while self._alarms and self._due.get(self._alarms[0][1]) != self._alarms[0][0]:
            heappop(self._alarms)
        return self._alarms[0][0] if self._alarms else None

    # -- who is in which group --------------------------------------------------------------------------

    def _place(self, member: Member, policy: Policy, now: int, *, back: bool = False) -> None:
        """Put a member where it belongs. `back`: it is open again."""
        key = member.wanted_key(policy.notify)
        waits = self._fresh(member)
        if member.key and key != member.key:
            self._leave(member, policy, now)
        if not key:
            return
        worse = RANKS[member.severity] > RANKS[member.told]
        if not member.told and not member.open:
            if member.key:
                self._leave(member, policy, now)
            return  # in somebody's hands before anybody was paged
        group = self._groups.get(key)
        if group is None:
            group = self._groups[key] = Group(key)
        member.key = key
        if not member.open:
            group.fresh.pop(member.id, None)
            group.loud.pop(member.id, None)
        elif (worse or back) and member.id not in group.fresh:
            member.since = member.since if waits else now
            group.add(member)
        self._schedule(group, policy, now)

    def _fresh(self, member: Member) -> bool:
        group = self._groups.get(member.key)
        return group is not None and member.id in group.fresh

    def _leave(self, member: Member, policy: Policy, now: int) -> None:
        group = self._groups.get(member.key)
        member.key = member.told = ""
        if group is not None:
            group.drop(member.id)
            self._schedule(group, policy, now)

    def _follow(self, policy: Policy, now: int) -> None:
        """Group anew what stands, where another policy has taken effect."""
        if policy.version == self._version:
            return
        known, self._version = self._version is not None, policy.version
        if not known:
            return
        for member in self._members.values():
            self._place(member, policy, now)
        for group in list(self._groups.values()):
            group.held_until = group.quiet_until = 0  # its silences may be others
            self._schedule(group, policy, now)

    # -- when -------------------------------------------------------------------------------------------

    def _schedule(self, group: Group, policy: Policy, now: int) -> None:
        due = None if group.over else group.due(policy.notify)
        due = None if due is None else max(due, now)
        if group.over:
            self._groups.pop(group.key, None)
        if due is None:
            self._due.pop(group.key, None)
        elif self._due.get(group.key) != due:
            self._due[group.key] = due
            heappush(self._alarms, (due, group.key))

    def _sound(self, policy: Policy, until: int, now: int) -> list[Record]:
        """What was due up to `until`, said at `now`."""
        self._follow(policy, now)
        sent: list[Record] = []
        while (at := self.next_wake) is not None and at <= until:
            _, key = heappop(self._alarms)
            del self._due[key]
            group = self._groups[key]
            record = self._flush(group, policy, now)
            if record is not None:
                sent.append(record)
            self._schedule(group, policy, now)
        return sent

    # -- what -------------------------------------------------------------------------------------------

    def _flush(self, group: Group, policy: Policy, now: int) -> Record | None:
        group.held_until = group.quiet_until = 0
        ready, held = self._audible(group.fresh, policy, now)
        if held:
            group.held_until = min(held)
        if ready:
            return self._page(group, "more" if group.paged else "first", ready, now)
        if group.paged and not group.told:
            return self._resolve(group, now)
        if group.repeats and group.repeat_at(policy.notify) <= now:
            audible, silenced = self._audible(group.loud, policy, now)
            if audible:
                return self._page(group, "repeat", [], now)
            group.quiet_until = min(silenced)
        return None

    def _audible(self, ids: dict[str, None], policy: Policy, now: int) -> tuple[list[str], list[int]]:
        """Those of `ids` that no silence covers, and when the silences of the others end."""
        if not policy.silences:
            return list(ids), []
        ends = {id_: self._members[id_].silenced(policy, now) for id_ in ids}
        return [id_ for id_, end in ends.items() if end is None], [end for end in ends.values() if end is not None]

    def _page(self, group: Group, change: str, ready: list[str], now: int) -> Record:
        lead = max((self._members[id_] for id_ in ready), key=lambda m: RANKS[m.severity], default=None)
        text = lead.lead if lead else ""
        for id_ in ready:
            member = self._members[id_]
            member.told, member.lead = member.severity, ""
            del group.fresh[id_]
            group.told[id_] = group.loud[id_] = None
        named = dict.fromkeys(ready[:ESCALATION_IDS_MAX])
        for id_ in group.told:
            if len(named) >= ESCALATION_IDS_MAX:
                break
            named[id_] = None
        group.named = list(named)
        group.paged, group.last_at = True, now
        group.peak = highest({self._members[id_].severity for id_ in group.told})
        count = len(group.told)
        parts = [f"{count} open escalation{'s' if count > 1 else ''}, highest {group.peak} ({group.key[:_KEY_SHOWN]})"]
        if change == "more":
            parts.append(f"{len(ready)} new or worse")
        if change == "repeat":
            parts.append(f"{len(group.loud)} not acknowledged")
        if text:
            parts.append(text)
        return self._record(group, change, count, "; ".join(parts), now)

    def _resolve(self, group: Group, now: int) -> Record:
        text = f"No escalation of this group is open any more ({group.key[:_KEY_SHOWN]})"
        record = self._record(group, "resolved", 0, text, now)
        group.paged, group.last_at, group.named, group.peak = False, now, [], ""
        return record

    def _record(self, group: Group, change: str, count: int, summary: str, now: int) -> Record:
        return {
            "group_key": group.key,
            "at": format_time(now),
            "change": change,
            "count": count,
            "severity": group.peak,
            "escalation_ids": group.named,
            "summary": summary,
        }

    # -- stored -----------------------------------------------------------------------------------------

    def encode(self) -> dict[str, Any]:
        """As a JSON object."""
        return {
            "v": STATE_VERSION,
            "policy_version": self._version,
            "members": [encode_member(member) for member in self._members.values()],
            "groups": [encode_group(group) for group in self._groups.values()],
            "due": dict(self._due),
            "revisions": self._revisions.encode(),
        }

    @classmethod
    def decode(cls, stored: dict[str, Any]) -> "Notifier":
        """What `encode` stored; raises ValueError for a state of a newer version."""
        if stored.get("v", 0) > STATE_VERSION:
            raise ValueError(f"notifier state of version {stored['v']} is newer than {STATE_VERSION}: upgrade first")
        notifier = cls()
        notifier._version = stored["policy_version"]
        notifier._members = {item["id"]: decode_member(item) for item in stored["members"]}
        notifier._groups = {item["key"]: decode_group(item) for item in stored["groups"]}
        notifier._due = dict(stored["due"])
        notifier._alarms = sorted((at, key) for key, at in notifier._due.items())
        notifier._revisions = Revisions.decode(stored["revisions"])
        return notifier
