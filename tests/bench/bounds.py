"""What a busy public thread and a busy customer cost: messages, and bytes of stored state, as posts become more.

Run `python -m tests.bench.bounds`. The messages are those of the protocol itself, without broker and encoding; the bytes
are those of the largest record of a table at the end. A repetition: the last 100 messages come again, as after a crash.
"""

import sys
import time
from collections import deque
from collections.abc import Iterable
from typing import Any

from schemas.codec import dumps
from streams.bounds import EVENTS_MAX
from streams.event import Event, decode
from streams.identity.claims import claim_of_event
from streams.identity.limits import Limits
from streams.identity.protocol import CustomerLinks, IdentityRecord, Outgoing, keep_small, on_customer, on_identity
from streams.identity.rules import IdentityRules
from tests.identity.build import event
from tests.identity.network import Log

REPEATED = 100


class Kept(Log):
    """A history of the newest events only, as a node's."""

    def fold(self, event: Any) -> None:
        """Takes an event in, as the topics have it."""
        one = decode(event)
        self.events[one.id] = one
        self.ids.add(one.id)
        if len(self.ids) > EVENTS_MAX:
            self.ids = set(sorted(self.ids)[EVENTS_MAX // 4 :])


class Protocol:
    """One partition, in memory."""

    def __init__(self) -> None:
        self.events: dict[str, Event] = {}
        self.records: dict[str, IdentityRecord | None] = {}
        self.customers: dict[str, tuple[CustomerLinks, Kept]] = {}
        self.limits = Limits(IdentityRules())
        self.sent = 0

    def take(self, message: Outgoing) -> None:
        """Deliver a message, and all that follows from it."""
        waiting = deque([message])
        while waiting:
            for other in self._deliver(waiting.popleft()):
                if other.to in ("identity", "customer"):
                    self.sent += 1
                    waiting.append(other)

    def largest(self) -> tuple[int, int]:
        """Bytes of the largest record of an identity, and of the largest links of a customer."""
        identities = (len(dumps(record.encode())) for record in self.records.values() if record is not None)
        customers = (len(dumps(links.encode())) for links, _ in self.customers.values())
        return max(identities, default=0), max(customers, default=0)

    def _deliver(self, message: Outgoing) -> list[Outgoing]:
        if message.to == "identity":
            record, out, _ = on_identity(self.records.get(message.key), message.message, 0)
            self.records[message.key] = record
            return out
        links, log = self.customers.get(message.key, (None, Kept(None, self.events)))
        log.links = links
        links, out = on_customer(links, message.message, log, self.limits)
        if links is not None:
            log.links = links
            out += keep_small(links, log.carried)
            self.customers[message.key] = links, log
        return out


def claims(events: Iterable[Event], *, public: bool) -> list[Outgoing]:
    """What the events say first. Each is stored as itself, with its text, by the shard of a public thread."""
    return [claim_of_event(one, public=public, blocked=frozenset()) for one in events]


def nobody(count: int) -> list[Outgoing]:
    """Posts on one public thread that name nobody, and their first contact in the middle."""
    posts = [event(f"l{n:06}", thread="s1", at=10 + n, kind="reply", actor="human") for n in range(count)]
    found = claims(posts, public=True)
    found.insert(count // 2, claims([event("first", "handle:a", thread="s1", at=1)], public=True)[0])
    return found


def speakers(count: int) -> list[Outgoing]:
    """Posts on one public thread, each by somebody else."""
    return claims((event(f"p{n:06}", f"handle:h{n}", thread="s1", at=10 + n) for n in range(count)), public=True)


def backwards(count: int) -> list[Outgoing]:
    """Posts that name nobody, then the same number of contacts, the last one first."""
    posts = claims((event(f"l{n:06}", thread="s1", at=10**6 + n) for n in range(count)), public=True)
    late = (event(f"p{n:06}", f"handle:h{n}", thread="s1", at=10**6 - n) for n in range(count))
    return posts + claims(late, public=True)


def regular(count: int) -> list[Outgoing]:
    """Events of one person, each on a private thread of its own."""
    some = (event(f"e{n:06}", "customer_id:C", thread=f"t{n}", at=n) for n in range(count))
    return claims(some, public=False)


def shared(count: int) -> list[Outgoing]:
    """An account that everybody uses: each event names another address, and all but five are refused."""
    found = (event(f"e{n:06}", "customer_id:C", f"email:x{n}@x", at=n) for n in range(count))
    return claims(found, public=False)


def run(messages: list[Outgoing]) -> tuple[int, int, int, int, float]:
    """Messages; those of a repetition; bytes of an identity's record and of a customer's links; seconds."""
    begun = time.perf_counter()
    protocol = Protocol()
    for message in messages:
        protocol.take(message)
    sent = protocol.sent
    for message in messages[-REPEATED:]:
        protocol.take(message)
    return sent, protocol.sent - sent, *protocol.largest(), time.perf_counter() - begun


def main() -> None:
    """Print a line for each case."""
    cases = {"nobody": nobody, "speakers": speakers, "backwards": backwards, "regular": regular, "shared": shared}
    wanted = sys.argv[1:] or list(cases)
    sys.stdout.write("case        posts   messages  repeated   identity B   customer B    s\n")
    for name in wanted:
        for count in (500, 1_000) if name == "backwards" else (5_000, 20_000):
            sent, again, identity, customer, spent = run(cases[name](count))
            sys.stdout.write(f"{name:10} {count:6} {sent:10} {again:9} {identity:12} {customer:12} {spent:4.0f}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
