"""One batch of a node: what its records and timers change, collected until it is written."""

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from hashlib import blake2b
from typing import Any

from schemas.codec import dumps, loads
from schemas.command import Command
from schemas.times import format_time
from streams.aggregates.aggregate import Said
from streams.aggregates.aggregate import home_of as aggregate_home
from streams.aggregates.desk import Desk, Shelf
from streams.aggregates.gap_desk import GapDesk
from streams.aggregates.gap_feed import SEQUENCE, GapFeed
from streams.aggregates.kept import TABLE
from streams.aggregates.messages import AROUND, GAP, STORM, Message, Post, in_parcels
from streams.aggregates.sender import hear, tell_shares, tell_storm, withdraw
from streams.backlog import Backlog, has_waited
from streams.bounds import EVENTS_MAX, STATE_BYTES_MAX
from streams.customer import Customer
from streams.decoded import Decoded, Threads
from streams.door import AGGREGATE_INBOX, COMMANDS, CUSTOMER_INBOX, IDENTITY_INBOX, enter
from streams.effects import Dead, Effects, Incoming, Record, Send
from streams.identity.claims import carried_by
from streams.identity.history import Carried
from streams.identity.limits import Limits
from streams.identity.protocol import (
    CustomerLinks,
    IdentityRecord,
    Outgoing,
    home_of,
    keep_small,
    may_be_local,
    on_customer,
    on_identity,
)
from streams.identity.rules import IdentityRules
from streams.intake import Rejected
from streams.policy import Policy, PolicyHistory
from streams.stored import Stored, decode_outbox, decode_posts, decode_stored
from streams.stored_history import StoredHistory
from streams.timers import Timers

BYTES_PER_EVENT_MAX = 700
"""What an event and what was said of it take at the most, as a rule: below that nothing is measured."""
UNSAID = 3
"""So many times the room may be taken while there is more to say: what is let go would not be put on record."""
_ESCALATIONS, _CURRENT, _CONFLICTS = "escalations", "escalations.current", "identities.conflicts"


class Place:
    """What a node has between its batches. `unsent`: customers whose last outputs may not have been sent."""

    def __init__(
        self,
        partition: int,
        partitions: int,
        identities: Mapping[bytes, bytes],
        customers: Mapping[bytes, bytes],
        aggregates: Mapping[bytes, bytes],
        policies: PolicyHistory,
        owner: Callable[[str], int],
    ) -> None:
        self.partition = partition
        self.partitions = partitions
        self.identities = identities
        self.customers = customers
        self.shelf = Shelf(aggregates)
        self.gap_feed = GapFeed(partition, aggregates)
        self.gap_desk = GapDesk(aggregates)
        self.backlog = Backlog(aggregates)
        self.policies = policies
        self.owner = owner
        self.limits = Limits(IdentityRules())
        self.limited_by: object = None
        self._marked: object = None
        self._mark = ""
        self.reset()

    def reset(self) -> None:
        """Forget all that is not in the stores."""
        self.timers = Timers()
        self.unsent: dict[str, None] = {}
        self.batch = 0
        self.decoded = Decoded()
        self.threads = Threads()
        self.shelf.reset()
        self.backlog.reset()

    def home(self, message: Outgoing | Post) -> int:
        """The partition that a message is for."""
        if message.to == "aggregate":
            return aggregate_home(message.key, self.owner)
        return self.owner(message.key) if message.to == "identity" else home_of(message.key)

    def next_batch(self) -> None:
        """Count up, unless something may not have been sent: a crash would hide that behind a newer number."""
        if not self.unsent and not self.shelf.unsent:
            self.batch += 1

    def mark(self) -> str:
        """A short name for the policies as they are now."""
        entries = self.policies.entries
        if entries is not self._marked:
            text = repr([(entry.since, entry.policy.version) for entry in entries])
            self._marked, self._mark = entries, blake2b(text.encode(), digest_size=6).hexdigest()
        return self._mark


