"""A customer that goes on for ever: its threads are let go with its events, and nothing is blocked or lost by it."""

from random import Random

import pytest

from schemas.times import HOUR
from streams.identity import bounds, keeping
from tests.identity.build import event
from tests.node.cluster import Cluster, interaction


def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("THREADS_BYTES_MAX", "PLACEMENTS_BYTES_MAX"):
        monkeypatch.setattr(bounds, name, 0)
    for name in ("UNMEASURED", "LOG_UNREAD"):
        monkeypatch.setattr(keeping, name, 0)
    for module in ("batch", "customer"):
        monkeypatch.setattr(f"streams.{module}.EVENTS_MAX", 30)


@pytest.mark.parametrize("seed", range(4))
def test_threads_are_let_go_with_their_events(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever comes back on one of them is known by name as ever; who names nobody there is somebody new."""
    _small(monkeypatch)
    cluster = Cluster(3, Random(seed), crashes=5)
    cluster.now = 1_000 * HOUR

    def tell(id_: str, *names: str, thread: str, at: int) -> None:
        one = event(id_, *names, thread=thread, at=at * HOUR)
        key = names[0] if names else f"thread:{thread}"
        cluster.feed("interactions.chat", key, interaction(one, frozenset()), cluster.now)

    for number in range(100):
        tell(f"e{number}", "customer_id:C", "email:c@x", thread=f"t{number}", at=number)
        if number % 10 == 9:
            cluster.run()
    assert cluster.counts["threads_let_go"] > 50
    (known,) = (stored for stored in cluster.customers().values() if stored.live is not None)
    assert len(known.links.members) < 40
    assert {"customer_id:C", "email:c@x", "thread:t99"} <= set(known.links.members)
    tell("back", "email:c@x", thread="t0", at=200)
    tell("late", thread="t1", at=200)
    tell("here", thread="t99", at=200)
    cluster.run()
    assert frozenset({"late"}) in cluster.logs()
    assert any({"back", "here", "e99"} <= log for log in cluster.logs())
    assert len(cluster.logs()) == 2
