"""What erasing leaves behind in the protocol by itself, before `mindgap forget` looks for what is left: nothing."""

from random import Random

from agents.forget_send import forget as forgetting
from agents.settings import settings_from
from schemas.codec import dumps
from streams.effects import Record
from streams.identity.pairs import LINKED, Assertion
from streams.identity.protocol import IdentityRecord, on_identity, to_identity
from tests.identity.build import event
from tests.identity.network import Network
from tests.identity.test_protocol import _check_whole, _first_messages
from tests.node.test_forget import T0, cluster_of, forget, holds, moved_cluster, text_of, whom, written_not_sent


def test_the_mark_names_nobody() -> None:
    """What is left of a customer without anybody's help holds no identity."""
    cluster = cluster_of(event("a", "email:a@x", thread="t1", at=T0))
    forget(cluster, whom(cluster, "email:a@x"))
    assert not holds(cluster, "a@x")


def test_an_event_that_moved_is_not_kept_by_whom_it_moved_from() -> None:
    """The state of who wrote on another's thread does not hold what is the other's."""
    cluster = moved_cluster()
    forget(cluster, whom(cluster, "customer_id:A"))
    assert not holds(cluster, text_of("b"))


def test_an_event_that_meets_the_erasing_is_nobodys_orphan() -> None:
    """Whichever comes first, identities point to the customer that says it has them."""
    for seed in range(40):
        some = [event("a", "email:a@x", thread="t1", at=0), event("late", "email:a@x", thread="t1", at=20)]
        network = Network(2, Random(seed), some)
        network.feed(*_first_messages(some[:1]))
        network.run()
        network.feed(to_identity("forget", "email:a@x"), *_first_messages(some[1:]))
        network.run()
        _check_whole(network)


def test_a_record_that_came_back_with_a_message_sent_again_is_erased() -> None:
    """`uncut`, sent again after a crash, makes a record of number 0; the `erase` behind it takes that away."""
    record = IdentityRecord(pairs={"customer_id:A": Assertion(0, "l", LINKED)})
    assert on_identity(record, to_identity("erase", "email:a@x", n=1).message, 0) == (None, [], True)


def test_a_tombstone_comes_behind_the_revisions_that_a_crash_has_held_up() -> None:
    """Revisions that were written and not sent before a crash do not outlive the customer."""
    cluster = cluster_of(event("a", "email:a@x", thread="t1", at=T0), partitions=1)
    target = whom(cluster, "email:a@x")
    assert written_not_sent(cluster)
    (message,) = forgetting(settings_from({}, partitions=1), target)
    effects = cluster.nodes[0].handle([Record(message.topic, message.key, message.value, cluster.now)], cluster.now)
    inner = next(send for send in effects.sends if send.topic == "customer-inbox")
    effects = cluster.nodes[0].handle([Record(inner.topic, inner.key, inner.value, cluster.now)], cluster.now)
    newest = {send.key: send.value for send in effects.sends if send.topic == "escalations.current"}
    assert newest
    assert set(newest.values()) == {None}


def test_what_comes_behind_an_erasing_in_one_batch_leaves_no_empty_record() -> None:
    """A `forget` that came back from a mark meets nobody; the identity is no longer a key."""
    cluster = cluster_of(event("a", "email:a@x", thread="t1", at=T0), partitions=1)
    inbox = ("identity-inbox", b"email:a@x")
    messages = [to_identity("erase", "email:a@x", n=9), to_identity("forget", "email:a@x", f=1)]
    records = [Record(*inbox, dumps(message.message), cluster.now) for message in messages]
    writes = {key: value for _, key, value in cluster.nodes[0].handle(records, cluster.now).writes}
    assert writes == {b"email:a@x": None}
