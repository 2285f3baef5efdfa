"""The notifications of one group of escalations, so that a storm pages once (contract, section 7).

What a user of Alertmanager expects, on virtual time:

- `first`, `group_wait` after the first escalation of the group called;
- `more`, `group_wait` after another called, at the earliest `group_interval` after the group was last heard of;
- `repeat`, `repeat_interval` after that, while something that was paged is open;
- `resolved`, likewise no sooner than `group_interval`, when nothing that was paged stands any more.

An escalation calls when it comes, when it becomes more severe, and when it is open again after an acknowledgement or
a suppression; a step of the ladder alone calls nobody anew. One that is acknowledged or suppressed stands, so that its
group is not resolved, but it is neither paged nor repeated. A silenced one waits, and pages when the silence ends, if
it is still open; those paged before a silence are not repeated in it. While the policy's switch is off
(`notify.paging`) nothing is paged or repeated; when it is on again, all that is open is told once, as `first`.
`count` and `severity` are of those that were paged and stand.
"""

from typing import Any

from schemas.notification import ESCALATION_IDS_MAX
from schemas.times import format_time
from streams.notification_member import Calling, Member, decode_members, encode_members
from streams.policy import Policy
from streams.severity import RANKS, highest
from streams.storm_message import Message, order_of
from streams.storm_seen import SEEN_FOR, Seen

STATE_VERSION = 2
MEMBERS_MAX = 2000
"""How many escalations of a group are kept one by one; those beyond are counted, and page as any other."""
LEADS_MAX = 20
"""How many that wait to be paged have the start of their summary kept."""
_KEY_SHOWN = 200
_KEPT = (
    "paged",
    "anew",
    "off",
    "last_at",
    "quiet_until",
    "named",
    "peak",
    "worst",
    "crowd_at",
    "next_wake",
)

Record = dict[str, Any]