class Batch:
    """Takes records and timers at `now` (ms); `end` gives the effects. `provisional`: an input has stalled."""

    def __init__(self, place: Place, now: int, *, provisional: bool = False) -> None:
        self._place = place
        self._now = now
        self._provisional = provisional
        self._effects = Effects()
        self._records: dict[str, IdentityRecord | None] = {}
        self._changed: dict[str, None] = {}
        self._customers: dict[str, Stored] = {}
        self._full: set[str] = set()
        """Of whom as much is said as a batch may say."""
        self._local: deque[Outgoing] = deque()
        self._storms: dict[str, list[Message]] = {}
        """By aggregate, what is told of escalations: many of a batch go to few."""
        self._desk = Desk(place.shelf, place.policies, now)
        place.next_batch()

    def take(self, record: Incoming) -> None:
        """Take a record in, with all that follows from it on this partition."""
        entered = enter(record, self._place.policies, self._place.partitions)
        if isinstance(entered, Rejected):
            self._effects.dead.append(Dead(record, entered.reason, entered.detail))
        elif entered is None:
            self._effects.count("links_without_effect")
        elif isinstance(entered, Post):
            if record.topic != AGGREGATE_INBOX:
                self._post(entered)
            elif entered.message["t"] == GAP:
                self._place.gap_desk.take(entered.key, entered.message["m"], self._place.batch, self._effects)
            else:
                self._desk.take(entered.message)
        elif self._place.home(entered) == self._place.partition:
            self._handle(entered)
        else:
            self._send(entered)

    def take_held(self, most: int) -> None:
        """Obey commands that have waited for the end of the backlog, at most so many."""
        for message in self._place.backlog.take(most, self._effects):
            self._handle(message)

    def _handle(self, message: Outgoing) -> None:
        self._local.append(message)
        while self._local:
            for other in self._deliver(self._local.popleft()):
                self._route(other)

    def look_at(self, id_: str) -> None:
        """Settle a customer at the end of the batch, whatever happened."""
        self._stored(id_)

    def send_again(self, id_: str) -> None:
        """Send what a customer's state says was decided last."""
        value = self._place.customers.get(id_.encode())
        self._place.unsent.pop(id_, None)
        if value is not None and id_ not in self._customers:
            self._put_out(*decode_outbox(value), decode_posts(value))

    def look_at_aggregate(self, key: str) -> None:
        """Likewise an aggregate."""
        self._desk.look_at(key)

    def send_aggregate_again(self, key: str) -> None:
        """Likewise an aggregate's."""
        said = self._desk.send_again(key)
        if said is not None:
            self._say(said)

    def measure(self, most: int) -> None:
        """Tell what is due of the channel gaps; at most so many customers are looked at for it."""
        place, now, batch = self._place, self._now, self._place.batch
        if place.gap_feed.due is not None and place.gap_feed.due <= now:
            posts, value = place.gap_feed.tell(now, self._live, place.policies, batch, most)
            if value is not None:
                self._effects.writes.append((TABLE, SEQUENCE, value))
            for post in posts:
                self._post(post)
        if place.gap_desk.next_wake is not None and place.gap_desk.next_wake <= now:
            self._say(Said(place.gap_desk.close(now, batch, self._effects)))
        self._send_storms()

    def _carried(self, stored: Stored) -> list[Carried]:
        blocked = self._place.policies.at(self._now).blocked
        return [carried_by(event, blocked) for event in stored.customer.log] if stored.customer is not None else []

    def _live(self, id_: str) -> Customer | None:
        """The customer as it is now, not to be changed."""
        stored = self._customers.get(id_) or self._place.decoded.get(id_) or self._read(id_)
        return stored.live

    def end(self) -> Effects:
        """Settle all that was touched; everything that is to be written and sent."""
        place, effects = self._place, self._effects
        mark = place.mark() if self._customers or self._desk else ""
        for identity in self._changed:
            record = self._records[identity]
            value = dumps(record.encode()) if record not in (None, IdentityRecord()) else None
            effects.writes.append(("identities", identity.encode(), value))
            place.threads.keep(identity, record)
        for id_, stored in self._customers.items():
            live = stored.live
            stored.mail += self._counted(keep_small(stored.links, partial(self._carried, stored)))
            if place.backlog.folds_only:
                self._keep_short(stored)
                self._share(stored)
                stored.wake = 0 if live is not None else None
            else:
                self._settle(stored)
                self._keep_small(stored)
                self._share(stored)
                wake = live.next_wake(place.policies) if live is not None else None
                stored.wake = None if wake is None else max(wake, self._now + 1)
            stored.policies = mark if live is not None else ""
            place.timers.set(id_, stored.wake)
            effects.writes.append(("customers", id_.encode(), stored.encode(place.batch)))
            self._put_out(stored.outbox, stored.mail, stored.posts)
            place.decoded.keep(id_, stored)
        for said in self._desk.end(place.batch, mark, effects):
            self._say(said)
        self._send_storms()
        return effects

    def _keep_small(self, stored: Stored) -> None:
        """Let the oldest of a history go that takes too much room, before it is more than the broker takes."""
        live, place = stored.live, self._place
        if live is None:
            return
        while _is_large(live, UNSAID if live.emitted.cut_short else 1):
            before = live.let_go
            if not live.shrink(place.policies, self._now):
                return
            self._effects.count("events_let_go", live.let_go - before)
            self._tell(stored, live, live.settle(place.policies, self._now, provisional=self._provisional))

    def _keep_short(self, stored: Stored) -> None:
        """Of a history that is folded only: before the oldest of it is let go, what is over is put on record."""
        live, place = stored.live, self._place
        if live is None:
            return
        while len(live.log) > EVENTS_MAX or _is_large(live):
            self._tell(stored, live, live.settle_past(place.policies, self._now))
            if live.emitted.cut_short and len(live.log) <= 2 * EVENTS_MAX and not _is_large(live, UNSAID):
                return
            before = live.let_go
            if not live.shrink(place.policies, self._now):
                return
            self._effects.count("events_let_go", live.let_go - before)

    def _tell(self, stored: Stored, live: Customer, records: list[dict[str, Any]]) -> None:
        """Put revisions into the outbox, and what groups and topics are told of them."""
        stored.outbox += records
        stored.posts += tell_storm(live, records, self._place.policies, self._now)

    def _share(self, stored: Stored) -> None:
        """What gatherings are told of the customer; of one who is settled again for nothing but time they know it."""
        live = stored.live
        if live is None:
            stored.posts += withdraw(stored)
            self._place.gap_feed.touch(stored.links.id, self._now)
            return
        policy, derived = self._place.policies.at(self._now), live.derived(self._place.policies)
        if stored.shared_from[0] is not derived or stored.shared_from[1] is not policy:
            stored.posts += tell_shares(stored, live, policy, self._now)
            stored.shared_from = derived, policy
            self._place.gap_feed.touch(stored.links.id, self._now)

    def _route(self, message: Outgoing) -> None:
        if self._place.home(message) == self._place.partition and may_be_local(message.message):
            self._local.append(message)
        else:
            self._send(message)

    def _send(self, message: Outgoing) -> None:
        if message.to == "conflict":
            self._effects.sends.append(Send(_CONFLICTS, message.key.encode(), dumps(_conflict(message.message))))
            return
        if message.to == "tombstone":
            self._effects.sends.append(Send(_CURRENT, message.key.encode(), None))
            return
        topic = IDENTITY_INBOX if message.to == "identity" else CUSTOMER_INBOX
        home = self._place.home(message)
        self._effects.sends.append(Send(topic, message.key.encode(), dumps(message.message), home))
        self._effects.count(f"sent_{message.to}_{message.message['t']}")

    def _post(self, post: Post) -> None:
        self._effects.count(f"sent_{post.to}_{post.message['t']}")
        if post.message["t"] == STORM:
            self._storms.setdefault(post.key, []).append(post.message["m"])
        else:
            self._send_post(post)

    def _send_storms(self) -> None:
        """Whoever may have posted something calls this in the end."""
        for post in in_parcels(self._storms):
            self._send_post(post)
        self._storms.clear()

    def _send_post(self, post: Post) -> None:
        topic = AGGREGATE_INBOX if post.to == "aggregate" else CUSTOMER_INBOX
        self._effects.sends.append(Send(topic, post.key.encode(), dumps(post.message), self._place.home(post)))

    def _deliver(self, message: Outgoing) -> list[Outgoing]:
        """What is to be sent on at once; what a customer says is kept with its state until that is safe."""
        if message.to == "identity":
            record, said, changed = on_identity(self._record(message.key), message.message, self._place.partition)
            self._records[message.key] = record
            if changed:
                self._changed[message.key] = None
            return self._counted(said)
        if message.message["t"] == "command" and self._place.backlog.folds_only:
            self._place.backlog.hold(message, self._place.batch, self._effects)
            return []
        stored = self._stored(message.key)
        policy = self._place.policies.at(self._now)
        if message.message["t"] == AROUND:
            self._hear(stored, message.message, policy)
            return []
        obey = partial(self._obey, message)
        history = StoredHistory(stored, self._effects, policy.blocked, obey, self._refuse)
        known = stored.links if stored.exists else None
        links, said = on_customer(known, message.message, history, self._limits(policy))
        out = self._counted(said)
        if links is None:  # nobody yet, so there is no state to keep it with
            del self._customers[message.key]
            return out
        stored.links, stored.exists = links, True
        stored.mail += out
        return []

    def _counted(self, said: Iterable[Outgoing]) -> list[Outgoing]:
        """What is to be sent of it; the rest is counted."""
        out = []
        for message in said:
            if message.to == "count":
                self._effects.count(message.key, message.message["n"])
            else:
                out.append(message)
        return out

    def _hear(self, stored: Stored, message: Message, policy: Policy) -> None:
        if stored.live is not None:
            hear(stored, stored.live, message, policy, self._now)
        elif not stored.exists:
            del self._customers[message["c"]]

    def _limits(self, policy: Policy) -> Limits:
        if policy is not self._place.limited_by:
            rules = IdentityRules(policy.blocked, policy.identity_limits, policy.identity_max)
            self._place.limited_by, self._place.limits = policy, Limits(rules)
        return self._place.limits

    def _obey(self, message: Outgoing, stored: Stored, order: dict[str, Any]) -> bool:
        live, policies = stored.live, self._place.policies
        command = Command.model_validate(order["command"])
        if live is not None and has_waited(order):
            live.close_lapsed(command, policies, order["at"])
        self._settle(stored)  # what came before the command comes first
        records = live.command(command, policies, self._now) if live is not None else None
        if live is None or (records is None and not has_waited(order)):
            return False
        if records is None:
            if not live.emitted.cut_short or live.is_over(command.escalation_id):
                return live.is_over(command.escalation_id)
            self._place.backlog.hold(message, self._place.batch, self._effects)  # may be about what is said next
            return True
        self._tell(stored, live, records)
        return True

    def _refuse(self, order: dict[str, Any]) -> None:
        key, value = str(order["command"]["customer_id"]).encode(), dumps(order["command"])
        record = Record(COMMANDS, key, value, order["at"], order["p"], order["o"])
        self._effects.dead.append(
            Dead(record, "unknown_escalation", "escalation_id: no open escalation of this customer")
        )

    def _settle(self, stored: Stored) -> None:
        live = stored.live
        if live is not None and stored.links.id not in self._full:
            if stored.policies not in ("", self._place.mark()):
                live.cause.policy = True
            self._tell(stored, live, live.settle(self._place.policies, self._now, provisional=self._provisional))
            if live.emitted.cut_short:
                self._full.add(stored.links.id)

    def _say(self, said: Said) -> None:
        for post in said.posts:
            self._post(post)
        for topic, key, value in said.records:
            self._effects.sends.append(Send(topic, key.encode(), dumps(value)))
        self._effects.dead += said.dead

    def _put_out(self, records: list[dict[str, Any]], mail: list[Outgoing], posts: list[Post]) -> None:
        for record in records:  # before the messages: a tombstone among them is the last word
            value = dumps(record)
            self._effects.sends.append(Send(_ESCALATIONS, record["customer_id"].encode(), value))
            self._effects.sends.append(Send(_CURRENT, record["escalation_id"].encode(), value))
        for message in mail:
            self._send(message)
        for post in posts:
            self._post(post)

    def _record(self, identity: str) -> IdentityRecord | None:
        if identity in self._records:
            return self._records[identity]
        if (thread := self._place.threads.get(identity)) is not None:
            return thread
        value = self._place.identities.get(identity.encode())
        return IdentityRecord.decode(loads(value)) if value is not None else None

    def _stored(self, id_: str) -> Stored:
        """The customer, to be settled and written at the end."""
        stored = self._customers.get(id_)
        if stored is None:
            stored = self._customers[id_] = self._place.decoded.get(id_) or self._read(id_)
            if id_ in self._place.unsent:
                del self._place.unsent[id_]  # goes out with what is decided now
            else:
                stored.outbox, stored.mail, stored.posts = [], [], []
        return stored

    def _read(self, id_: str) -> Stored:
        value = self._place.customers.get(id_.encode())
        return decode_stored(value) if value is not None else Stored(CustomerLinks(id_), None, exists=False)


def _is_large(live: Customer, times: int = 1) -> bool:
    """Does it take so many times too much room? Where it cannot, the encoding is spared."""
    most = times * STATE_BYTES_MAX
    return len(live.log) * BYTES_PER_EVENT_MAX >= STATE_BYTES_MAX and len(dumps(live.encode())) > most


def _conflict(said: dict[str, Any]) -> dict[str, Any]:
    """A refused link as it is published (`schemas.conflict`)."""
    type_, _, value = said["identity"].partition(":")
    return {**said, "identity": {"type": type_, "value": value}, "seen_at": format_time(said["seen_at"])}
