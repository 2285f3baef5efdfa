"""Arbitrary records over a few identities and threads, so that they meet often."""

from hypothesis import strategies as st

from schemas.link import Link
from streams.event import Event
from tests.identity.build import event, link

IDENTITIES = ("customer_id:A", "customer_id:B", "email:e1@x", "email:e2@x", "phone:5550001", "handle:h1", "device:d1")
WEAK = ("email:unknown", "phone:000", "thread:t1", "thread:s1")
THREADS = ("t1", "t2", "t3", "s1", "s2")

_named = st.lists(st.sampled_from(IDENTITIES + WEAK), max_size=3, unique=True)


@st.composite
def events(draw: st.DrawFn, count: int, pools: tuple[str, ...] = THREADS) -> list[Event]:
    """Up to `count` events with the ids e0, e1, …"""
    total = draw(st.integers(1, count))
    ids = [f"e{number}" for number in range(total)]
    return [draw(_event(id_, ids, pools)) for id_ in ids]


@st.composite
def _event(draw: st.DrawFn, id_: str, ids: list[str], pools: tuple[str, ...]) -> Event:
    thread = draw(st.sampled_from((*pools, None)))
    names = draw(_named)
    if thread is None and not names:
        names = ["email:unknown"]
    kind = (
        draw(st.sampled_from(("contact", "contact", "reply", "status", "merge"))) if thread else "self_service_failed"
    )
    return event(
        id_,
        *names,
        thread=thread,
        at=draw(st.integers(0, 9)),
        kind=kind,
        actor=draw(st.sampled_from(("customer", "agent", "peer"))),
        reply_to=draw(st.sampled_from((None, *ids))),
        into=draw(st.sampled_from(pools)) if kind == "merge" else None,
    )


@st.composite
def links(draw: st.DrawFn, count: int, actions: tuple[str, ...] = ("link", "unlink")) -> list[Link]:
    """Up to `count` link records with the ids l0, l1, …"""
    pool = st.sampled_from((*IDENTITIES, "email:unknown", "thread:t1", "thread:t2"))
    found = []
    for number in range(draw(st.integers(0, count))):
        at = draw(st.integers(0, 5))
        found.append(link(f"l{number}", draw(pool), draw(pool), at=at, action=draw(st.sampled_from(actions))))
    return found