class NotificationGroup:
    """All that pages under one key: takes messages, says when and what is paged. Times in ms.

    `observe` each message about an escalation of the group, in any order and as often as it comes; `wake` at
    `next_wake`, and when another policy takes effect. At one instant what happened comes before the wake-up. Time
    never runs backwards.
    """

    def __init__(self, key: str) -> None:
        self.key = key
        self.next_wake: int | None = None
        """The next instant (ms) at which something may be due if nothing happens; None where nothing will be."""
        self.seen = Seen()
        self.members: dict[str, Member] = {}
        self.paged = False
        """A page is out that no `resolved` has followed."""
        self.anew = False
        """Paging was off: the next page tells all, as a first one does."""
        self.off = False
        """Paging is off, as far as this group has seen."""
        self.last_at = 0
        """When it was last heard of."""
        self.quiet_until = 0
        """No sooner is anything repeated: all of it is silenced. 0: it is not."""
        self.named: list[str] = []
        """The ids of the last page."""
        self.peak = ""
        """Its severity."""
        self.worst = ""
        """The highest severity of those beyond the limit, which are not kept one by one."""
        self.crowd_at: int | None = None
        """Since when one of those waits to be paged; None where none does."""
        self._policy: str | None = None
        self._calling = Calling()
        self._told: set[str] = set()
        self._loud: set[str] = set()  # told and open, and not calling anyway
        self._lead_peak = 0
        self._changed: set[str] = set()  # members, since all were stored
        self._gone: dict[str, None] = {}  # likewise those that left, even if they came back

    def observe(self, message: Message, policy: Policy, now: int) -> list[Record]:
        """Take a message in at `now`; returns only notifications that were overdue."""
        sent = self._sound(policy, now - 1, now)
        member = self.members.get(message["id"])
        known = order_of(message) <= member.order if member is not None else self.seen.covers(message)
        if known:
            return sent
        if message.get("gone"):
            self._leave(message, member, now)
        elif member is None and len(self.members) >= MEMBERS_MAX:
            self._count(message, policy, now)
        else:
            self._place(message, member, policy, now)
        self._schedule(policy, now)
        return sent

    def wake(self, now: int, policy: Policy) -> list[Record]:
        """The notifications that are due at `now`."""
        return self._sound(policy, now, now)

    def spent(self, now: int) -> bool:
        """True where nothing is left to be said or to be remembered at `now`: it may be deleted."""
        return not self.members and not self.paged and not self.seen.beyond and self.seen.stale(now)

    # -- who is in it -----------------------------------------------------------------------------------

    def _place(self, message: Message, member: Member | None, policy: Policy, now: int) -> None:
        if member is not None and member.came != tuple(message["came"]):
            self._drop(member)  # it has left and come back in between
            member = None
        if member is None:
            member = self.members[message["id"]] = Member(message["id"])
            self.seen.keep(message)
        self._changed.add(member.id)
        facts = member.facts
        member.take(message)
        self._loud.discard(member.id)
        if not member.calls:
            self._calling.discard(member.id)
            if member.told and member.open:
                self._loud.add(member.id)
                self.quiet_until = 0 if member.facts != facts else self.quiet_until
            return
        if member.id not in self._calling:
            rang = min(message["rang_at"], now)
            member.since, member.held = (rang if rang + policy.notify.group_wait > now else now), 0
            self._calling.add(member)
        elif member.held and member.facts != facts:  # the silence may no longer cover it
            member.since, member.held = now, 0
            self._calling.add(member)
        severe = RANKS[member.severity]
        if member.lead or len(self._calling) <= LEADS_MAX or severe > self._lead_peak:
            member.lead = message.get("lead", member.lead)
            self._lead_peak = max(self._lead_peak, severe)

    def _count(self, message: Message, policy: Policy, now: int) -> None:
        """One that there is no room for: counted, and paged by the count."""
        new = self.seen.count(message, now)
        worse = RANKS[message["severity"]] > RANKS[self.worst]
        if worse:
            self.worst = message["severity"]
        one = Member(message["id"])
        one.take(message)
        if (new or worse) and one.open and one.silenced(policy, now) is None and self.crowd_at is None:
            self.crowd_at = now

    def _leave(self, message: Message, member: Member | None, now: int) -> None:
        self.seen.leave(message, now, kept=member is not None)
        if member is not None:
            self._drop(member)
        if not self.seen.beyond:
            self.worst, self.crowd_at = "", None

    def _drop(self, member: Member) -> None:
        del self.members[member.id]
        self._gone[member.id] = None
        self._changed.discard(member.id)
        self._calling.discard(member.id)
        self._told.discard(member.id)
        self._loud.discard(member.id)

    def follow(self, policy: Policy, now: int) -> None:
        """Another policy has taken effect: its times, its silences and its switch may be others."""
        if policy.version == self._policy:
            return
        self._policy = policy.version
        self.quiet_until = 0
        for member in list(self._calling.members.values()):
            member.held = 0
            self._call(member)
        if self.off and policy.paging:
            self._tell_all(now)
        self.off = not policy.paging
        self._schedule(policy, now)

    def _call(self, member: Member) -> None:
        """It is to be paged, or another time than before."""
        self._calling.add(member)
        self._changed.add(member.id)

    def _tell_all(self, now: int) -> None:
        """Paging is on again: all that is open calls, from now on."""
        for id_ in self._loud:
            member = self.members[id_]
            member.rung = member.ring - 1
        for member in self.members.values():
            if member.calls:
                member.since, member.held = now, 0
                self._call(member)
        self._loud.clear()
        self.crowd_at = now if self.seen.beyond else None
        self.anew = self.paged and (len(self._calling) > 0 or self.crowd_at is not None)

    # -- when -------------------------------------------------------------------------------------------

    def _schedule(self, policy: Policy, now: int) -> None:
        moments = []
        notify = policy.notify
        soonest = self.last_at + notify.group_interval
        stands = self._told or self.seen.beyond
        if policy.paging:
            joined = [at for at in (self._calling.joined_at, self.crowd_at) if at is not None]
            calls = [min(joined) + notify.group_wait] if joined else []
            if self._calling.held_until is not None:
                calls.append(self._calling.held_until)
            moments += [max(at, soonest) if self.paged else at for at in calls]
        if self.paged and not stands:
            moments.append(soonest)
        elif policy.paging and self._repeats:
            moments.append(max(self.last_at + notify.repeat_interval, soonest, self.quiet_until))
        if self._uncertain:
            moments.append(self.seen.at + SEEN_FOR)
        self.next_wake = max(min(moments), now) if moments else None

    @property
    def _uncertain(self) -> bool:
        """Nothing stands but what was counted, in which a message that came twice may have been counted twice."""
        return bool(self.seen.beyond) and not self.members

    @property
    def _repeats(self) -> bool:
        return self.paged and bool(self._loud or self.seen.beyond)

    def _sound(self, policy: Policy, until: int, now: int) -> list[Record]:
        """What was due up to `until`, said at `now`."""
        self.follow(policy, now)
        sent: list[Record] = []
        while self.next_wake is not None and self.next_wake <= until:
            record = self._flush(policy, now)
            if record is not None:
                sent.append(record)
            self._schedule(policy, now)
        return sent

    # -- what -------------------------------------------------------------------------------------------

    def _flush(self, policy: Policy, now: int) -> Record | None:
        self.quiet_until = 0
        if self._uncertain and self.seen.stale(now):
            self.seen.forget()
            self.worst, self.crowd_at = "", None
        ready = self._ready(policy, now) if policy.paging else []
        if ready or (self.crowd_at is not None and policy.paging):
            return self._page("first" if self.anew or not self.paged else "more", ready, now)
        if self.paged and not self._told and not self.seen.beyond:
            return self._resolve(now)
        if policy.paging and self._repeats and self.last_at + policy.notify.repeat_interval <= now:
            ends = [self.members[id_].silenced(policy, now) for id_ in self._loud]
            silenced = [end for end in ends if end is not None]
            if len(silenced) < len(ends) or not ends:
                return self._page("repeat", [], now)
            self.quiet_until = min(silenced)
        return None

    def _ready(self, policy: Policy, now: int) -> list[Member]:
        """Those that call and that no silence covers, the most severe first; of the others it notes until when."""
        members = list(self._calling.members.values())
        for member in members:
            held = member.silenced(policy, now) or 0
            if held != member.held:
                member.held = held
                self._call(member)
        return sorted((member for member in members if not member.held), key=lambda member: member.rank)

    def _page(self, change: str, ready: list[Member], now: int) -> Record:
        lead = next((member.lead for member in ready if member.lead), "")
        for member in ready:
            self._calling.discard(member.id)
            member.rung, member.told, member.lead = member.ring, True, ""
            self._changed.add(member.id)
            self._told.add(member.id)
            self._loud.add(member.id)
        crowd, self.crowd_at, self._lead_peak = self.crowd_at is not None, None, 0
        first = [member.id for member in ready[:ESCALATION_IDS_MAX]]
        others = (id_ for id_ in self.members if id_ in self._told)
        named = dict.fromkeys(first)
        for id_ in others:
            if len(named) >= ESCALATION_IDS_MAX:
                break
            named[id_] = None
        self.named, self.paged, self.anew, self.last_at = list(named), True, False, now
        self.peak = highest({*(self.members[id_].severity for id_ in self._told), self.worst})
        count = len(self._told) + self.seen.beyond
        parts = [f"{count} open escalation{'s' if count > 1 else ''}, highest {self.peak} ({self.key[:_KEY_SHOWN]})"]
        if change == "more":
            parts.append("many new or worse" if crowd else f"{len(ready)} new or worse")
        if change == "repeat":
            parts.append(f"{len(self._loud) + self.seen.beyond} not acknowledged")
        if lead:
            parts.append(lead)
        return self._record(change, count, "; ".join(parts), now)

    def _resolve(self, now: int) -> Record:
        text = f"No escalation of this group is open any more ({self.key[:_KEY_SHOWN]})"
        record = self._record("resolved", 0, text, now)
        self.paged, self.anew, self.last_at, self.named, self.peak = False, False, now, [], ""
        return record

    def _record(self, change: str, count: int, summary: str, now: int) -> Record:
        return {
            "group_key": self.key,
            "at": format_time(now),
            "change": change,
            "count": count,
            "severity": self.peak,
            "escalation_ids": self.named,
            "summary": summary,
        }

    # -- stored -----------------------------------------------------------------------------------------

    def encode(self) -> dict[str, Any]:
        """As a JSON object; `next_wake` in it is what a timer is set to."""
        return self._stored(self.seen.encode(), self.members)

    def changes(self) -> dict[str, Any]:
        """What has changed since `stored_whole`, and all that is small, as a JSON object."""
        changed = {id_: member for id_, member in self.members.items() if id_ in self._changed}
        return self._stored(self.seen.changes(), changed) | {"gone": list(self._gone)}

    def stored_whole(self) -> None:
        """It is stored as `encode` gives it."""
        self.seen.stored_whole()
        self._changed.clear()
        self._gone.clear()

    def _stored(self, seen: Record, members: dict[str, Member]) -> dict[str, Any]:
        return {
            "v": STATE_VERSION,
            "key": self.key,
            "policy_version": self._policy,
            **{name: getattr(self, name) for name in _KEPT},
            "seen": seen,
            "members": encode_members(members),
        }

    @classmethod
    def decode(cls, whole: Record, changes: Record | None = None) -> "NotificationGroup":
        """What `encode` stored, and `changes` since; raises ValueError for a state of a newer version."""
        stored = whole if changes is None else changes
        if stored.get("v", 0) > STATE_VERSION:
            raise ValueError(f"notifications of version {stored['v']} are newer than {STATE_VERSION}: upgrade first")
        group = cls(stored["key"])
        group._policy = stored["policy_version"]
        for name in _KEPT:
            setattr(group, name, stored[name])
        group.named = list(stored["named"])
        group.seen = Seen.decode(whole["seen"], changes["seen"] if changes is not None else None)
        group.members = decode_members(whole["members"])
        if changes is not None:
            group._take(changes)
        for member in group.members.values():
            if member.calls:
                group._calling.add(member)
        group._told = {id_ for id_, member in group.members.items() if member.told}
        group._lead_peak = max((RANKS[m.severity] for m in group._calling.members.values()), default=0)
        group._loud = {id_ for id_ in group._told if group.members[id_].open and id_ not in group._calling}
        return group

    def _take(self, changes: Record) -> None:
        self._gone = dict.fromkeys(changes["gone"])
        for id_ in self._gone:
            self.members.pop(id_, None)
        changed = decode_members(changes["members"])
        self._changed = set(changed)
        self.members |= changed
