"""What an event claims about who is who: the first message of the protocol that an event or a link record makes."""

from schemas.identity import STRENGTH, Identity, is_blocked, normalise
from schemas.link import Link
from streams.event import Event, encode
from streams.identity.history import Carried
from streams.identity.messages import Outgoing, to_identity
from streams.identity.pairs import pair_of


def claim_of_event(event: Event, *, public: bool, blocked: frozenset[str]) -> Outgoing:
    """The event, on a public thread or not, to the shard of its strongest identity, or of its thread."""
    private = not public and event.thread is not None
    named = [i for i in event.identities if i.type != "thread" and not is_blocked(i, blocked)]
    named.sort(key=lambda identity: STRENGTH[identity.type])
    if not public or event.thread is None:
        named += [thread for thread in _threads(event) if not is_blocked(thread, blocked)]
    elif not named:
        thread = str(normalise("thread", event.thread))
        return to_identity("loose", thread, id=event.id, r=event.in_reply_to, e=encode(event))
    first, *others = dict.fromkeys(map(str, named or [Identity("event", event.id)]))
    return to_identity(
        "event",
        first,
        n=others,
        th=str(normalise("thread", event.thread)) if private and event.thread is not None else None,
        s=str(normalise("thread", event.thread)) if public and event.thread is not None else None,
        id=event.id,
        o=list(event.order),
        at=event.arrived_at,
        r=event.in_reply_to,
        k=event.kind == "contact" and event.actor != "peer",
        e=encode(event),
    )


def claim_of_link(record: Link, arrived_at: int, blocked: frozenset[str]) -> Outgoing | None:
    """The link or unlink record to the shard of its stronger identity; None where it joins nobody."""
    pair = {normalise(record.a.type, record.a.value), normalise(record.b.type, record.b.value)}
    if len(pair) < 2 or any(is_blocked(identity, blocked) for identity in pair):
        return None
    stronger, weaker = pair_of(*map(str, pair))
    said = {"j": weaker, "id": record.id, "at": record.occurred_at}
    if record.action == "link":
        return to_identity("link", stronger, ar=arrived_at, **said)
    return to_identity("cut", stronger, far=True, **said)


def carried_by(event: Event, blocked: frozenset[str] = frozenset()) -> Carried:
    """The identities that an event may have joined: those of its customer are among them."""
    named = [identity for identity in event.identities if identity.type != "thread"]
    named.sort(key=lambda identity: STRENGTH[identity.type])
    able = (identity for identity in [*named, *_threads(event)] if not is_blocked(identity, blocked))
    identities = list(dict.fromkeys(map(str, [*able, Identity("event", event.id)])))
    return Carried(event.id, identities, str(normalise("thread", event.thread)) if event.thread is not None else None)


def _threads(event: Event) -> list[Identity]:
    own = [normalise("thread", event.thread)] if event.thread is not None else []
    named = [identity for identity in event.identities if identity.type == "thread"]
    into = event.data.get("into") if event.kind == "merge" and event.thread is not None else None
    return [*own, *named, *([normalise("thread", into)] if into is not None else [])]
