"""What an event claims about who is who: the first message of the protocol that an event or a link record makes."""

from schemas.identity import STRENGTH, Identity, is_blocked, normalise
from schemas.link import Link
from streams.event import Event, encode
from streams.identity.messages import Outgoing, to_identity


def claim_of_event(event: Event, *, public: bool, blocked: frozenset[str]) -> Outgoing:
    """The event, on a public thread or not, to the shard of its strongest identity, or of its thread."""
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
        s=str(normalise("thread", event.thread)) if public and event.thread is not None else None,
        id=event.id,
        o=list(event.order),
        k=event.kind == "contact" and event.actor != "peer",
        e=encode(event),
    )


def claim_of_link(record: Link, blocked: frozenset[str]) -> Outgoing | None:
    """The link record to the shard of its stronger identity; None where it joins nobody. An unlink is not for here."""
    pair = {normalise(record.a.type, record.a.value), normalise(record.b.type, record.b.value)}
    if len(pair) < 2 or any(is_blocked(identity, blocked) for identity in pair):
        return None
    stronger, weaker = sorted(pair, key=lambda identity: (STRENGTH[identity.type], identity.value))
    return to_identity("link", str(stronger), j=str(weaker), at=record.occurred_at)


def _threads(event: Event) -> list[Identity]:
    own = [normalise("thread", event.thread)] if event.thread is not None else []
    named = [identity for identity in event.identities if identity.type == "thread"]
    into = event.data.get("into") if event.kind == "merge" and event.thread is not None else None
    return [*own, *named, *([normalise("thread", into)] if into is not None else [])]
