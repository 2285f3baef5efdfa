"""The clocks of the core, held against a slow and plain telling of the contract."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from schemas.times import MINUTE, format_time
from streams.facts import clock_records
from tests.core.oracle import Oracle
from tests.core.playing import lines, played
from tests.core.strategies import START, delays, identity

END = START + 150 * MINUTE
POLICY = {
    "version": "1",
    "targets": [{"first_response": "330s", "next_response": "210s", "resolution": "750s"}],
    "issue_resolution": {"target": "1050s"},
    "promises": {"grace": "30s"},
}
KINDS = (
    *["contact"] * 6,
    *["status"] * 6,
    *["reply"] * 2,
    *["answered", "confirmed", "promise", "promise_kept", "note", "deflect", "feedback", "abandoned"],
)
STATUSES = ("new", "open", "pending", "pending", "pending", "on_hold", "solved", "solved", "closed")


@st.composite
def interactions(draw: st.DrawFn) -> list[dict[str, Any]]:
    """One customer, one case, three threads, one hour; nothing but what clocks are made of."""
    return [draw(interaction(f"e{number:02}")) for number in range(draw(st.integers(1, 16)))]


@st.composite
def interaction(draw: st.DrawFn, id_: str) -> dict[str, Any]:
    at, kind = START + draw(st.integers(0, 40)) * MINUTE, draw(st.sampled_from(KINDS))
    record: dict[str, Any] = {
        "id": id_,
        "occurred_at": format_time(at),
        "channel": "email",
        "kind": kind,
        "issue": "case",
    }
    record |= {"thread": draw(st.sampled_from("abc")), "identities": [identity("email:kim@example.com")]}
    if kind == "status":
        record["data"] = {"status": draw(st.sampled_from(STATUSES))}
    elif kind == "promise":
        record["data"] = {"due_at": format_time(at + draw(st.integers(-3, 15)) * MINUTE)}
    elif kind == "reply":
        record["data"] = draw(st.sampled_from(({}, {}, {"auto": True}, {"canned": True})))
    if kind in ("reply", "contact") and draw(st.integers(0, 7)) == 0:
        record["actor"] = {"type": draw(st.sampled_from(("agent", "bot", "peer")))}
    return record


def told(clock: dict[str, Any]) -> dict[str, Any]:
    kept = ("metric", "thread", "cycle", "state", "started_at", "stopped_at", "counted_s", "illegitimate_pause_s")
    record = {name: clock[name] for name in kept}
    record["breached"] = clock["breaches"][0]["at"] if clock["breaches"] else None
    record["covered_by"] = clock.get("covered_by")
    if record["metric"] == "promise":
        record["counted_s"] = None  # a promise has a due time, not a count
    return record


@given(st.data())
def test_every_clock_is_the_oracles(data):
    """Starts, stops, pauses, counts, breaches and covers, for any history of one case and any order of arrival."""
    events = data.draw(interactions())
    run, _ = played(lines(events, data.draw(delays(len(events)))), END, POLICY)
    (customer,) = run.population.customers.values()
    found = [told(clock) for clock in clock_records(customer, run.policies, END)]
    expected = Oracle(events, START, END).clocks()
    assert [clock for clock in found if clock not in expected] == [clock for clock in expected if clock not in found]
    assert len(found) == len(expected)
