"""Whatever comes in, what goes out is well formed, consecutive, and no more and no less than what holds."""

from collections import defaultdict

from hypothesis import given
from hypothesis import strategies as st

from schemas.clock import validate_clock
from schemas.customer import validate_customer
from schemas.escalation import validate_escalation
from schemas.times import format_time, parse_time
from streams.facts import clock_records, customer_record
from streams.replay import Replay
from streams.severity import RANKS
from streams.subjects import Subjects
from tests.core.playing import lines, policy_of, steps
from tests.core.strategies import CUSTOMERS, END, POLICY, delays, interactions, versions

FINAL = "resolved"


def check_standing(run: Replay, now: int) -> None:
    """What is open is what holds now: every episode has one escalation, every escalation an episode."""
    for customer in run.population.customers.values():
        subjects = Subjects.of(customer.derived(run.policies))
        holding = {
            subject: episode
            for subject, episodes in subjects.episodes.items()
            for episode in episodes
            if episode.start <= now < episode.end
        }
        standing = {subjects.locate(each): each for each in customer.emitted.standing}
        assert len(standing) == len(customer.emitted.standing), "two for one subject"
        assert standing.keys() == holding.keys()
        for subject, episode in holding.items():
            each, step = standing[subject], episode.step(now)
            assert (each.severity, each.phase, each.patterns) == (step.severity, step.phase, step.patterns)


@given(st.data())
def test_every_run_is_whole(data):
    """After each instant every open escalation holds and nothing that holds is missing; revisions are consecutive and valid."""
    flips = data.draw(st.booleans())
    events = data.draw(interactions(people=CUSTOMERS[: data.draw(st.integers(1, 3))], flips=flips))
    input_ = lines(events, data.draw(delays(len(events))), data.draw(versions()))
    run = Replay(policy_of(POLICY))
    last: dict[str, dict] = {}
    was = -1
    for at, records in steps(run, input_):
        assert at >= was
        was = at
        for record in records:
            validate_escalation(record)
            before = last.get(record["escalation_id"])
            assert record["revision"] == (before["revision"] + 1 if before else 1)
            assert before is None or before["status"] != FINAL
            assert record["detected_at"] == format_time(at)
            last[record["escalation_id"]] = record
        check_moment(run, at)
    assert {id_ for id_, record in last.items() if record["status"] != FINAL} == {
        each.id for customer in run.population.customers.values() for each in customer.emitted.standing
    }
    check_facts(run, apart=not flips)


def check_moment(run: Replay, at: int) -> None:
    for customer in run.population.customers.values():
        wake = customer.next_wake(run.policies)
        assert wake is None or wake > customer.emitted.settled_at
    settled = [c for c in run.population.customers.values() if c.emitted.settled_at == at]
    if len(settled) == len(run.population.customers):
        check_standing(run, at)


def check_facts(run: Replay, *, apart: bool) -> None:
    """The records of the facts are valid; no two clocks share an id (unless a thread was public to some, `apart`)."""
    ids = defaultdict(int)
    for known, customer in run.population.known():
        validate_customer(customer_record(customer, known.aliases, known.identities, run.policies, END))
        for clock in clock_records(customer, run.policies, END):
            validate_clock(clock)
            ids[clock["clock_id"]] += 1
            assert clock["counted_s"] >= 0
            assert (clock["state"] in ("running", "paused")) <= (clock["stopped_at"] is None)
            for breach in clock["breaches"]:
                assert parse_time(breach["at"]) <= END
    assert not apart or max(ids.values(), default=1) == 1
    check_standing(run, END)
    check_on_record(run)


def check_on_record(run: Replay) -> None:
    """Every episode that began by the end was told of, at the time or afterwards; a mere warning of a clock may be missed."""
    for customer in run.population.customers.values():
        subjects = Subjects.of(customer.derived(run.policies))
        said = [(subjects.locate(each), each) for each in (*customer.emitted.closed, *customer.emitted.standing)]
        for subject, episodes in subjects.episodes.items():
            for episode in episodes:
                least = "error" if episode.kind == "sla" else "warning"
                if episode.start > END or RANKS[episode.peak(END)] < RANKS[least]:
                    continue
                assert any(
                    where == subject and episode.start <= each.until and episode.end >= each.since
                    for where, each in said
                ), subject
