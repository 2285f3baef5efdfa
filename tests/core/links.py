"""Link and unlink records between the few identities of the histories."""

from hypothesis import strategies as st

from schemas.times import MINUTE, format_time
from streams.replay import Line
from tests.core.strategies import CUSTOMERS, SPAN, START, identity


@st.composite
def links(draw: st.DrawFn, actions: tuple[str, ...] = ("link", "unlink")) -> list[tuple[int, Line]]:
    """Up to three records, each with how much later (ms) than it was made it arrives."""
    found = []
    for number in range(draw(st.integers(0, 3))):
        a, b = draw(st.permutations(CUSTOMERS))[:2]
        at = START + draw(st.integers(0, SPAN)) * MINUTE
        record = {"id": f"l{number}", "occurred_at": format_time(at), "action": draw(st.sampled_from(actions))}
        record |= {"a": identity(a), "b": identity(b)}
        found.append((draw(st.integers(0, 60)) * MINUTE, Line(at, "identities.links", record)))
    return found
