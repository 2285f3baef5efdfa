"""One customer: the log, what has been said about it, and the three functions over them.

    fold(event)            the log grows
    derive(...)            what follows from it
    settle(now) -> records what must be said now

Everything here is a function of the state, the policies and `now`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from schemas.command import Command
from schemas.identity import Identity, parse_identity
from streams import ladder
from streams.bounds import EVENTS_MAX, to_let_go
from streams.commanding import closed_by, obey
from streams.derive import Derived, derive
from streams.event import Event
from streams.header import check_version
from streams.history import Closing
from streams.intervals import FOREVER
from streams.log import Log
from streams.outside import about, decode_outside, encode_outside, united
from streams.patterns import NOWHERE, Outside
from streams.policy import PolicyHistory
from streams.present import Context
from streams.reconcile import Cause, Emitted, Record, reconcile
from streams.standing import Standing
from streams.storm_addresses import Addresses

STATE_VERSION = 2
COMMANDS_KEPT = 100
"""How many command ids are remembered, so that one delivered twice acts once."""


IDENTITIES_KEPT = 200
"""So many identities are shown whatever the log holds; beyond that those that the log still names."""


@dataclass(slots=True)
class Customer:
    """A customer's state. `identities` are for showing; who is who is decided elsewhere."""

    id: str
    log: Log = field(default_factory=Log)
    identities: dict[Identity, None] = field(default_factory=dict)
    emitted: Emitted = field(default_factory=Emitted)
    closings: list[Closing] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    outside: Outside = NOWHERE
    addresses: Addresses = field(default_factory=Addresses)
    """Where the escalations page and count, where that is kept with the customer: in a live deployment."""
    let_go: int = 0
    """Events that were let go because the history was too long (`streams.bounds`)."""
    horizon: int = -FOREVER
    """Event time of the newest of them: before it, only what belongs to a known thread is taken in."""
    cause: Cause = field(default_factory=Cause)
    """What has changed since all was said; stored, because the rest may be said after a restart."""
    _derived: Derived | None = None
    _derived_from: object = None
    _before: Derived | None = None
    """What was derived last, though the log has changed since: what has not changed follows from there."""

    # -- fold -------------------------------------------------------------------------------------------

    def fold(self, event: Event) -> bool:
        """Take an event in; False where it was known, or lies before what has been let go. Times in ms."""
        if event.at <= self.horizon and event.thread not in self.log.threads():
            return False
        return self._take(event)

    def _take(self, event: Event) -> bool:
        if not self.log.add(event):
            return False
        self.cause.earliest = min(self.cause.earliest, event.at)
        for identity in event.identities:
            self.identities.setdefault(identity)
        self._derived = None
        return True

    def correct(self, event: Event) -> None:
        """Of two copies of an event the first to arrive counts, whichever comes here first."""
        later = self.log.later_copy(event)
        if later is not None:
            self.release(event.id)
            self._take(event)
            self.cause.earliest = min(self.cause.earliest, later.at)

    def absorb(self, other: "Customer") -> None:
        """Take over all of another customer: a merge is the union of two logs, and of what was said."""
        for event in other.log:
            if not self._take(event):
                self.correct(event)
        self.identities.update(other.identities)
        self.emitted.standing += other.emitted.standing
        self.emitted.closed += other.emitted.closed
        self.emitted.settled_at = max(self.emitted.settled_at, other.emitted.settled_at)
        self.closings = sorted({*self.closings, *other.closings})
        self.outside = united(self.outside, other.outside, but={self.id, other.id})
        self.addresses.absorb(other.addresses)
        self.let_go += other.let_go
        self.horizon = max(self.horizon, other.horizon)
        self.commands = [*self.commands, *(id_ for id_ in other.commands if id_ not in self.commands)][-COMMANDS_KEPT:]
        self._derived = self.emitted.compared = None

    def split(self, id_: str, events: Iterable[str], *, apart: bool = True) -> "Customer":
        """Part with some events: the customer that they are the log of, with the escalations about its threads.

        `apart`: what no longer holds ends because of a split; otherwise the events just prove to be another's.
        """
        part = Customer(id_)
        for event in self.log.take(events):
            part.fold(event)
        threads, mine = part.log.threads(), self.log.threads()
        for name in ("standing", "closed"):
            held: list[Standing] = getattr(self.emitted, name)
            gone = [s for s in held if s.thread in threads and (s.thread not in mine or s.anchor in part.log)]
            setattr(part.emitted, name, gone)
            setattr(self.emitted, name, [s for s in held if s not in gone])
        part.emitted.settled_at = self.emitted.settled_at
        part.addresses = self.addresses.part(standing.id for standing in part.emitted.standing)
        part.outside, self.outside = about(self.outside, part.log), about(self.outside, self.log)
        part.closings = [closing for closing in self.closings if closing.thread in threads]
        part.commands = list(self.commands)
        part.cause.split = self.cause.split = apart
        self.identities = self.log.identities()
        self._derived = self.emitted.compared = None
        return part

    def release(self, event_id: str) -> list[Event]:
        """Part with one event, which belongs to somebody else."""
        self._derived = None
        return self.log.take((event_id,))

    def shrink(self, policies: PolicyHistory, now: int) -> bool:
        """Let a quarter of the history go, what is over first; False where there is nothing that may go."""
        gone = to_let_go(list(self.log), self.derived(policies), now)
        if not gone:
            return False
        self.log.take(event.id for event in gone)
        self.let_go += len(gone)
        self.horizon = max(self.horizon, *(event.at for event in gone))
        if len(self.identities) > IDENTITIES_KEPT:
            self.identities = self.log.identities()
        threads = self.log.threads()
        self.emitted.closed = [standing for standing in self.emitted.closed if standing.thread in threads]
        self.closings = [closing for closing in self.closings if closing.thread in threads]
        self._derived = None
        return True

    # -- derive -----------------------------------------------------------------------------------------

    def derived(self, policies: PolicyHistory) -> Derived:
        """What follows from the log under the policies; kept until either changes."""
        if self._derived is None or self._derived_from is not policies.entries:
            if self._derived_from is not None and self._derived_from is not policies.entries:
                self.cause.policy = True
            self._derived = derive(self.log, policies, self.closings, self.outside, self._before)
            self._before, self._derived_from = self._derived, policies.entries
        return self._derived

    def look_around(self, outside: Outside) -> None:
        """Take note of what others' logs tell."""
        self.outside, self._derived = outside, None

    # -- reconcile --------------------------------------------------------------------------------------

    def settle(self, policies: PolicyHistory, now: int, *, provisional: bool = False) -> list[Record]:
        """The revisions to send at `now` (ms), in order."""
        while len(self.log) > EVENTS_MAX and self.shrink(policies, now):
            pass
        derived = self.derived(policies)
        records = reconcile(self.emitted, derived, policies, now, self.context(provisional=provisional), self.cause)
        if not self.emitted.cut_short:
            self.cause = Cause()
        return records

    def settle_past(self, policies: PolicyHistory, now: int) -> list[Record]:
        """The revisions of what is over at `now` (ms), where the rest is not to be said yet."""
        derived = self.derived(policies)
        return reconcile(self.emitted, derived, policies, now, self.context(), self.cause, past=True)

    def close_lapsed(self, command: Command, policies: PolicyHistory, at: int) -> None:
        """Close the lapsed issue that a command closed at `at` (ms), though its escalation was not said here then."""
        derived = self.derived(policies)
        closing = None if command.action != "resolve" else closed_by(command.escalation_id, derived, policies, at)
        if closing is not None and closing not in self.closings:
            self.closings = sorted({*self.closings, closing})
            self._derived = None

    def is_over(self, escalation_id: str) -> bool:
        """Whether the escalation was said, and is resolved."""
        return any(standing.id == escalation_id for standing in self.emitted.closed)

    def command(self, command: Command, policies: PolicyHistory, now: int) -> list[Record] | None:
        """Obey a command at `now`; None where it names no open escalation. A command acts once."""
        if command.id in self.commands:
            return []
        derived = self.derived(policies)
        obeyed = obey(command, self.emitted, derived, policies.at(now), now, self.context())
        if obeyed is None:
            return None
        self.commands = [*self.commands, command.id][-COMMANDS_KEPT:]
        if obeyed.closing is not None:
            self.closings = sorted({*self.closings, obeyed.closing})
            self._derived = None
        return obeyed.records

    def context(self, *, provisional: bool = False) -> Context:
        """What the records say about this customer."""
        return Context(self.id, tuple(self.identities), provisional)

    def next_wake(self, policies: PolicyHistory) -> int | None:
        """The next instant (ms) at which something is to be said if nothing happens, or None."""
        now = self.emitted.settled_at
        if self.emitted.cut_short:
            return now
        moments = [self.derived(policies).next_moment(now)]
        policy = policies.at(now)
        moments += [ladder.next_wake(standing, policy) for standing in self.emitted.standing]
        due = [moment for moment in moments if moment is not None and moment < FOREVER]
        return min(due, default=None)

    # -- stored -----------------------------------------------------------------------------------------

    def encode(self) -> dict[str, Any]:
        """As a JSON object."""
        stored: dict[str, Any] = {
            "v": STATE_VERSION,
            "id": self.id,
            "log": self.log.encode(),
            "identities": [str(identity) for identity in self.identities],
            "standing": [standing.encode() for standing in self.emitted.standing],
            "closed": [standing.encode() for standing in self.emitted.closed],
            "settled_at": self.emitted.settled_at,
            "closings": [list(closing) for closing in self.closings],
            "commands": self.commands,
            "let_go": self.let_go,
            "horizon": self.horizon,
        }
        if self.cause != Cause():  # not all is said yet; an older program overlooks it, as it did
            stored["cause"] = [self.cause.earliest, self.cause.policy, self.cause.split]
        if self.outside != NOWHERE:
            stored["outside"] = encode_outside(self.outside)
        if len(self.addresses):
            stored["addresses"] = self.addresses.encode()
        return stored

    @classmethod
    def decode(cls, stored: dict[str, Any]) -> "Customer":
        """What `encode` stored; raises ValueError for a state of a newer version."""
        check_version(stored.get("v", 0), STATE_VERSION)
        customer = cls(stored["id"], Log.decode(stored["log"]))
        customer.identities = {parse_identity(text): None for text in stored["identities"]}
        customer.emitted = Emitted(_standings(stored["standing"]), _standings(stored["closed"]), stored["settled_at"])
        customer.closings = [Closing(*closing) for closing in stored["closings"]]
        customer.commands = list(stored["commands"])
        if "cause" in stored:
            customer.cause = Cause(*stored["cause"])
        if "outside" in stored:
            customer.outside = decode_outside(stored["outside"])
        if "addresses" in stored:
            customer.addresses = Addresses.decode(stored["addresses"])
        customer.let_go, customer.horizon = stored.get("let_go", 0), stored.get("horizon", -FOREVER)
        return customer


def _standings(stored: Sequence[dict[str, Any]]) -> list[Standing]:
    return [Standing.decode(item) for item in stored]
